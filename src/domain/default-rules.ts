/** What a source without rules selects: RSP as its original does, everything else the newest stable version. */

import { NO_BOUNDS } from './display.ts';
import type { RuleSpec } from './selection-spec.ts';
import type { GrammarName } from './tag/grammar.ts';
import type { TagType } from './tag/tag.ts';

export function defaultRules(grammar: GrammarName): readonly RuleSpec[] {
  if (grammar !== 'RSP') return [newestOf('stable', 'release', 1)];
  return [
    newestOf('releases', 'release', 1),
    newestOf('weeklies', 'weekly', 2),
    newestOf('dailies', 'daily', 3),
  ];
}

function newestOf(name: string, type: TagType, newest: number): RuleSpec {
  return { name, selector: { kind: 'type', type }, newest, maxAgeMs: null, minAgeMs: null, since: NO_BOUNDS };
}
