import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Hono } from 'hono';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCertificate } from '../../src/server/certificate-files.ts';
import type { RouteGroup, ServerEnv } from '../../src/server/route-group.ts';
import { createAuthority, issueCertificate } from '../support/certificate.ts';
import { eventually, FakeClock } from '../support/fake-clock.ts';
import { ServedGroups } from '../support/http-server.ts';

const AUTHORITY = createAuthority();

let folder: string;
let paths: { readonly certFile: string; readonly keyFile: string };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-tls-'));
  paths = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') };
  await write('first');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(commonName: string): Promise<void> {
  const { certificate, key } = issueCertificate(AUTHORITY, commonName);
  await writeFile(paths.certFile, certificate);
  await writeFile(paths.keyFile, key);
}

function group(): RouteGroup {
  const routes = new Hono<ServerEnv>();
  routes.get('/', (context) => context.text('safe'));
  return { name: 'root', basePath: '/', routes, authentication: 'Bearer' };
}

/** Whose certificate a new connection is shown. */
function shown(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', ca: AUTHORITY.certificate }, () => {
      const { subject } = socket.getPeerCertificate();
      socket.destroy();
      resolve(String(subject.CN));
    });
    socket.on('error', reject);
  });
}

function get(port: number): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path: '/', ca: AUTHORITY.certificate }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, hsts: answer.headers['strict-transport-security'] });
    });
    asked.on('error', reject).end();
  });
}

describe('TLS', () => {
  it('is spoken with the certificate of the files, and browsers are told to stay with it', async () => {
    await using served = await ServedGroups.start({ groups: [group()], tls: paths });
    expect(await get(served.port)).toEqual({ status: 200, hsts: 'max-age=31536000' });
    expect(await shown(served.port)).toBe('first');
    await expect(fetch(`http://127.0.0.1:${served.port}/`)).rejects.toThrow('fetch failed');
  });

  it('takes a new certificate without a restart', async () => {
    const clock = new FakeClock();
    await using served = await ServedGroups.start({ groups: [group()], tls: paths, clock });
    await write('second');
    expect(await shown(served.port)).toBe('first');
    await clock.advanceUntil(async () => (await shown(served.port)) === 'second', { stepMs: 5_000 });
    expect(served.log.lines.map(({ message }) => message)).toContain('certificate was replaced');
  });

  it('keeps the old one while the new one cannot be used', async () => {
    const clock = new FakeClock();
    await using served = await ServedGroups.start({ groups: [group()], tls: paths, clock });
    await writeFile(paths.keyFile, issueCertificate(AUTHORITY, 'other').key);
    const warned = () => served.log.lines.some(({ level }) => level === 'warn');
    await clock.advanceUntil(warned, { stepMs: 5_000 });
    expect(await shown(served.port)).toBe('first');
    await write('third');
    await clock.advance(10_000);
    await eventually(async () => (await shown(served.port)) === 'third');
  });
});

describe('readCertificate', () => {
  it('refuses a key of another certificate, and says which file it read', async () => {
    await writeFile(paths.keyFile, issueCertificate(AUTHORITY, 'other').key);
    await expect(readCertificate(paths)).rejects.toThrow(`reading the certificate in ${paths.certFile}`);
  });
});
