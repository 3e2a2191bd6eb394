import { describe, expect, it } from 'vitest';

import { formatTable, toYaml } from '../../src/cli/output.ts';
import { type CliRun, larder } from '../support/cli-io.ts';
import { digestOf } from '../support/selections.ts';

function json({ out }: CliRun): unknown {
  return JSON.parse(out);
}

const SOURCE = `
apiVersion: larder.dev/v1alpha1
kind: ImageSource
metadata: {name: lab, namespace: nublado}
spec:
  image: r.example/a/b
  tags: {grammar: RSP, aliases: [latest]}
  select:
    - {name: weeklies, type: weekly, newest: 1, maxAge: 240h}
  display: {daily: {number: 1, since: {date: "2077-01-01"}}}
  prepull: {nodes: {tolerations: [{key: dedicated, operator: Exists}]}}
`;
const TAGS = JSON.stringify([
  { tag: 'recommended', digest: digestOf(1) },
  { tag: 'w_2077_46', digest: digestOf(1), size: 5 },
  'w_2077_45',
  'd_2077_11_18',
  'd_2076_11_18',
]);
const NODES = JSON.stringify({
  kind: 'NodeList',
  items: [
    {
      metadata: { name: 'n1' },
      spec: { taints: [{ key: 'dedicated', effect: 'NoSchedule' }] },
      status: { images: [{ names: [`r.example/a/b@${digestOf(1)}`], sizeBytes: 9 }, { names: null }] },
    },
    { metadata: { name: 'n2' }, spec: { taints: [{ key: 'other', effect: 'NoSchedule' }] }, status: {} },
    { metadata: { name: 'n3' }, status: { conditions: [{ type: 'Ready', status: 'False' }] } },
  ],
});
const FILES = { 's.yaml': SOURCE, 't.json': TAGS, 'n.json': NODES };
const SELECT = ['select', '-f', 's.yaml', '--tags', 't.json'];

describe('larder tag parse', () => {
  it('prints every field of a tag', async () => {
    const run = await larder(['tag', 'parse', '--grammar', 'RSP', 'w_2077_45_c0045.003-amd64', '-o', 'json']);
    expect(run).toMatchObject({ code: 0, error: '' });
    expect(json(run)).toEqual([
      {
        tag: 'w_2077_45_c0045.003-amd64',
        type: 'weekly',
        displayName: 'Weekly 2077_45 (SAL Cycle 0045, Build 003) [amd64]',
        base: null,
        version: '2077.45.0',
        cycle: 45,
        cycleBuild: 3,
        rspBuild: null,
        architecture: 'amd64',
        extra: null,
        date: '2077-11-11T00:00:00Z',
        possibleAlias: false,
      },
    ]);
  });

  it('reads names as known aliases if told', async () => {
    const run = await larder(['tag', 'parse', '--grammar', 'RSP', '--alias', 'latest_weekly', '-o', 'json']);
    expect(json(run)).toMatchObject([{ type: 'alias', displayName: 'Latest Weekly', possibleAlias: true }]);
  });

  it('takes lines of standard input, and writes large numbers as text', async () => {
    const run = await larder(['tag', 'parse', '--grammar', 'RSP', '-o', 'json'], {
      stdin: 'x_c99999999999999999999\r\n\n r22_0_0 \n',
    });
    expect(json(run)).toMatchObject([{ cycle: '99999999999999999999' }, { tag: 'r22_0_0', type: 'release' }]);
    const dash = await larder(['tag', 'parse', '-', '-o', 'json'], { stdin: '1.2.3' });
    expect(json(dash)).toMatchObject([{ version: '1.2.3', type: 'release' }]);
  });

  it('knows which endings are architectures if told', async () => {
    const run = await larder([
      'tag',
      'parse',
      '--grammar',
      'RSP',
      '--architectures',
      'amd64, arm64',
      'a-b',
      '-o',
      'json',
    ]);
    expect(json(run)).toMatchObject([{ base: 'a-b', architecture: null }]);
  });

  it('prints a table for people, and YAML', async () => {
    const table = await larder(['tag', 'parse', '--grammar', 'RSP', 'w_2077_45', 'x']);
    expect(table.out).toBe(
      'TAG         TYPE      VERSION     DATE                   NAME\n' +
        'w_2077_45   weekly    2077.45.0   2077-11-11T00:00:00Z   Weekly 2077_45\n' +
        'x           unknown   -           -                      x\n',
    );
    const yaml = await larder(['tag', 'parse', '1.2.3', '-o', 'yaml']);
    expect(yaml.out).toContain('- tag: 1.2.3\n  type: release\n');
  });

  it.each([
    [['tag', 'parse', '--grammar', 'rsp', 'x'], 'Allowed choices are RSP, SemVer, Docker, CalVer, Plain'],
    [['tag', 'parse'], 'none given'],
    [['tag', 'parse', 'x', '-o', 'xml'], 'json, yaml, table'],
    [['tag', 'nothing'], "unknown command 'nothing'"],
    [['nothing'], "unknown command 'nothing'"],
  ])('ends %j with exit code 2', async (argv, message) => {
    const run = await larder(argv);
    expect(run.code).toBe(2);
    expect(run.error).toContain(message);
  });
});

