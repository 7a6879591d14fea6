import { countsOf, PendingCounters } from "../figures/counters.js";
import type { AloneMessage, PageMessage, SyncMessage } from "../messages.js";
import type { Held } from "../store/store.js";
import { isBraked } from "../sync/brake.js";
import { askOf } from "../sync/checkpoint.js";
import { afterAlone, auditOf, isInHandAlone, isLeaving, prepared } from "../sync/due.js";
import type { Checkpoint, Step } from "../sync/types.js";
import { logNow } from "./logNow.js";
import type { Ports } from "./ports.js";
import { commitOne, logStep, stepOf, tooLargeUnit, unitOf, type Work, workOn } from "./step.js";

/** How a chain of pages ended; `next` is the message that carries it on. */
export type PagesEnd = {
  readonly kind: "roundEnded" | "unfinished" | "stale" | "wait" | "park" | "lostFence" | "braked";
  readonly pages: number;
  readonly changes: number;
  readonly next: PageMessage | null;
  /** Whether the change log has told of it. */
  readonly hasLogged: boolean;
};

/**
 * Goes on with a mailbox's round from its stored link: one page, one unit, the next page, until the deltaLink, or until this
 * invocation has had its share. A message that was overtaken does nothing (I9). A sync message starts a round, or goes on
 * with the one in hand, whatever the mailbox waits for: an operator has asked. A slow mailbox that a run has handed over is
 * asked as the run would have asked it, and waited for.
 */
export async function applyPage(message: PageMessage | SyncMessage | AloneMessage, ports: Ports): Promise<PagesEnd> {
  const held = await ports.store.readMailbox(message.mailbox);
  const nowMs = ports.clock.nowMs();
  if (held === null || isLeaving(held.checkpoint)) return ended("stale");
  if (!("sync" in message) && !isAwaited(held.checkpoint, message, nowMs)) return ended("stale");
  if ("sync" in message && held.checkpoint.generation > (message.generation ?? Infinity)) return ended("stale");
  if (isBraked(await ports.store.readBrake(), nowMs)) return ended("braked");
  const untilMs = nowMs + ports.limits.runMsMax;
  if ("alone" in message) return askPages(workOn(held, prepared(held.checkpoint, nowMs)), untilMs, ports);
  if (!("sync" in message) || held.checkpoint.phase !== "initial") return askPages(workOn(held), untilMs, ports);
  const claimed = await claimOpening(message, held, ports);
  return typeof claimed === "string" ? ended(claimed) : askPages(workOn(claimed), untilMs, ports);
}

/** Our choice: longer than the first page of a full round takes; a crash meanwhile costs no more than that and a tick. */
const claimMs = 30_000;

/** Our choice: a run has most mailboxes in hand for less than that. */
const looksAtRunMax = 3;

/**
 * Keeps ticks away from a mailbox whose full round is about to be opened by hand: else both would open one, and the fence
 * would refuse one of the two after it was asked (I9). A run in progress may have the mailbox in hand: it gets a moment first.
 */
async function claimOpening(message: SyncMessage, first: Held, ports: Ports): Promise<Held | "stale" | "lostFence"> {
  const { store, clock, limits } = ports;
  let held = first;
  for (let look = 0; look < looksAtRunMax; look++) {
    const run = (await store.readShardRow(store.shardOf(message.mailbox)))?.row.run ?? null;
    if (run === null || run.finishedMs !== null) break;
    await clock.sleep(limits.shortWaitMsMax);
    const now = await store.readMailbox(message.mailbox);
    if (now === null || isLeaving(now.checkpoint) || now.checkpoint.phase !== "initial") return "stale";
    held = now;
  }
  const notBeforeMs = Math.max(held.checkpoint.notBeforeMs ?? 0, clock.nowMs() + claimMs);
  const result = await commitOne({ held, rows: [], next: { ...held.checkpoint, notBeforeMs } }, ports);
  return result.kind === "committed" ? result.held : "lostFence";
}

/** Asks for one page after the other and commits each, until the round or this invocation's share is over. */
async function askPages(first: Work, untilMs: number, ports: Ports): Promise<PagesEnd> {
  let work = first;
  let pages = 0;
  let changes = 0;
  let waits = 0;
  const counters = new PendingCounters(ports.store);
  let audit: Checkpoint | null = null; // Has to follow its round at once: later it would take new changes for drift.
  while (audit !== null || (pages < ports.limits.pagesPerRunMax && ports.clock.nowMs() < untilMs)) {
    audit = null;
    const askedMs = ports.clock.nowMs();
    const answer = await ports.graph.ask([askOf(work.from)]);
    const tookMs = ports.clock.nowMs() - askedMs;
    counters.asked(answer);
    const [outcome] = answer.outcomes;
    if (outcome === undefined) throw new Error("Graph client gave no outcome for its only ask.");
    const step = stepOf(work, outcome, ports, null);
    const waitMs = shortWaitMs(step, work, ports);
    // What an answer says that took long is committed first: time may be up after the next one.
    if (waitMs > 0 && waits < 3 && tookMs <= ports.limits.shortWaitMsMax) {
      waits += 1;
      await ports.clock.sleep(waitMs);
      continue;
    }
    logStep(step, ports);
    if (step.kind === "restart") {
      work = { held: work.held, from: step.next, restarts: work.restarts + 1 };
      continue;
    }
    const moved = await commit(work, step, tookMs, ports, counters);
    if (moved === "lostFence") return { kind: "lostFence", pages, changes, next: null, hasLogged: false }; // A twin is ahead: not an error.
    changes += moved.changes;
    if (moved.step.kind === "wait" || moved.step.kind === "park") {
      return { kind: moved.step.kind, pages, changes, next: null, hasLogged: false };
    }
    pages += 1;
    audit = moved.audit;
    if (step.kind === "apply" && step.ends && audit === null) {
      const hasLogged = await logNow(moved.held, counters, ports);
      return { kind: "roundEnded", pages, changes, next: null, hasLogged };
    }
    work = workOn(moved.held, audit ?? moved.held.checkpoint);
  }
  return { kind: "unfinished", pages, changes, next: pageMessageOf(work.held.checkpoint), hasLogged: false };
}

