/** What vendors send, by their documentation, becomes pushes; what nobody sends is refused with a hint. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FORMATS, readPayload } from '../../../src/server/webhooks/payload.ts';
import { DIGEST_A } from '../../support/builders.ts';

const AT = Date.parse('2026-11-21T12:00:01Z');

export function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8');
}

function read(text: string, headers: Record<string, string> = {}): ReturnType<typeof readPayload> {
  return readPayload(text, new Headers(headers));
}

function edited(name: string, edit: (payload: never) => void): string {
  const payload: unknown = JSON.parse(fixture(name));
  edit(payload as never);
  return JSON.stringify(payload);
}

const PUSH = { repository: 'sciplat/lab', tag: 'w_2026_47', digest: DIGEST_A };

describe('a push', () => {
  it.each([
    [
      'distribution',
      'Distribution',
      { eventId: '320678d8-ca14-430f-8bb6-4ca139cd83f7', occurredAt: AT + 123 },
    ],
    ['harbor-default', 'Harbor', { occurredAt: AT }],
    [
      'harbor-cloudevents',
      'Harbor',
      { eventId: '4b2f89a6-548d-4c12-9993-a1f5790b97d2/w_2026_47', occurredAt: AT },
    ],
    ['docker-hub', 'DockerHub', { digest: undefined, occurredAt: AT }],
    ['github', 'GitHub', {}],
    ['azure', 'Azure', { eventId: 'cb8c3971-9adc-488b-bdd8-43cbb4974ff5', occurredAt: AT + 343 }],
    ['azure-cloudevents', 'Azure', { eventId: '31c51664-e5bd-416a-a5df-e5206bc47ed0', occurredAt: AT + 276 }],
    ['amazon', 'Amazon', { eventId: '13cde686-328b-6117-af20-0e5566167482', occurredAt: AT }],
    [
      'google',
      'Google',
      { repository: 'sciplat/lab/image', eventId: '2070443601311540', occurredAt: AT + 900 },
    ],
  ])('%s is read with its tag, digest, id and time', (name, vendor, rest) => {
    expect(read(fixture(name))).toEqual({ ok: true, value: { vendor, pushes: [{ ...PUSH, ...rest }] } });
  });

  it('of Quay names all its tags', () => {
    const pushes = ['w_2026_47', 'latest_weekly'].map((tag) => ({ repository: 'sciplat/lab', tag }));
    expect(read(fixture('quay'))).toEqual({ ok: true, value: { vendor: 'Quay', pushes } });
    const old = edited('quay', (payload: { updated_tags: unknown }) => {
      payload.updated_tags = { w_2026_47: 'image id', latest_weekly: 'image id' };
    });
    expect(read(old)).toEqual({ ok: true, value: { vendor: 'Quay', pushes } });
  });

  it('of GitHub is also known by the event package', () => {
    const { registry_package: published, ...rest } = JSON.parse(fixture('github')) as Record<string, unknown>;
    const text = JSON.stringify({ ...rest, package: published });
    expect(read(text, { 'x-github-event': 'package' })).toMatchObject({ value: { pushes: [PUSH] } });
  });

  it('with a digest that is none is a push of the tag', () => {
    const azure = read(fixture('azure').replace(DIGEST_A, 'sha256:xxxx'));
    expect(azure.ok && azure.value.pushes).toEqual([
      { ...PUSH, digest: undefined, eventId: 'cb8c3971-9adc-488b-bdd8-43cbb4974ff5', occurredAt: AT + 343 },
    ]);
  });
});

describe('what concerns no tag is understood and empty', () => {
  it.each([
    ['a ping of GitHub', fixture('github-ping'), { 'x-github-event': 'ping' }],
    ['a deletion in Harbor', fixture('harbor-default').replace('PUSH_ARTIFACT', 'DELETE_ARTIFACT'), {}],
    ['a scan in Harbor', fixture('harbor-cloudevents').replace('artifact.pushed', 'scan.completed'), {}],
    ['a deletion on ACR', fixture('azure').replace('"push"', '"delete"'), {}],
    ['a ping of ACR', '{"id":"1","timestamp":"2026-11-21T12:00:01Z","action":"ping"}', {}],
    ['a deletion on ECR', fixture('amazon').replace('"PUSH"', '"DELETE"'), {}],
    ['a push to ECR that failed', fixture('amazon').replace('SUCCESS', 'FAILURE'), {}],
    ['an npm package of GitHub', fixture('github').replaceAll('"CONTAINER"', '"npm"'), {}],
    ['an untagged push to GitHub', fixture('github').replace('"name":"w_2026_47"', '"name":""'), {}],
    ['an empty envelope', '{"events":[]}', {}],
    ['an untagged push to Docker Hub', fixture('docker-hub').replace('"w_2026_47"', 'null'), {}],
  ])('%s', (_case, text, headers) => {
    expect(read(text, headers)).toMatchObject({ ok: true, value: { pushes: [] } });
  });
});

describe('what is refused, says which fields were expected', () => {
  it.each([
    ['text', 'push!', 'the body is not JSON'],
    ['null', 'null', 'no known format'],
    ['a number', '17', 'no known format'],
    ['a list', '[]', 'no known format'],
    ['an object of nobody', '{"hello":"world"}', 'push_data.tag and repository.repo_name (DockerHub)'],
    ['events that are none', '{"events":7}', 'Distribution payload: events: Invalid input'],
    [
      'an event without action',
      '{"events":[{"id":"1"}]}',
      'Distribution payload: events[0].action: Invalid input: expected string, received undefined; expected events[].action',
    ],
    ['Docker Hub without repository', '{"push_data":{"tag":"x"}}', 'DockerHub payload: repository: '],
    ['GitHub without package', '{"zen":1}', 'no known format'],
    ['Pub/Sub with broken data', '{"message":{"data":"e30x"},"subscription":"s"}', 'not JSON in base64'],
    ['an impossible tag', fixture('docker-hub').replace('w_2026_47', '<script>'), 'not a valid tag'],
  ])('%s', (_case, text, hint) => {
    const result = read(text);
    expect(result.ok ? undefined : result.error).toContain(hint);
  });

  it('never repeats what was sent', () => {
    const text = '{"push_data":{"tag":{"secret":"hunter2"}},"repository":{"repo_name":"hunter2"}}';
    const result = read(text);
    expect(result.ok ? undefined : result.error).toContain('push_data.tag');
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  it('more events than a delivery may hold', () => {
    const event = { action: 'push', target: { repository: 'a/b', tag: 'x' } };
    const text = JSON.stringify({ events: Array.from({ length: 1_001 }, () => event) });
    expect(read(text)).toMatchObject({
      ok: false,
      error: expect.stringContaining('events: Too big') as string,
    });
  });
});

it('any JSON is read or refused, never thrown at', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 4 }), (text) => {
      const result = read(text);
      expect(typeof result.ok).toBe('boolean');
    }),
    { numRuns: 300 },
  );
});

it('each payload is recognised by its own format first', () => {
  expect(FORMATS.map(({ vendor }) => vendor)).toContain('GitHub');
  for (const name of ['distribution', 'docker-hub', 'quay', 'amazon', 'google', 'azure']) {
    const claimants = FORMATS.filter((format) => format.recognises(JSON.parse(fixture(name)), new Headers()));
    expect(claimants, name).toHaveLength(1);
  }
});
