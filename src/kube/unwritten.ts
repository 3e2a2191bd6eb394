/** What passes have found out and could not write: the next pass begins with it, upon what is stored by then. */

import { isEqual } from '../json.ts';
import type { CommonStatus, Draft } from './conclusion.ts';
import { type Condition, findCondition } from './condition.ts';
import { formatKey, type KubeObject, keyOf, type ObjectKey } from './resource.ts';
import { startDraft } from './status-writer.ts';

interface Finding<S> {
  /** Of the object: a successor of the same name has been looked at by nobody. */
  readonly uid: string | undefined;
  /** What was stored when the pass began. */
  readonly base: S | undefined;
  readonly draft: Draft<S>;
}

type Holder<S> = KubeObject & { readonly status?: S | undefined };

export class UnwrittenStatuses<S extends CommonStatus> {
  readonly #ownedConditions: readonly string[];
  readonly #findings = new Map<string, Finding<S>>();

  constructor(ownedConditions: readonly string[]) {
    this.#ownedConditions = ownedConditions;
  }

  /** `draft` is what a pass has made of the status of `object`; the pass may go on editing it. */
  note(object: Holder<S>, draft: Draft<S>): void {
    const { uid } = object.metadata;
    this.#findings.set(formatKey(keyOf(object)), { uid, base: object.status, draft });
  }

  forget(key: ObjectKey): void {
    this.#findings.delete(formatKey(key));
  }

  /** A copy of the stored status to edit, with what the last pass has changed in it and could not write. */
  startDraft(object: Holder<S>): Draft<S> {
    const stored = startDraft<S>(object.status, this.#ownedConditions);
    const finding = this.#findings.get(formatKey(keyOf(object)));
    if (finding === undefined || finding.uid !== object.metadata.uid) return stored;
    const base = startDraft<S>(finding.base, this.#ownedConditions);
    return structuredClone(repeat(stored, base, finding.draft));
  }
}

/** The stored status may be newer than what the pass began with: what the pass did not change is not its to say. */
function repeat<S extends CommonStatus>(stored: Draft<S>, base: Draft<S>, draft: Draft<S>): Draft<S> {
  const fields = Object.keys({ ...base, ...draft }) as (keyof S)[];
  const changed = fields.filter((field) => !isEqual(base[field], draft[field]));
  const next: Draft<S> = { ...stored };
  for (const field of changed) next[field] = draft[field];
  (next as Draft<CommonStatus>).conditions = repeatConditions(stored, base, draft);
  return next;
}

function repeatConditions(
  stored: CommonStatus,
  base: CommonStatus,
  draft: CommonStatus,
): readonly Condition[] {
  const said = (draft.conditions ?? []).map((condition) =>
    isEqual(findCondition(base, condition.type), condition)
      ? findCondition(stored, condition.type)
      : condition,
  );
  const others = (stored.conditions ?? []).filter(
    ({ type }) => findCondition(base, type) === undefined && findCondition(draft, type) === undefined,
  );
  return [...said.filter((condition) => condition !== undefined), ...others];
}
