/** Bundles the operator to dist/larder.js: one ES module, beside it its source map and the licences of what is in it. */

import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { bundledPackages, licenceList } from './licences.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Imports of the operator package that are replaced; everybody else gets the real modules. */
const SHIMS: Readonly<Record<string, string>> = {
  '@kubernetes/client-node': join(root, 'hack/bundle/client-node-shim.ts'),
  gaxios: join(root, 'hack/bundle/gaxios-shim.ts'),
};

const shimOperatorPackage: Plugin = {
  name: 'shim-operator-package',
  setup(builder) {
    builder.onResolve({ filter: /^(@kubernetes\/client-node|gaxios)$/ }, ({ importer, path }) => {
      const isPackage = importer.includes(`${sep}@dot-i${sep}k8s-operator${sep}`);
      const shim = SHIMS[path];
      return isPackage && shim !== undefined ? { path: shim } : undefined;
    });
  },
};

/** CommonJS dependencies call `require`, which an ES module does not have. */
const requireForCommonJs =
  "import { createRequire as createRequireForBundle } from 'node:module';\n" +
  'const require = createRequireForBundle(import.meta.url);';

export interface BundleOptions {
  readonly entry: string;
  readonly outfile: string;
}

/** Returns the bytes of the bundle by input file, for whoever wants to know what makes it large. */
export async function bundle(options: BundleOptions): Promise<ReadonlyMap<string, number>> {
  const { metafile } = await build({
    entryPoints: [options.entry],
    outfile: options.outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // An uncaught error prints its source line: minified, that is megabytes.
    minifySyntax: true,
    minifyWhitespace: false,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    legalComments: 'none',
    banner: { js: `#!/usr/bin/env node\n${requireForCommonJs}` },
    plugins: [shimOperatorPackage],
    logLevel: 'warning',
  });
  await chmod(options.outfile, 0o755);
  const [output] = Object.values(metafile.outputs).filter((each) => each.entryPoint !== undefined);
  return new Map(Object.entries(output?.inputs ?? {}).map(([path, input]) => [path, input.bytesInOutput]));
}

/** Builds beside the target and renames: whoever starts the bundle meanwhile gets the old one or the new one, whole. */
async function buildInPlace(target: string): Promise<ReadonlyMap<string, number>> {
  const folder = await mkdtemp(join(await ensureFolder(dirname(target)), '.build-'));
  try {
    const inputs = await bundle({
      entry: join(root, 'src/main.ts'),
      outfile: join(folder, basename(target)),
    });
    for (const suffix of ['.map', '']) {
      await rename(join(folder, basename(target) + suffix), target + suffix);
    }
    return inputs;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ensureFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

if (import.meta.main) {
  const inputs = await buildInPlace(join(root, 'dist/larder.js'));
  await writeFile(join(root, 'dist/LICENCES.txt'), licenceList(await bundledPackages(root, inputs)));
  const bytes = [...inputs.values()].reduce((sum, size) => sum + size, 0);
  process.stdout.write(`dist/larder.js: ${(bytes / 1e6).toFixed(1)} MB from ${inputs.size} files\n`);
}
