import type { Status } from "./api.js";
import { clockTime, mirrorNowMs } from "./times.js";

/** What was asked for here and has not shown yet, so that nobody asks twice. It is forgotten once a tick has begun and ended since. */

const asked = new Map<string, { readonly atMs: number; readonly text: string }>();

/** @param what A state with its reason, or a mailbox. */
export function noteAsked(what: string, text: string): void {
  asked.set(what, { atMs: mirrorNowMs(), text });
}

/** What to say instead of a button; null: nothing is on its way. */
export function askedFor(what: string): string | null {
  return asked.get(what)?.text ?? null;
}

/** A tick that began after the request has ended in some shard: whoever is still in need is so by its answer. */
export function forgetAnswered({ activity }: Status): void {
  const startedMs = Date.parse(activity.ticks.at(-1)?.started ?? "");
  for (const [what, { atMs }] of asked) if (startedMs > atMs) asked.delete(what);
}

/** When the next tick reads what was released, which the page calls retried: `Retrying at 17:20`. */
export function retryText({ ticks, brake, application }: Status): string {
  const untilMs = Date.parse((application ?? brake).until ?? "");
  if (untilMs > mirrorNowMs())
    return application === null
      ? `Noted: the whole application is throttled until ${clockTime(untilMs)}`
      : `Noted: one mailbox is tried at ${clockTime(untilMs)}, and if it is answered, all are`;
  const nextMs = Date.parse(ticks.newest ?? "") + (ticks.intervalSeconds ?? Number.NaN) * 1000;
  return nextMs > mirrorNowMs() ? `Retrying at ${clockTime(nextMs)}` : "Retrying with the next tick";
}