describe('larder tag sort', () => {
  it('prints the tags by type, newest first', async () => {
    const run = await larder([
      'tag',
      'sort',
      '--grammar',
      'RSP',
      '--alias-tags',
      'a,b',
      '-o',
      'json',
      'w_2077_44',
      'w_2077_45',
      'r22_0_0',
      'b',
      'z',
    ]);
    expect(json(run)).toEqual(['b', 'r22_0_0', 'w_2077_45', 'w_2077_44', 'z']);
  });

  it('leaves out other cycles', async () => {
    const run = await larder([
      'tag',
      'sort',
      '--grammar',
      'RSP',
      '--cycle',
      '45',
      '-o',
      'json',
      'w_2077_44',
      'w_2077_45_c0045.1',
    ]);
    expect(json(run)).toEqual(['w_2077_45_c0045.1']);
    expect(await larder(['tag', 'sort', '--cycle', 'x', 'a'])).toMatchObject({ code: 2 });
  });

  it('prints a table for people', async () => {
    const run = await larder(['tag', 'sort', '1.2.3', '1.3.0']);
    expect(run.out).toBe('TAG     TYPE      NAME\n1.3.0   release   1.3.0\n1.2.3   release   1.2.3\n');
  });
});

describe('larder reference parse', () => {
  it('takes references apart', async () => {
    const run = await larder(['reference', 'parse', 'alpine:3', `r.io/a@${digestOf(1)}`, '-o', 'json']);
    expect(json(run)).toEqual([
      {
        input: 'alpine:3',
        registry: null,
        repository: 'alpine',
        tag: '3',
        digest: null,
        canonical: 'docker.io/library/alpine:3',
        familiar: 'alpine:3',
      },
      {
        input: `r.io/a@${digestOf(1)}`,
        registry: 'r.io',
        repository: 'a',
        tag: null,
        digest: digestOf(1),
        canonical: `r.io/a@${digestOf(1)}`,
        familiar: `r.io/a@${digestOf(1)}`,
      },
    ]);
  });

  it('says what is wrong and where', async () => {
    expect(await larder(['reference', 'parse', 'r.io/A'])).toEqual({
      code: 2,
      out: '',
      error: 'larder: reference "r.io/A": capital letters are not allowed in a repository (at position 5)\n',
    });
  });
});

