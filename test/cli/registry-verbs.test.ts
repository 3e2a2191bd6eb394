import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type InspectOutput, inspectCommand } from '../../src/cli/inspect.ts';
import { CliError, type CliIo } from '../../src/cli/io.ts';
import { type ScanOutput, scanCommand } from '../../src/cli/scan.ts';
import { systemClock } from '../../src/clock.ts';
import { FakeRegistry, type FakeRegistryOptions } from '../support/fake-registry.ts';
import { REPOSITORY } from '../support/registry-session.ts';

interface Run {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** The two verbs alone: the whole program would load the operator too. */
async function run(argv: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Run> {
  let out = '';
  const io: CliIo = {
    readStdin: () => Promise.resolve(''),
    readFile: (path) => {
      const text = files[path];
      return text === undefined
        ? Promise.reject(new Error(`reading ${path}: not found`))
        : Promise.resolve(text);
    },
    writeOut: (text) => (out += text),
    writeError: () => undefined,
    clock: systemClock,
    signal: new AbortController().signal,
    stdinIsTerminal: true,
    stdoutIsTerminal: false,
    environment: { HOME: '/home' },
  };
  const program = new Command('larder').addCommand(scanCommand(io)).addCommand(inspectCommand(io));
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return { code: 0, out, error: '' };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { code: error.exitCode, out, error: error.message };
  }
}

const USER = { username: 'user', password: 'planted-secret' };

function dockerConfig(host: string, password = USER.password): string {
  return JSON.stringify({
    auths: { [host]: { auth: Buffer.from(`${USER.username}:${password}`).toString('base64') } },
  });
}

function sourceOf(registry: FakeRegistry): string {
  return JSON.stringify({
    apiVersion: 'larder.dev/v1alpha1',
    kind: 'ImageSource',
    metadata: { name: 'app', namespace: 'team' },
    spec: {
      image: `${registry.host}/${REPOSITORY}`,
      access: { plainHTTP: true, pullSecretRefs: [{ name: 'pull' }] },
      tags: { grammar: 'SemVer' },
      select: [{ name: 'stable', semver: '>=1', newest: 2 }],
    },
  });
}

async function withRegistry(
  play: (registry: FakeRegistry) => Promise<void>,
  options: FakeRegistryOptions = {},
): Promise<void> {
  await using registry = await FakeRegistry.start(options);
  for (const tag of ['1.0.0', '1.1.0', '2.0.0', 'junk']) registry.putImage(REPOSITORY, tag);
  await play(registry);
}

describe('larder scan', () => {
  it('scans with the credentials of a docker config and says what it cost', () =>
    withRegistry(
      async (registry) => {
        const files = { 'source.yaml': sourceOf(registry), 'config.json': dockerConfig(registry.host) };
        const { code, out, error } = await run(
          ['scan', '-f', 'source.yaml', '--docker-config', 'config.json', '-o', 'json'],
          files,
        );
        expect(error).toBe('');
        expect(code).toBe(0);
        const output = JSON.parse(out) as ScanOutput;
        expect(output.images.map(({ tag }) => tag)).toEqual(['2.0.0', '1.1.0']);
        expect(output.images.every(({ digest }) => digest?.startsWith('sha256:') === true)).toBe(true);
        expect(output.scan).toMatchObject({ tags: 4, pages: 1, requests: 5, headRequests: 2 });
        expect(output.warnings).toEqual([
          'access.pullSecretRefs is not read without a cluster: use --docker-config and --ca-file',
        ]);
      },
      { auth: 'bearer', ...USER },
    ));

  it('prints tables for people', () =>
    withRegistry(async (registry) => {
      const { out } = await run(['scan', '-f', 'source.yaml'], { 'source.yaml': sourceOf(registry) });
      expect(out).toContain('2.0.0');
      expect(out).toMatch(/TAGS +PAGES +REQUESTS +HEADS +MS\n4 +1 +3 +2/);
      expect(out).toContain('WARNING');
    }));

  it('ends with 1 and advice when the registry refuses, without the password', () =>
    withRegistry(
      async (registry) => {
        const files = {
          'source.yaml': sourceOf(registry),
          '/home/.docker/config.json': dockerConfig(registry.host, 'wrong-planted-secret'),
        };
        const { code, error } = await run(['scan', '-f', 'source.yaml'], files);
        expect(code).toBe(1);
        expect(error).toContain('Check access.pullSecretRefs');
        expect(error).not.toContain('planted-secret');
      },
      { auth: 'bearer', ...USER },
    ));

  it('ends with 2 for a docker config that is none', () =>
    withRegistry(async (registry) => {
      const files = { 'source.yaml': sourceOf(registry), 'config.json': 'planted-secret' };
      const { code, error } = await run(
        ['scan', '-f', 'source.yaml', '--docker-config', 'config.json'],
        files,
      );
      expect(code).toBe(2);
      expect(error).not.toContain('planted-secret');
    }));
});

describe('larder inspect', () => {
  it('prints digest, platforms, labels, sizes and pull specs', () =>
    withRegistry(async (registry) => {
      const labels = { 'org.opencontainers.image.source': 's' };
      const digest = registry.putIndex(REPOSITORY, 'v1', {
        platforms: [{ labels }, { architecture: 'arm64', labels }],
      });
      const { code, out } = await run([
        'inspect',
        `${registry.host}/${REPOSITORY}:v1`,
        '--plain-http',
        '-o',
        'json',
      ]);
      expect(code).toBe(0);
      const output = JSON.parse(out) as InspectOutput;
      expect(output).toMatchObject({ digest, labels, warnings: [] });
      expect(output.platforms.map(({ architecture, size = 0 }) => [architecture, size > 1000])).toEqual([
        ['amd64', true],
        ['arm64', true],
      ]);
      expect(output.pullInfo.digestSpecs).toHaveLength(3);
      expect(output.pullInfo.tagSpecs[0]?.tag).toBe('v1');
    }));

  it('prints tables for people', () =>
    withRegistry(async (registry) => {
      const { out } = await run(['inspect', `${registry.host}/${REPOSITORY}:1.0.0`, '--plain-http']);
      expect(out).toContain('linux/amd64');
    }));

  it('ends with 2 for a bad reference and 1 for a missing image', () =>
    withRegistry(async (registry) => {
      expect(await run(['inspect', 'Not A Reference'])).toMatchObject({ code: 2 });
      const missing = await run(['inspect', `${registry.host}/${REPOSITORY}:v9`, '--plain-http']);
      expect(missing.code).toBe(1);
      expect(missing.error).toContain('MANIFEST_UNKNOWN');
    }));
});
