/** The repositories of the demo: what a notebook platform and its tools look like in a registry. */

import { ImageWriter } from '../dev-cluster/image-writer.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];

/** Tag, and the aliases that share its digest. */
const LAB: readonly (readonly [tag: string, ...aliases: string[]])[] = [
  ['r28_0_0'],
  ['r29_0_1'],
  ['r29_1_0_rc1'],
  ['w_2026_44'],
  ['w_2026_45'],
  ['w_2026_46'],
  ['w_2026_47', 'latest_weekly', 'recommended'],
  ['d_2026_11_18'],
  ['d_2026_11_19'],
  ['d_2026_11_20'],
  ['d_2026_11_21', 'latest_daily'],
  ['exp_w_2026_46_faster'],
];

const PROXY: readonly string[] = ['0.9.0', '1.2.0', '1.3.0', '2.0.0-rc.1', '2.0.0', '3.0.0-beta.1'];

/** Pushes everything through the registry's HTTP API; returns how many tags there are. */
export async function fillRegistry(host: string): Promise<number> {
  const lab = new ImageWriter(host, 'sciplat/lab');
  for (const [tag, ...aliases] of LAB) await lab.push({ seed: tag, platforms: PLATFORMS }, [tag, ...aliases]);
  const proxy = new ImageWriter(host, 'tools/proxy');
  for (const tag of PROXY) await proxy.push({ seed: `proxy ${tag}` }, [tag]);
  return LAB.flat().length + PROXY.length;
}

/** The nightly build of the demo: a new weekly, which `latest_weekly` moves to. */
export async function pushNewWeekly(host: string): Promise<void> {
  const lab = new ImageWriter(host, 'sciplat/lab');
  await lab.push({ seed: 'w_2026_48', platforms: PLATFORMS }, ['w_2026_48', 'latest_weekly']);
}