describe('larder duration parse and range test', () => {
  it('reads durations', async () => {
    expect(json(await larder(['duration', 'parse', '90m', '-o', 'json']))).toEqual([
      { input: '90m', milliseconds: 5_400_000, shortest: '1h30m' },
    ]);
    expect(await larder(['duration', 'parse', '5x'])).toMatchObject({
      code: 2,
      error: expect.stringContaining('at position 1') as string,
    });
  });

  it('tests versions in either dialect', async () => {
    const test = async (...argv: string[]) => json(await larder(['range', 'test', '-o', 'json', ...argv]));
    expect(await test('>=1.0.0-0', '2.0.0-rc1', '1.0.0')).toEqual([
      { version: '2.0.0-rc1', matches: false },
      { version: '1.0.0', matches: true },
    ]);
    expect(await test('--dialect', 'Masterminds', '>=1.0.0-0', '2.0.0-rc1')).toEqual([
      { version: '2.0.0-rc1', matches: true },
    ]);
    expect(await test('--prereleases', '>=1', '2.0.0-rc1')).toEqual([
      { version: '2.0.0-rc1', matches: true },
    ]);
  });

  it.each([
    [['range', 'test', 'foo', '1.0.0'], 'range "foo"'],
    [['range', 'test', '1 foo', '1.0.0', '--dialect', 'Masterminds'], 'at position 2'],
    [['range', 'test', '1', 'x'], 'version "x": not a version (at position 0)'],
    [['range', 'test', '1', '1.2.3.4'], '(at position 5)'],
    [['range', 'test', '1', '1.0.0', '--dialect', 'go'], 'npm, Masterminds'],
  ])('ends %j with exit code 2', async (argv, message) => {
    const run = await larder(argv);
    expect(run.code).toBe(2);
    expect(run.error).toContain(message);
  });
});

describe('larder select', () => {
  it('says what is selected, where it is, and why not the rest', async () => {
    const run = await larder(
      [...SELECT, '--nodes', 'n.json', '--now', '2077-11-20T00:00:00Z', '-o', 'json'],
      { files: FILES },
    );
    expect(run.error).toBe('');
    expect(json(run)).toMatchObject({
      recommended: {
        tag: 'recommended',
        name: 'Recommended (Weekly 2077_46)',
        digest: digestOf(1),
        aliases: ['w_2077_46'],
        prepulled: true,
      },
      latestWeekly: { tag: 'w_2077_46', prepulled: true },
      latestDaily: null,
      latestRelease: null,
      images: [
        {
          tag: 'recommended',
          reference: 'r.example/a/b:recommended',
          type: 'alias',
          version: null,
          date: '2077-11-18T00:00:00Z',
          rules: ['recommended'],
        },
        { tag: 'w_2077_46', type: 'weekly', version: '2077.46.0', rules: ['weeklies'] },
      ],
      displayed: ['recommended', 'w_2077_46', 'w_2077_45', 'd_2077_11_18'],
      dropped: [
        { tag: 'w_2077_45', reason: 'weeklies: not among the newest 1' },
        { tag: 'd_2077_11_18', reason: 'no rule is for daily tags like this' },
        { tag: 'd_2076_11_18', reason: 'no rule is for daily tags like this' },
      ],
      spawner: { recommended: { tag: 'recommended' }, all: [{}, {}, {}, {}, {}] },
    });
  });

  it('takes the present if no time is given, and standard input', async () => {
    const files = { 's.yaml': SOURCE };
    const late = await larder(['select', '-f', 's.yaml', '--tags', '-', '-o', 'json'], {
      files,
      stdin: TAGS,
      nowMs: Date.UTC(2079, 0, 1),
    });
    expect(json(late)).toMatchObject({ latestWeekly: null });
    const source = await larder(['select', '-f', '-', '--tags', 't.json', '-o', 'json'], {
      files: FILES,
      stdin: SOURCE,
    });
    expect(source.code).toBe(0);
  });

  it('prints tables for people', async () => {
    const run = await larder([...SELECT, '--now', '2077-11-20T00:00:00Z'], { files: FILES });
    expect(run.out).toContain('TAG           TYPE     PREPULLED   RULES         ALIASES       NAME\n');
    expect(run.out).toContain('\nDROPPED        REASON\n');
  });

  it.each([
    ['a broken YAML file', { 's.yaml': 'a: [b' }, [], /^larder: s\.yaml:1:\d+: /],
    ['no ImageSource', { 's.yaml': 'kind: Pod' }, [], /s\.yaml: holds no ImageSource/],
    [
      'an invalid ImageSource',
      { 's.yaml': SOURCE.replace('a/b', 'a/b:c') },
      [],
      /not a valid ImageSource:\n {2}spec\.image: /,
    ],
    ['a bad pattern', { 's.yaml': SOURCE.replace('type: weekly', 'pattern: "(?=a)"') }, [], /pattern/],
    [
      'a bad range',
      { 's.yaml': SOURCE.replace('type: weekly', 'semver: foo') },
      [],
      /spec\.select\[weeklies\]\.semver: not a range/,
    ],
    ['tags that are no JSON', { 't.json': '[' }, [], /larder: tags: /],
    ['tags that are no array', { 't.json': '{}' }, [], /not a JSON array/],
    ['an entry that is no tag', { 't.json': '[5]' }, [], /tags\[0\]: neither a name nor an object/],
    ['an entry without tag', { 't.json': '[{}]' }, [], /tags\[0\]\.tag: is missing/],
    ['an illegal tag', { 't.json': '["ok", "a b"]' }, [], /tags\[1\]: "a b" is not a tag \(at position 1\)/],
    [
      'an illegal digest',
      { 't.json': '[{"tag": "a", "digest": "sha256:x"}]' },
      [],
      /tags\[0\]\.digest: only the hex digits .* \(at position 7\)/,
    ],
    [
      'a digest that is no text',
      { 't.json': '[{"tag": "a", "digest": 5}]' },
      [],
      /tags\[0\]\.digest: is not text/,
    ],
    [
      'an illegal size',
      { 't.json': '[{"tag": "a", "size": -1}]' },
      [],
      /tags\[0\]\.size: is not a number of bytes/,
    ],
    ['nodes that are no JSON', { 'n.json': '[' }, ['--nodes', 'n.json'], /larder: nodes: /],
    ['nodes that are no list', { 'n.json': '5' }, ['--nodes', 'n.json'], /nodes: not a NodeList/],
    ['an item that is no node', { 'n.json': '[{}]' }, ['--nodes', 'n.json'], /item 0 is no Node/],
    ['a time that is none', {}, ['--now', 'yesterday'], /not an RFC 3339 time/],
    ['standard input twice', {}, ['-f', '-', '--tags', '-'], /standard input is taken/],
  ])('ends with exit code 2 for %s', async (_, files, more, message) => {
    const run = await larder([...SELECT, ...more], { files: { ...FILES, ...files }, stdin: '' });
    expect(run.error).toMatch(message);
    expect(run.code).toBe(2);
  });

  it('ends with exit code 1 if a file cannot be read', async () => {
    expect(await larder(SELECT)).toEqual({ code: 1, out: '', error: 'larder: cannot read s.yaml\n' });
  });
});

