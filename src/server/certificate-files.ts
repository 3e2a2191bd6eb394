/** The certificate and key of the HTTP server, from files that may be replaced while it runs. */

import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { type Clock, sleep } from '../clock.ts';
import type { Logger } from '../kube/logger.ts';

/** Files in PEM, mounted from a Secret and so replaced as a pair. */
export interface CertificatePaths {
  readonly certFile: string;
  readonly keyFile: string;
}

/** PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

const LOOK_MS = 10_000;

/** @throws Error if a file cannot be read, or certificate and key do not belong together */
export async function readCertificate({ certFile, keyFile }: CertificatePaths): Promise<CertificatePair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    const message = error instanceof Error ? error.message : 'not usable';
    throw new Error(`reading the certificate in ${certFile}: ${message}`, { cause: error });
  }
  return { cert, key };
}

/** Whom to tell of a new pair. */
export interface CertificateWatch {
  readonly paths: CertificatePaths;
  readonly current: CertificatePair;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (pair: CertificatePair) => void;
}

/**
 * Looks at the files until the signal aborts; a pair that is not usable (half replaced, say) leaves the old one in
 * place. Looking, rather than file events: mounted Secrets change by a swap of links that events miss.
 */
export async function watchCertificate(watch: CertificateWatch, signal: AbortSignal): Promise<void> {
  let { current } = watch;
  for (;;) {
    await sleep(watch.clock, LOOK_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    current = await look(watch, current);
  }
}

async function look(
  { paths, log, onChange }: CertificateWatch,
  current: CertificatePair,
): Promise<CertificatePair> {
  try {
    const found = await readCertificate(paths);
    if (found.cert === current.cert && found.key === current.key) return current;
    onChange(found);
    log.info('certificate was replaced', { certFile: paths.certFile });
    return found;
  } catch (error) {
    log.warn('certificate cannot be used, the one before stays', { err: error });
    return current;
  }
}
