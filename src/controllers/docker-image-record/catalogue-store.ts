/** The catalogue as last read from its ConfigMap. One that cannot be read changes nothing but what is said about it. */

import { CATALOGUE_NAME, type Catalogue, catalogueMissing, readCatalogue } from '../../api/catalogue.ts';
import type { ConfigMap } from '../../kube/core-types.ts';
import type { Informer } from '../../kube/informer.ts';
import type { Logger } from '../../kube/logger.ts';

export interface CatalogueStoreOptions {
  /** Of the one ConfigMap. */
  readonly informer: Pick<Informer<ConfigMap>, 'subscribe'>;
  /** Where the ConfigMap should be, for messages. */
  readonly namespace: string;
  readonly parseYaml: (text: string) => unknown;
  readonly log: Logger;
}

/** Problems that a message names. */
const MAX_PROBLEMS = 3;

/** Follows the ConfigMap from the moment it is made. */
export class CatalogueStore {
  readonly #options: CatalogueStoreOptions;
  #current: Catalogue | undefined;
  #problem: string | undefined;

  constructor(options: CatalogueStoreOptions) {
    this.#options = options;
    this.#problem = catalogueMissing(options.namespace);
    options.informer.subscribe({
      onAdd: (object) => {
        this.#read(object);
      },
      onUpdate: (_old, object) => {
        this.#read(object);
      },
      onDelete: () => {
        this.#problem = catalogueMissing(options.namespace);
      },
    });
  }

  /** The last good one; undefined if there was none since the start. */
  get current(): Catalogue | undefined {
    return this.#current;
  }

  /** Why the ConfigMap cannot be used as it is now; undefined if it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  #read({ metadata, data = {} }: ConfigMap): void {
    const { namespace, parseYaml, log } = this.#options;
    if (metadata.name !== CATALOGUE_NAME || metadata.namespace !== namespace) return;
    const read = readCatalogue(data, parseYaml);
    if (read.ok) {
      this.#current = read.value;
      this.#problem = undefined;
      return;
    }
    const more = read.error.length - MAX_PROBLEMS;
    const problems = read.error.slice(0, MAX_PROBLEMS).join('; ') + (more > 0 ? ` (and ${more} more)` : '');
    this.#problem = `ConfigMap ${namespace}/${CATALOGUE_NAME} cannot be read: ${problems}`;
    log.error('catalogue not taken over', { problems });
  }
}
