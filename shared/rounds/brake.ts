import type { Brake as GraphBrake } from "../graph/client.js";
import type { RoundsMessage } from "../messages.js";
import type { Held } from "../store/store.js";
import {
  type Brake,
  believed,
  isBraked,
  probed,
  probing,
  type Refusals,
  refused,
  suspected,
  throttled,
} from "../sync/brake.js";
import { askOf, startOver } from "../sync/checkpoint.js";
import { fraction, isDue } from "../sync/due.js";
import { isoOrNull } from "../sync/time.js";
import type { Outcome } from "../sync/types.js";
import type { Ports } from "./ports.js";

/**
 * Whether a run may ask Graph, and the brake as it stands then. Where the brake ends with a probe, one run of all asks
 * about one mailbox of its shard, and the answer decides for all.
 */
export async function passBrake(
  message: RoundsMessage,
  ports: Ports,
): Promise<{ readonly isOpen: boolean; readonly brake: Brake | null }> {
  const { store, clock } = ports;
  const stored = await store.readBrake();
  if (stored === null || !isBraked(stored, clock.nowMs())) return { isOpen: true, brake: stored };
  const brake = await trimmed(stored, ports);
  if (!isBraked(brake, clock.nowMs())) return { isOpen: true, brake };
  if (probing(brake, message.shard, clock.nowMs()) === null) return { isOpen: false, brake };
  const candidate = await candidateOf(message, brake, ports);
  if (candidate === null) return { isOpen: false, brake };
  const claimed = await store.changeBrake((now) => probing(now, message.shard, clock.nowMs()));
  if (claimed === null) return { isOpen: false, brake };
  const outcome = await probe(candidate, claimed.probesStart, ports);
  const after = await store.changeBrake((now) => (now === null ? null : probed(now, outcome, clock.nowMs())));
  const isOpen = !isBraked(after, clock.nowMs());
  if (isOpen)
    ports.log("info", "application answered again", { code: brake.codes.join(","), since: isoOrNull(brake.sinceMs) });
  return { isOpen, brake: after };
}

/** The brake without what a fast clock has added, which is cut in the table, for everybody. */
async function trimmed(brake: Brake, { store, clock, log }: Ports): Promise<Brake> {
  if (believed(brake, clock.nowMs()) === brake) return brake;
  const cut = await store.changeBrake((now) => {
    const next = now === null ? null : believed(now, clock.nowMs());
    return next === now ? null : next;
  });
  if (cut === null) return (await store.readBrake()) ?? brake;
  log("warn", "throttling cut short: it was raised by a fast clock", {
    was: isoOrNull(brake.untilMs),
    until: isoOrNull(cut.untilMs),
  });
  return cut;
}

/** Graph's answer for one mailbox. Nothing of it is stored: the mailbox's next round asks again. */
async function probe({ checkpoint }: Held, asksStart: boolean, { graph }: Ports): Promise<Outcome> {
  const ask = askOf(asksStart ? startOver(checkpoint, "reset") : checkpoint);
  const [outcome] = (await graph.ask([ask])).outcomes;
  if (outcome === undefined) throw new Error("Graph client gave no outcome for its only ask.");
  return outcome;
}

/**
 * The mailbox that is asked for all. Mailboxes of the shard take turns, so that none that is refused by itself stands in
 * the way for ever. The shard of the last probe leaves the next one to others, as by chance do shards where all were
 * refused, and takes the one after that if nobody did. Null: nobody is asked here.
 */
async function candidateOf({ shard, tick }: RoundsMessage, brake: Brake, ports: Ports): Promise<Held | null> {
  for await (const page of ports.store.readMailboxes(shard, { after: null, upTo: null })) {
    const nowMs = ports.clock.nowMs();
    const staying = page.filter(({ checkpoint }) => isDue(checkpoint, nowMs, tick, brake.codes));
    if (staying.length === 0) continue;
    const isClean = ({ checkpoint }: Held) =>
      checkpoint.parkedReason === null && !brake.codes.includes(checkpoint.lastErrorCode ?? "");
    const clean = staying.filter(isClean);
    // Where delta is not offered and the list was refused, only a mailbox that reads the list can show that this is over.
    const fallen = staying.filter((held) => held.checkpoint.strategy === "list" && !isClean(held));
    const rest = staying.filter((held) => !clean.includes(held) && !fallen.includes(held));
    const inTurn = [...fallen, ...clean, ...rest];
    if (brake.passedOn !== shard) {
      const wasLast = brake.probedBy === shard;
      const isPassingOn = wasLast || (clean.length === 0 && fraction(`${shard} ${tick}`) < 0.5);
      const isToNote = !wasLast || brake.passedOn === null; // The shard of the last probe does not overwrite what others noted.
      if (isPassingOn && isToNote) {
        await ports.store.changeBrake((now) =>
          now === null || probing(now, shard, nowMs) === null ? null : { ...now, passedOn: shard },
        );
      }
      if (isPassingOn) return null;
    }
    // Shards take turns too: with a plain remainder a shard would probe the same mailbox time after time.
    return inTurn[(brake.probes + Math.floor(brake.probes / inTurn.length)) % inTurn.length] ?? null;
  }
  return null;
}

/** Graph throttles the whole application: all instances leave it alone, an hour at most before one mailbox is asked. */
export async function raiseThrottled({ retryAfterMs, code }: GraphBrake, ports: Ports): Promise<void> {
  const { store, clock, limits, log } = ports;
  const askedMs = retryAfterMs ?? limits.brakeMsDefault;
  const raised = await store.changeBrake((now) => throttled(now, code, askedMs, clock.nowMs()));
  if (raised === null) return;
  log("warn", "application throttled", {
    code,
    until: isoOrNull(raised.untilMs),
    askedSeconds: Math.round(askedMs / 1000),
  });
}

/** Whether nearly all that this run has asked were refused alike: then it is the application's state, and logged as that. */
export async function raiseRefused(refusals: Refusals, ended: Brake["ended"], ports: Ports): Promise<boolean> {
  const { store, clock, limits, log } = ports;
  const shared = refusals.shared(ended, clock.nowMs());
  if (shared === null || shared.count < limits.refusedMin) return false;
  const raised = await store.changeBrake((now) => refused(now, shared.codes, clock.nowMs()));
  if (raised !== null) {
    log("error", "application refused", { code: raised.codes.join(","), until: isoOrNull(raised.untilMs) });
  }
  return true;
}

/** Adds up the refusals of runs that are too small to judge by themselves. True: with other shards there are enough. */
export async function suspect(refusals: Refusals, brake: Brake | null, ports: Ports): Promise<boolean> {
  const { store, clock, limits, log } = ports;
  if (refusals.answered > 0) {
    // Somebody is answered: the refusals of other shards were not the application's.
    if (brake?.suspected != null) {
      await store.changeBrake((now) => (now?.suspected == null ? null : { ...now, suspected: null }));
    }
    return false;
  }
  const shared = refusals.shared(brake?.ended ?? null, clock.nowMs());
  if (shared === null) return false;
  const next = await store.changeBrake((now) => suspected(now, shared, limits.refusedMin, clock.nowMs()));
  if (next === null || !isBraked(next, clock.nowMs())) return false;
  log("error", "application refused", { code: next.codes.join(","), until: isoOrNull(next.untilMs) });
  return true;
}
