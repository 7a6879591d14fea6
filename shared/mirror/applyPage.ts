import type { Held } from "../store/store.js";
import { isBraked } from "../sync/brake.js";
import { askOf } from "../sync/checkpoint.js";
import { isLeaving } from "../sync/due.js";
import type { Checkpoint, Step } from "../sync/types.js";
import type { PageMessage, SyncMessage } from "./messages.js";
import { nudged } from "./nudge.js";
import type { Ports } from "./ports.js";
import { logStep, stepOf, tooLargeUnit, unitOf, type Work, workOn } from "./turn.js";
import { type Counts, Walked } from "./walked.js";

/** How a chain of pages ended; `next` is the message that carries it on. */
export type PagesEnd = {
  readonly kind: "roundEnded" | "unfinished" | "stale" | "wait" | "park" | "lostFence" | "braked";
  readonly pages: number;
  readonly changes: number;
  readonly next: PageMessage | null;
};

/**
 * Walks a mailbox's round from its stored link: one page, one unit, the next page, until the deltaLink, or until this
 * invocation has had its share. A message that was overtaken does nothing (I9). A sync message starts a round, or goes on
 * with the one in hand, whatever the mailbox waits for: an operator has asked.
 */
export async function applyPage(message: PageMessage | SyncMessage, ports: Ports): Promise<PagesEnd> {
  const held = await ports.store.readMailbox(message.mailbox);
  const nowMs = ports.clock.nowMs();
  if (held === null || isLeaving(held.checkpoint)) return ended("stale");
  if (!("sync" in message) && !isAwaited(held.checkpoint, message, nowMs)) return ended("stale");
  if (isBraked(await ports.store.readBrake(), nowMs)) return ended("braked");
  return walk(held, nowMs + ports.limits.runMsMax, ports);
}

async function walk(first: Held, untilMs: number, ports: Ports): Promise<PagesEnd> {
  let work = workOn(first);
  let pages = 0;
  let changes = 0;
  let waits = 0;
  const walked = new Walked(ports.store);
  while (pages < ports.limits.pagesPerRunMax && ports.clock.nowMs() < untilMs) {
    const answer = await ports.graph.ask([askOf(work.from)]);
    walked.asked(answer);
    const [outcome] = answer.outcomes;
    if (outcome === undefined) throw new Error("Graph client gave no outcome for its only ask.");
    const step = stepOf(work, outcome, ports, null);
    const waitMs = shortWaitMs(step, work, ports);
    if (waitMs > 0 && waits < 3) {
      waits += 1;
      await ports.clock.sleep(waitMs);
      continue;
    }
    logStep(step, ports);
    if (step.kind === "restart") {
      work = { held: work.held, from: step.next, restarts: work.restarts + 1 };
      continue;
    }
    const moved = await commit(work, step, ports, walked);
    if (moved === "lostFence") return { kind: "lostFence", pages, changes, next: null }; // A twin is ahead: not an error.
    changes += moved.changes;
    if (step.kind !== "apply") return { kind: step.kind, pages, changes, next: null };
    if (moved.parked) return { kind: "park", pages, changes, next: null };
    pages += 1;
    if (step.ends) return { kind: "roundEnded", pages, changes, next: null };
    work = workOn(moved.held);
  }
  return { kind: "unfinished", pages, changes, next: pageMessageOf(work.held.checkpoint) };
}

/** A wait that is worth sitting out here: short, and for the same link again. Else 0. */
function shortWaitMs(step: Step, work: Work, ports: Ports): number {
  if (step.kind !== "wait" || step.next.link !== work.from.link) return 0;
  const waitMs = (step.next.notBeforeMs ?? 0) - ports.clock.nowMs();
  return waitMs <= ports.limits.shortWaitMsMax ? Math.max(0, waitMs) : 0;
}

type Moved = { readonly held: Held; readonly changes: number; readonly parked: boolean };

async function commit(work: Work, step: Step, ports: Ports, walked: Walked): Promise<Moved | "lostFence"> {
  const { rows, changes, ...unit } = await unitOf(step, work.from, ports);
  const next = walked.onto(unit.next, countsOf(step, changes));
  const result = await commitOne({ held: work.held, rows, next }, ports);
  if (result.kind === "lostFence") return "lostFence";
  if (result.kind === "tooLarge") {
    ports.log("error", "mailbox does not fit the table", { mailbox: next.mailboxId, why: result.why });
    const parked = walked.onto(tooLargeUnit(work.held, result.why, ports, null).next, countsOf(null, 0));
    const refused = await commitOne({ held: work.held, rows: [], next: parked }, ports);
    return refused.kind === "committed" ? { held: refused.held, changes: 0, parked: true } : "lostFence";
  }
  return { held: await nudged(result.held, ports), changes, parked: false };
}

/** What a step's commit counts as; null stands for a page that was refused. */
export function countsOf(step: Step | null, changes: number): Counts {
  const isPage = step?.kind === "apply";
  return { pages: isPage ? 1 : 0, rounds: isPage && step.ends ? 1 : 0, changes };
}

async function commitOne(unit: Parameters<Ports["store"]["commitUnits"]>[0][number], ports: Ports) {
  const [result] = (await ports.store.commitUnits([unit], null)).results;
  if (result === undefined) throw new Error("The store gave no result for its only unit.");
  return result;
}

/** The message that carries a round on, or null when the mailbox is not in mid-round. */
export function pageMessageOf(checkpoint: Checkpoint): PageMessage | null {
  const isWalking = checkpoint.phase === "full" || checkpoint.phase === "incremental";
  if (!isWalking || checkpoint.roundId === null) return null;
  return { mailbox: checkpoint.mailboxId, round: checkpoint.roundId, page: checkpoint.pageNumber };
}

function isAwaited(checkpoint: Checkpoint, message: PageMessage, nowMs: number): boolean {
  const awaited = pageMessageOf(checkpoint);
  if (awaited === null || checkpoint.parkedReason !== null || (checkpoint.notBeforeMs ?? 0) > nowMs) return false;
  return awaited.round === message.round && awaited.page === message.page;
}

function ended(kind: PagesEnd["kind"]): PagesEnd {
  return { kind, pages: 0, changes: 0, next: null };
}
