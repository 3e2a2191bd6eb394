/** The files that pages load: named with a version, so that browsers keep them until they change. */

import { createHash } from 'node:crypto';
import { type Representation, representationOf } from '../representation.ts';
import { ICON } from './icon.ts';
import { LIVE_SCRIPT } from './live-script.ts';
import { STYLE } from './style.ts';

/** By file name below /assets. */
export const ASSETS: ReadonlyMap<string, Representation> = new Map([
  ['style.css', representationOf(STYLE, 'text/css; charset=utf-8')],
  ['live.js', representationOf(LIVE_SCRIPT, 'text/javascript; charset=utf-8')],
  ['icon.svg', representationOf(ICON, 'image/svg+xml')],
]);

/** Part of the URLs, so that browsers may keep assets for ever. */
export const ASSET_VERSION = createHash('sha256')
  .update(STYLE + LIVE_SCRIPT + ICON)
  .digest('hex')
  .slice(0, 12);
