/** A spawner as JupyterHub with Nublado has it: renders a form from menu and dropdown, and spawns what is chosen. */

import * as z from 'zod';

const choice = z.object({ reference: z.string(), name: z.string() });
const menuSchema = z.object({ menu: z.array(choice), dropdown: z.array(choice) });

type Choice = z.output<typeof choice>;

/** Field values as the browser sends them. */
export type FormData = Readonly<Record<'image_list' | 'image_dropdown', string>>;

/** The reference that stands for "the dropdown decides". */
const FROM_DROPDOWN = 'use_image_from_dropdown';

export class SpawnForm {
  readonly #menu: readonly Choice[];
  readonly #dropdown: readonly Choice[];

  constructor(answer: unknown) {
    const { menu, dropdown } = menuSchema.parse(answer);
    this.#menu = menu;
    this.#dropdown = dropdown;
  }

  /** The first of the menu is checked; with an empty menu, the dropdown is. */
  render(): string {
    const radios = this.#menu.map(({ reference, name }, index) => radio(reference, name, index === 0));
    const options = this.#dropdown.map(
      ({ reference, name }) => `<option value="${escape(reference)}">${escape(name)}</option>`,
    );
    const other = radio(FROM_DROPDOWN, 'Select uncached image (slower start):', this.#menu.length === 0);
    return `${[...radios, other].join('\n')}\n<select name="image_dropdown">\n${options.join('\n')}\n</select>\n`;
  }

  /** What is sent if nobody touches anything. */
  untouched(): FormData {
    const [first] = this.#menu;
    const [option] = this.#dropdown;
    return { image_list: first?.reference ?? FROM_DROPDOWN, image_dropdown: option?.reference ?? '' };
  }
}

/** The reference that a form asks for. */
export function chosenReference({ image_list, image_dropdown }: FormData): string {
  return image_list === FROM_DROPDOWN ? image_dropdown : image_list;
}

function radio(value: string, label: string, isChecked: boolean): string {
  const checked = isChecked ? ' checked="checked"' : '';
  return `<input type="radio" name="image_list" value="${escape(value)}"${checked} /> ${escape(label)}`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
