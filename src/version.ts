/** The version of this build, from package.json. */

import manifest from '../package.json' with { type: 'json' };

/** Of the package, and so of the image. */
export const VERSION: string = manifest.version;
/** As API servers and registries see us. */
export const USER_AGENT = `larder/${VERSION}`;
