/** config/prometheus and docs/metrics.md speak of metrics that there are; rules have pages and tests. `make rules-test` plays them. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { allMetrics, type DescribedMetric } from '../support/all-metrics.ts';

const ROOT = join(import.meta.dirname, '../..');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string;
      readonly exp_alerts: readonly unknown[];
    }[];
  }[];
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

const { spec } = parse(read('config/prometheus/prometheus-rule.yaml')) as {
  readonly spec: { readonly groups: readonly { readonly rules: readonly Rule[] }[] };
};
const rules = spec.groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

let metrics: readonly DescribedMetric[];
let known: ReadonlySet<string>;

beforeAll(async () => {
  metrics = await allMetrics();
  const records = rules.flatMap(({ record }) => record ?? []);
  const names = metrics.flatMap(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  known = new Set([...names, ...records]);
});

/** Names of metrics in a PromQL expression; every one of ours has one of these prefixes. */
function metricsIn(expr: string): readonly string[] {
  return expr.match(/\b(?:larder|controller_runtime|workqueue|rest_client|leader_election)[\w:]+/g) ?? [];
}

describe('docs/metrics.md', () => {
  it('lists every metric, with its type, labels and meaning, and no other', () => {
    const rows = metrics.map(
      ({ name, type, labels, help }) =>
        `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
    );
    const shown = read('docs/metrics.md')
      .split('\n')
      .filter((line) => /^\| `/.test(line));
    expect(shown).toEqual(rows);
  });
});

describe('the rules', () => {
  it.each(rules.map((rule) => [rule.alert ?? rule.record ?? '', rule] as const))(
    '%s uses metrics that there are',
    (_name, { expr }) => {
      const used = metricsIn(expr);
      expect(used).not.toEqual([]);
      expect(used.filter((name) => !known.has(name))).toEqual([]);
    },
  );

  it.each(alerts.map((rule) => [rule.alert ?? '', rule] as const))(
    '%s says how bad it is, and has a page',
    (name, rule) => {
      expect(['warning', 'critical']).toContain(rule.labels?.['severity']);
      expect(rule.annotations?.['summary']).toMatch(/\.$/);
      expect(rule.annotations?.['runbook_url']).toBe(
        `https://github.com/larder-dev/larder/blob/main/docs/runbooks/${name}.md`,
      );
      expect(existsSync(join(ROOT, `docs/runbooks/${name}.md`))).toBe(true);
      expect(read('docs/runbooks/README.md')).toContain(`[${name}](${name}.md)`);
    },
  );

  it.each(alerts.map(({ alert = '' }) => alert))('%s has a test in which it fires', (name) => {
    const { tests } = parse(read('config/prometheus/tests.yaml')) as RuleTests;
    const played = tests
      .flatMap(({ alert_rule_test: cases = [] }) => cases)
      .filter(({ alertname }) => alertname === name);
    expect(played.some(({ exp_alerts }) => exp_alerts.length > 0)).toBe(true);
  });
});

describe('the dashboard', () => {
  const dashboard = JSON.parse(read('config/prometheus/larder.json')) as {
    readonly panels: readonly {
      readonly title: string;
      readonly targets?: readonly { readonly expr: string }[];
    }[];
  };

  it.each(dashboard.panels.map((panel) => [panel.title, panel] as const))(
    'shows under %s what there is',
    (_title, { targets = [] }) => {
      const used = targets.flatMap(({ expr }) => metricsIn(expr));
      expect(used).not.toEqual([]);
      expect(used.filter((name) => !known.has(name))).toEqual([]);
    },
  );
});