/** A wait that is worth sitting out here: short, and for the same link again. Else 0. */
function shortWaitMs(step: Step, work: Work, ports: Ports): number {
  if (step.kind !== "wait" || step.next.link !== work.from.link) return 0;
  const waitMs = (step.next.notBeforeMs ?? 0) - ports.clock.nowMs();
  return waitMs <= ports.limits.shortWaitMsMax ? Math.max(0, waitMs) : 0;
}

type Moved = {
  /** The step that was taken: a wait or a park in place of a page that could not be read with its rows, or stored. */
  readonly step: Step;
  readonly held: Held;
  readonly changes: number;
  /** The audit that follows the round. Only for a slow mailbox: others are audited by runs. */
  readonly audit: Checkpoint | null;
};

async function commit(
  work: Work,
  step: Step,
  tookMs: number,
  ports: Ports,
  counters: PendingCounters,
): Promise<Moved | "lostFence"> {
  const {
    step: taken,
    unit: { rows, changes, ...unit },
  } = await unitOf(step, work, ports, null);
  const isRoundOver = taken.kind === "apply" && taken.ends;
  const isAlone = unit.next.aloneUntilMs !== null;
  const audit = isRoundOver && isAlone ? auditOf(unit.next, ports.clock.nowMs(), ports.auditMs) : null;
  const goesOn = taken.kind === "apply" && (!taken.ends || audit !== null);
  const alone = afterAlone(unit.next, ports.clock.nowMs(), tookMs, goesOn);
  const next = counters.onto(alone, countsOf(taken, changes));
  const result = await commitOne({ held: work.held, rows, next }, ports);
  if (result.kind === "tooLarge") {
    ports.log("error", "mailbox does not fit the table", { mailbox: next.mailboxId, why: result.why });
    const parked = counters.onto(tooLargeUnit(work.held, result.why, ports, null).next, countsOf(null, 0));
    const refused = await commitOne({ held: work.held, rows: [], next: parked }, ports);
    const step = { kind: "park", next: parked } as const;
    return refused.kind === "committed" ? { step, held: refused.held, changes: 0, audit: null } : "lostFence";
  }
  return result.kind === "committed" ? { step: taken, held: result.held, changes, audit } : "lostFence";
}

/** The message that carries a round on, or null when the mailbox is not in mid-round. */
function pageMessageOf(checkpoint: Checkpoint): PageMessage | null {
  const isWalking = checkpoint.phase === "full" || checkpoint.phase === "incremental";
  if (!isWalking || checkpoint.roundId === null) return null;
  return { mailbox: checkpoint.mailboxId, round: checkpoint.roundId, page: checkpoint.pageNumber };
}

function isAwaited(checkpoint: Checkpoint, message: PageMessage | AloneMessage, nowMs: number): boolean {
  const { parkedReason, notBeforeMs } = checkpoint;
  if ((notBeforeMs ?? 0) > nowMs) return false;
  // A run hands a parked mailbox over when it is to be looked at again.
  if (parkedReason !== null && !("alone" in message && notBeforeMs !== null)) return false;
  return isFor(checkpoint, message);
}

/** Whether the mailbox still stands where it stood when the message was sent (I9). */
export function isFor(checkpoint: Checkpoint, message: PageMessage | AloneMessage): boolean {
  if ("alone" in message) return checkpoint.aloneUntilMs === message.alone;
  const awaited = pageMessageOf(checkpoint);
  return awaited !== null && awaited.round === message.round && awaited.page === message.page;
}

/** The message that follows a run's commit of a mailbox: for its next page, or for all of it where it was handed over. */
export function messageOf(checkpoint: Checkpoint, nowMs: number): PageMessage | AloneMessage | null {
  const { mailboxId, aloneUntilMs, failuresInARow } = checkpoint;
  if (aloneUntilMs !== null && isInHandAlone(checkpoint, nowMs)) return { mailbox: mailboxId, alone: aloneUntilMs };
  return failuresInARow === 0 ? pageMessageOf(checkpoint) : null;
}

function ended(kind: PagesEnd["kind"]): PagesEnd {
  return { kind, pages: 0, changes: 0, next: null, hasLogged: false };
}
