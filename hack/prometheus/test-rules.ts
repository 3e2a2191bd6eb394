/** Checks the rules of config/prometheus with promtool and plays their tests on recorded series. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const CONFIG = join(import.meta.dirname, '../../config/prometheus');

interface PrometheusRule {
  readonly spec: { readonly groups: readonly unknown[] };
}

/** promtool reads the groups alone, not the object around them. */
export function testRules(promtool: string): number {
  const folder = mkdtempSync(join(tmpdir(), 'larder-rules-'));
  try {
    const rule = parse(readFileSync(join(CONFIG, 'prometheus-rule.yaml'), 'utf8')) as PrometheusRule;
    writeFileSync(join(folder, 'rules.yaml'), stringify({ groups: rule.spec.groups }));
    copyFileSync(join(CONFIG, 'tests.yaml'), join(folder, 'tests.yaml'));
    for (const args of [
      ['check', 'rules', 'rules.yaml'],
      ['test', 'rules', 'tests.yaml'],
    ]) {
      const { status } = spawnSync(promtool, args, { cwd: folder, stdio: 'inherit' });
      if (status !== 0) return status ?? 1;
    }
    return 0;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [promtool] = process.argv.slice(2);
if (promtool !== undefined) process.exitCode = testRules(promtool);
