/** Platforms of image manifests and nodes: `os[(os.version)]/architecture[/variant]`, normalised as runtimes do. */

import { ok, type Problem, type Result, refuse } from './result.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  /** Windows build, such as 10.0.20348.2113. */
  readonly osVersion?: string;
}

const ARCHITECTURES: Readonly<Record<string, readonly [architecture: string, variant?: string]>> = {
  x86_64: ['amd64'],
  'x86-64': ['amd64'],
  i386: ['386'],
  i686: ['386'],
  aarch64: ['arm64'],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
  armv7l: ['arm', 'v7'],
  armv7hl: ['arm', 'v7'],
};
/** The variant that is meant when none is given. */
const BASELINE: Readonly<Record<string, string>> = { amd64: 'v1', arm64: 'v8', arm: 'v7' };
const TEXT =
  /^(?<os>[a-z0-9]+)(?:\((?<osVersion>[A-Za-z0-9._-]+)\))?\/(?<architecture>[a-z0-9_-]+)(?:\/(?<variant>[a-z0-9.]+))?$/;

/** Thrown by `parsePlatform`. */
export class InvalidPlatformError extends Error {
  override readonly name = 'InvalidPlatformError';
}

/** One spelling a platform: aarch64 is arm64, arm64/v8 is arm64, amd64/v1 is amd64; arm alone means arm/v7. */
export function normalisePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const written = platform.architecture.toLowerCase();
  const [architecture, implied] = ARCHITECTURES[written] ?? [written];
  const variant = normaliseVariant(architecture, platform.variant?.toLowerCase() ?? implied ?? '');
  return {
    os: os === 'macos' ? 'darwin' : os,
    architecture,
    ...(variant !== '' && { variant }),
    ...(platform.osVersion !== undefined && platform.osVersion !== '' && { osVersion: platform.osVersion }),
  };
}

export function validatePlatform(text: string): Result<Platform, Problem> {
  const groups = TEXT.exec(text)?.groups;
  if (groups === undefined) {
    const wrong = text.search(/[^A-Za-z0-9_./()-]/);
    return refuse('a platform is os/architecture or os/architecture/variant', Math.max(0, wrong));
  }
  const { os = '', architecture = '', variant, osVersion } = groups;
  return ok(
    normalisePlatform({
      os,
      architecture,
      ...(variant !== undefined && { variant }),
      ...(osVersion !== undefined && { osVersion }),
    }),
  );
}

/** @throws InvalidPlatformError */
export function parsePlatform(text: string): Platform {
  const result = validatePlatform(text);
  if (!result.ok)
    throw new InvalidPlatformError(`parsing platform ${JSON.stringify(text)}: ${result.error.message}`);
  return result.value;
}

export function isValidPlatform(text: string): boolean {
  return validatePlatform(text).ok;
}

export function formatPlatform(platform: Platform): string {
  const osVersion = platform.osVersion === undefined ? '' : `(${platform.osVersion})`;
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  return `${platform.os}${osVersion}/${platform.architecture}${variant}`;
}

/**
 * Whether an image for `image` runs on `node`. A node that does not tell its variant (Kubernetes does not) takes
 * every arm variant, but of other architectures only the baseline; one that does takes its own and older ones.
 * A Windows image needs the node's build (first three numbers) where both tell it.
 */
export function platformMatches(node: Platform, image: Platform): boolean {
  const host = normalisePlatform(node);
  const wanted = normalisePlatform(image);
  if (host.os !== wanted.os || host.architecture !== wanted.architecture) return false;
  return variantFits(host, wanted) && osVersionFits(host.osVersion, wanted.osVersion);
}

function normaliseVariant(architecture: string, variant: string): string {
  const prefixed = /^[0-9]/.test(variant) ? `v${variant}` : variant;
  if (architecture === 'arm') return prefixed;
  return prefixed === BASELINE[architecture] ? '' : prefixed;
}

function variantFits(host: Platform, wanted: Platform): boolean {
  if (host.variant === undefined && host.architecture === 'arm') return true;
  return variantLevel(wanted) <= variantLevel(host);
}

function variantLevel({ architecture, variant }: Platform): number {
  const level = Number((variant ?? BASELINE[architecture] ?? 'v0').replace(/^v/, ''));
  return Number.isNaN(level) ? 0 : level;
}

function osVersionFits(host: string | undefined, wanted: string | undefined): boolean {
  if (host === undefined || wanted === undefined) return true;
  return buildOf(host) === buildOf(wanted);
}

function buildOf(osVersion: string): string {
  return osVersion.split('.').slice(0, 3).join('.');
}
