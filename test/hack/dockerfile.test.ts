/** What can be said of the Dockerfile without building it; test/e2e-node/in-cluster.test.ts builds and runs it. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const lines = readFileSync(resolve(ROOT, 'Dockerfile'), 'utf8')
  .replaceAll('\\\n', ' ')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const last = lines.findLastIndex((line) => line.startsWith('FROM'));

it('runs nothing in the final stage, so that it can be made for any architecture', () => {
  const instructions = new Set(lines.slice(last + 1).map((line) => line.split(' ')[0]));
  expect([...instructions].sort()).toEqual(['ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'LABEL', 'USER']);
});

it('builds on the machine at hand, and takes both bases as arguments', () => {
  expect(lines.filter((line) => line.startsWith('FROM'))).toEqual([
    'FROM --platform=$BUILDPLATFORM ${BUILD_IMAGE} AS build',
    'FROM ${BASE_IMAGE}',
  ]);
});

it('runs as nobody, by number, so that the kubelet can see it', () => {
  expect(lines).toContain('USER 65532:65532');
});

it('copies only what .dockerignore lets through', () => {
  const allowed = readFileSync(resolve(ROOT, '.dockerignore'), 'utf8').split('\n');
  const copied = lines
    .slice(0, last)
    .filter((line) => line.startsWith('COPY'))
    .flatMap((line) => line.split(' ').slice(1, -1));
  expect(copied.filter((path) => !allowed.includes(`!${path}`))).toEqual([]);
});
