/** Pages as a browser reads them: parsed by the HTML standard, then asked for elements and text. */

import { type DefaultTreeAdapterTypes, parse } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode;
export type Element = DefaultTreeAdapterTypes.Element;

/** All elements of the document, in order. */
export function parseHtml(text: string): readonly Element[] {
  return parse(text).childNodes.flatMap(elementsOf);
}

/** The elements with that tag and these attributes; a value of true asks for any. */
export function findAll(
  elements: readonly Element[],
  tag: string,
  attributes: Readonly<Record<string, string | true>> = {},
): readonly Element[] {
  return elements.filter(
    (element) =>
      element.tagName === tag &&
      Object.entries(attributes).every(([name, value]) => {
        const found = attributeOf(element, name);
        return value === true ? found !== undefined : found === value;
      }),
  );
}

/** Everything inside the element. */
export function inside(element: Element | undefined): readonly Element[] {
  return element?.childNodes.flatMap(elementsOf) ?? [];
}

export function attributeOf(element: Element, name: string): string | undefined {
  return element.attrs.find((attribute) => attribute.name === name)?.value;
}

/** Text with runs of white space as one space. */
export function textOf(node: Element | undefined): string {
  return node === undefined ? '' : rawText(node).replaceAll(/\s+/g, ' ').trim();
}

/** The cells of each row of the tables in these elements, as text. */
export function rowsOf(elements: readonly Element[]): readonly (readonly string[])[] {
  return findAll(elements, 'tr').map((row) =>
    inside(row)
      .filter(({ tagName }) => tagName === 'td' || tagName === 'th')
      .map(textOf),
  );
}

function elementsOf(node: Node): readonly Element[] {
  if (!('tagName' in node)) return [];
  return [node, ...node.childNodes.flatMap(elementsOf)];
}

function rawText(node: Node): string {
  if (node.nodeName === '#text') return (node as DefaultTreeAdapterTypes.TextNode).value;
  return 'childNodes' in node ? node.childNodes.map(rawText).join('') : '';
}
