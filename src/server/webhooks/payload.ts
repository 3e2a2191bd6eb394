/** From the body of a request to pushes: which vendor's format it is, and what it says. */

import { err, ok, type Result } from '../../domain/result.ts';
import { parseJSON } from '../../json.ts';
import { amazon } from './amazon.ts';
import { azure, azureCloudEvents } from './azure.ts';
import { distribution } from './distribution.ts';
import { dockerHub } from './docker-hub.ts';
import type { HeaderReader, PayloadFormat, Vendor } from './format.ts';
import { github } from './github.ts';
import { google } from './google.ts';
import { harborCloudEvents, harborDefault } from './harbor.ts';
import type { Push } from './push.ts';
import { quay } from './quay.ts';

/** The first that recognises a payload reads it: known by a header or a type before guessed by a field. */
export const FORMATS: readonly PayloadFormat[] = [
  github,
  harborCloudEvents,
  azureCloudEvents,
  harborDefault,
  distribution,
  dockerHub,
  quay,
  amazon,
  google,
  azure,
];

/** What a request told. */
export interface Delivery {
  readonly vendor: Vendor;
  /** Possibly none: pings, pulls, deletions and blobs are understood and concern no tag. */
  readonly pushes: readonly Push[];
}

/** The pushes, or a sentence that says which fields were expected. `text` is the body as it came. */
export function readPayload(text: string, headers: HeaderReader): Result<Delivery> {
  const payload = parseJSON(text);
  if (payload === undefined) return err('the body is not JSON');
  const format = FORMATS.find((candidate) => candidate.recognises(payload, headers));
  if (format === undefined) return err(`no known format: expected one of ${expectations()}`);
  const pushes = format.read(payload);
  if (!pushes.ok) return err(`${pushes.error}; expected ${format.expects}`);
  return ok({ vendor: format.vendor, pushes: pushes.value });
}

function expectations(): string {
  return FORMATS.map(({ vendor, expects }) => `${expects} (${vendor})`).join('; ');
}
