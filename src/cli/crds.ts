/** `larder crds`: prints the CustomResourceDefinitions of this version, ready for `kubectl apply -f -`. */
import { stringify } from 'yaml';
import { buildCustomResourceDefinition, DEFINITIONS } from '../api/crd.ts';
import type { KindDefinition } from '../api/crd-definition.ts';

/** How a CRD file looks, in crds/ and on the terminal: long lines stay whole, so that diffs are by field. */
export function crdYaml(definition: KindDefinition): string {
  return toYaml(buildCustomResourceDefinition(definition));
}

export function toYaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** All of them as one YAML stream. */
export function crdsYaml(): string {
  return DEFINITIONS.map((definition) => `---\n${crdYaml(definition)}`).join('');
}
