/** How the verbs that ask a registry reach it: a docker config, a CA file, plain http. */

import type { Command } from 'commander';

import { buildAccess, type RegistryAccess } from '../registry/access.ts';
import { isRegistryError, registryReason } from '../registry/errors.ts';
import { emptyKeychain, joinKeychains, type Keychain, parseDockerConfig } from '../registry/keychain.ts';
import { type Cloud, openCloudKeychains, readCloudSettings } from '../registry/providers/cloud.ts';
import { REGISTRY_ADVICE } from '../registry/reasons.ts';
import { badInput, CliError, type CliIo } from './io.ts';

/** Flags of every verb that asks a registry. */
export interface RegistryFlags {
  readonly dockerConfig?: string;
  readonly caFile?: string;
  readonly plainHttp?: true;
}

/** Adds what `RegistryFlags` holds. */
export function withRegistryOptions(command: Command): Command {
  return command
    .option(
      '--docker-config <path>',
      'credentials; without, $DOCKER_CONFIG or ~/.docker/config.json if it is there',
    )
    .option('--ca-file <path>', 'PEM certificates to trust besides the usual ones')
    .option('--plain-http', 'speak http instead of https to the registry');
}

/** What the ImageSource itself says of the way to its registry. */
export interface SpecAccess {
  readonly plainHTTP?: boolean;
  /** The cloud whose identity this process has, if any. */
  readonly provider?: Cloud | 'None';
}

export async function openAccess(
  io: CliIo,
  flags: RegistryFlags,
  spec: SpecAccess = {},
): Promise<RegistryAccess> {
  const { plainHTTP = false, provider = 'None' } = spec;
  const ca = flags.caFile === undefined ? undefined : await io.readFile(flags.caFile);
  const own = await readKeychain(io, flags.dockerConfig);
  return buildAccess({
    credentials: provider === 'None' ? own : joinKeychains([own, cloudKeychain(io, provider)]),
    plainHTTP: flags.plainHttp ?? plainHTTP,
    ...(ca !== undefined && { ca }),
  });
}

function cloudKeychain({ environment, clock }: CliIo, cloud: Cloud): Keychain {
  return openCloudKeychains(readCloudSettings(environment), clock)[cloud];
}

/** What went wrong at the registry, and what to do about it. */
export function registryFailure(error: unknown): unknown {
  if (!isRegistryError(error)) return error;
  return new CliError(`${error.message}\n${REGISTRY_ADVICE[registryReason(error)]}`);
}

async function readKeychain(io: CliIo, path: string | undefined): Promise<Keychain> {
  const { DOCKER_CONFIG: folder, HOME: home = '' } = io.environment;
  const usual = folder === undefined ? `${home}/.docker/config.json` : `${folder}/config.json`;
  const text = path === undefined ? await io.readFile(usual).catch(() => undefined) : await io.readFile(path);
  if (text === undefined) return emptyKeychain;
  const parsed = parseDockerConfig(text);
  if (!parsed.ok) throw badInput(path ?? usual, parsed.error);
  return parsed.value;
}