describe('the program', () => {
  it('has help and a version', async () => {
    expect(await larder(['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    });
    expect(await larder(['tag', '--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('parse') as string,
    });
  });
});

describe('YAML', () => {
  it('quotes texts that readers of YAML 1.1, such as kubectl, take for something else', () => {
    expect(toYaml({ version: '2022_11', on: 'yes' })).toBe('version: "2022_11"\n"on": "yes"\n');
    const numbers = ['0X1F', '0O7', '-0B1', '1e_3', '1_.5', '0x_1', '1.', '.5', '1__'];
    expect(toYaml(numbers)).toBe(numbers.map((text) => `- "${text}"\n`).join(''));
    const texts = ['5.1-3', '1.2.3', 'v1', '0XG'];
    expect(toYaml(texts)).toBe(texts.map((text) => `- ${text}\n`).join(''));
    expect(toYaml({ count: 1, big: 1.5 })).toBe('count: 1\nbig: 1.5\n');
  });
});

describe('tables', () => {
  it('align wide characters, dash what is not there, and let no control character through', () => {
    const table = formatTable({
      columns: ['A', 'B'],
      rows: [
        ['漢字', 1],
        [null, undefined],
        ['\u001b[31mx', true],
        ['', 'y'],
      ],
    });
    expect(table).toBe('A        B\n漢字     1\n-        -\n?[31mx   true\n-        y\n');
  });
});
