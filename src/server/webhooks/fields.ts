/** Bounded pieces that payload schemas are made of: events of real registries are far below these limits. */
import * as z from 'zod';

const REPOSITORY_MAX = 512;
const ID_MAX = 256;
/** A push of everything a repository has comes in envelopes; nobody sends more in one. */
const EVENTS_MAX = 1_000;

export const repository = z.string().min(1).max(REPOSITORY_MAX);
/** Checked by the tag grammar afterwards. */
export const tag = z.string().max(256).nullish();
export const digest = z.string().max(256).nullish();
export const eventId = z.string().max(ID_MAX).optional();
export const time = z.string().max(64).optional();

/** At most as many as one delivery may hold. */
export function events<T extends z.ZodType>(event: T): z.ZodArray<T> {
  return z.array(event).max(EVENTS_MAX);
}
