/** Writes everything that is generated: crds/, docs/spec/fields/ and docs/flags.md. Run it by `make generate`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DEFINITIONS } from '../src/api/crd.ts';
import type { KindDefinition } from '../src/api/crd-definition.ts';
import { GROUP, PLURALS } from '../src/api/group-version.ts';
import { crdYaml } from '../src/cli/crds.ts';
import { toYaml } from '../src/cli/output.ts';
import { fieldReference, reasonReference } from './field-reference.ts';
import { flagReference } from './flag-reference.ts';

const HEADER = '# Generated from src/api by `make generate`. Do not edit.\n';

/** Path below the repository's root -> text, for every generated file. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const definition of DEFINITIONS) {
    files.set(`crds/${fileName(definition)}`, HEADER + crdYaml(definition));
    files.set(`docs/spec/fields/${PLURALS[definition.kind]}.md`, fieldReference(definition));
  }
  files.set('docs/spec/fields/reasons.md', reasonReference());
  files.set('docs/flags.md', flagReference());
  files.set('crds/kustomization.yaml', HEADER + toYaml(kustomization()));
  return files;
}

function fileName({ kind }: KindDefinition): string {
  return `${GROUP}_${PLURALS[kind]}.yaml`;
}

function kustomization(): object {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: DEFINITIONS.map(fileName),
  };
}

function writeAll(): void {
  for (const [path, text] of generatedFiles()) {
    const target = new URL(`../${path}`, import.meta.url).pathname;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}

if (import.meta.main) writeAll();
