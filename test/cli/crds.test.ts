import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { buildCustomResourceDefinition, DEFINITIONS } from '../../src/api/crd.ts';
import { crdsCommand } from '../../src/cli/crds.ts';
import type { CliIo } from '../../src/cli/io.ts';
import { FakeClock } from '../support/fake-clock.ts';

/** What the verb prints. */
async function run(...args: readonly string[]): Promise<string> {
  let printed = '';
  const write = (text: string): void => {
    printed += text;
  };
  const io: CliIo = {
    readStdin: () => Promise.resolve(''),
    readFile: () => Promise.reject(new Error('reads no file')),
    writeOut: write,
    writeError: write,
    clock: new FakeClock(),
    signal: new AbortController().signal,
    stdinIsTerminal: false,
    stdoutIsTerminal: false,
    environment: {},
  };
  const command = crdsCommand(io).exitOverride().configureOutput({ writeOut: write, writeErr: write });
  await command.parseAsync([...args], { from: 'user' });
  return printed;
}

const crds: unknown = JSON.parse(JSON.stringify(DEFINITIONS.map(buildCustomResourceDefinition)));

test('prints all CRDs as one YAML stream', async () => {
  const documents = parseAllDocuments(await run());
  expect(documents.map((document) => document.toJS() as unknown)).toEqual(crds);
});

test('prints a List as JSON, which has no streams', async () => {
  expect(JSON.parse(await run('-o', 'json'))).toEqual({ apiVersion: 'v1', kind: 'List', items: crds });
});

test('prints a table for people', async () => {
  expect(await run('-o', 'table')).toBe(
    [
      'KIND                PLURAL               SHORT NAME   VERSION',
      'ImageSource         imagesources         imgsrc       v1alpha1',
      'PrepulledImage      prepulledimages      ppi          v1alpha1',
      'DockerImageRecord   dockerimagerecords   dir          v1alpha1',
      '',
    ].join('\n'),
  );
});

test('refuses another format', async () => {
  await expect(run('-o', 'xml')).rejects.toThrow('Allowed choices are json, yaml, table');
});
