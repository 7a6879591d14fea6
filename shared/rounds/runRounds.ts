import { type Figures, figuresOf, RunTally } from "../figures/figures.js";
import type { AloneMessage, PageMessage, RoundsMessage } from "../messages.js";
import type { ShardLog, ShardRun } from "../store/shardRow.js";
import type { ShardClaim, Store } from "../store/store.js";
import { allEnded, askDue } from "./askDue.js";
import { passBrake, suspect } from "./brake.js";
import { Committer } from "./committer.js";
import { tellRest } from "./followMailbox.js";
import { resendNudges } from "./nudge.js";
import type { Ports } from "./ports.js";
import { Run } from "./run.js";
import { openRun } from "./takeOver.js";

/** How a run over a shard ended, and the messages that carry its work on. */
export type RunEnd = {
  /**
   * `done`: it got round the shard. `unfinished`: its time was over, `continuation` goes on. `braked`, `refused`: it asked
   * nobody, or not all, for a brake of that kind, and counted. `superseded`: another run has taken the shard over.
   * `finished`: the tick was done already. `busy`: the run before is at work, and was left alone. The last two write nothing.
   */
  readonly kind: "done" | "unfinished" | "braked" | "refused" | "superseded" | "finished" | "busy";
  readonly pages: readonly (PageMessage | AloneMessage)[];
  readonly continuation: RoundsMessage | null;
  readonly figures: Figures | null;
  /** Whether the change log has grown since subscribers were woken last: by this run, or by one before it that came to no end. */
  readonly hasLogged: boolean;
};

/**
 * Asks Graph for the first page of every mailbox of the shard that is due, and commits what it says, many mailboxes in
 * one transaction: `askDue` takes them in batches, `follow` takes each of them from there to its end. Bounded in time:
 * `continuation` goes on where this run stopped.
 * @throws the first fault, once nothing is left running. What was not committed stays due.
 */
export async function runRounds(message: RoundsMessage, ports: Ports): Promise<RunEnd> {
  const run = await startRun(message, ports);
  if (typeof run === "string") return nothing(run);
  const stopHeartbeat = startHeartbeat(run);
  try {
    await askAll(run);
    if (run.committer.isSuperseded) return superseded(run);
    for (const mailboxId of run.due.removing) await ports.store.purgeMailbox(mailboxId, { onlyLeaving: true });
    stopHeartbeat();
    await run.committer.drain(); // A heartbeat may be on its way, and the shard's row has one writer at a time.
    if (run.committer.isSuperseded) return superseded(run);
    return await endRun(run);
  } finally {
    stopHeartbeat();
    run.committer.close();
  }
}

/** Writes the run into the shard's row, which takes the shard over, or says why not. */
async function startRun(message: RoundsMessage, ports: Ports): Promise<Run | "superseded" | "finished" | "busy"> {
  const { store, clock, limits } = ports;
  const { shard } = message;
  const opened = await openShard(message, ports);
  if (opened.run === "busy") ports.log("info", "shard busy", { shard, tick: message.tick });
  if (typeof opened.run === "string") return opened.run;
  const gate = await passBrake(message, ports); // Braked, it counts only: the ring goes on at the next tick.
  const { run } = opened;
  const claim = await takeShard(shard, opened.current, run, ports);
  if (claim === "superseded") return "superseded";
  const figures = (await store.readFigures(message.shard)) ?? {};
  const committer = new Committer(store, claim, clock.after, limits.lingerMsMax);
  const started = new Run(message, new RunTally(figures, run, clock), committer, ports, gate.brake);
  if (!gate.isOpen) started.stop = gate.brake?.kind === "refused" ? "refused" : "braked";
  started.hasUntold = claim.row.log !== null && claim.row.log.nudgedNumber < claim.row.log.number;
  if (claim.row.log !== null) await resendNudges(shard, claim.row.log, started.nudges, ports);
  return started;
}

/** Each attempt loses only to a page message that has logged what it changed, and takes no shard over. */
const takesMax = 10;

async function takeShard(
  shard: string,
  read: ShardClaim | null,
  run: ShardRun,
  { store }: Ports,
): Promise<ShardClaim | "superseded"> {
  let current = read;
  for (let attempt = 0; attempt < takesMax; attempt++) {
    const log = current?.row.log ?? (await logFound(shard, store));
    const claim = await store.writeShardRow({ shard, row: { run, log }, etag: current?.etag ?? null });
    if (claim !== "superseded") return claim;
    const now = await store.readShardRow(shard);
    if (now === null || now.row.run?.runId !== current?.row.run?.runId) return "superseded";
    if (now.row.run?.seenMs !== current?.row.run?.seenMs) return "superseded"; // That run goes on.
    current = now;
  }
  return "superseded";
}

/** The log of a shard whose row does not say where it stands: there is none, or an earlier release was here meanwhile. */
async function logFound(shard: string, store: Store): Promise<ShardLog> {
  const number = await store.lastLogNumber(shard);
  return { number, nudgedNumber: number };
}

/**
 * Looks at a run that is in hand until it makes progress, ends, or is old: the tick after a host was killed need not wait
 * for another tick.
 */
async function openShard(message: RoundsMessage, ports: Ports) {
  const { store, clock, limits } = ports;
  let first: string | null = null;
  for (let looks = 1; ; looks++) {
    const current = await store.readShardRow(message.shard);
    const held = current?.row.run ?? null;
    const run = openRun(held, message, ports.newId(), clock.nowMs(), limits.runYoungMs);
    const now = `${held?.runId} ${held?.seenMs}`;
    first ??= now;
    if (run !== "busy" || now !== first || looks > limits.busyLooksMax) return { current, run };
    await clock.sleep(limits.runYoungMs / limits.busyLooksMax);
  }
}

/**
 * Reports from time to time that the run is alive, and what it has counted (I7), in the shard's rows. Without progress
 * there is nothing to report, and the next tick takes over. @returns What stops it.
 */
function startHeartbeat(run: Run): () => void {
  const { clock, limits } = run.ports;
  let callOff: () => void;
  const beat = () => {
    callOff = clock.after(limits.heartbeatMs, () => {
      beat();
      if (run.hasProgressed) run.committer.report(() => run.report());
    });
  };
  beat();
  return () => callOff();
}

/** Asks about all that are due, again where mailboxes were given back meanwhile, and lets each go on to its end. */
async function askAll(run: Run): Promise<void> {
  do {
    const askers = Array.from({ length: run.ports.limits.batchesInFlightMax }, () => askDue(run));
    // Even when one failed: what the others have in hand is committed first.
    await allEnded(askers).finally(() => run.drain());
  } while (!run.isOver && run.due.hasReady); // An audit that follows its round is given back at the commit.
}

/** Writes the shard's row and its figures for the last time, under the claim. */
async function endRun(run: Run): Promise<RunEnd> {
  const { message, tally, committer, due } = run;
  const { clock, store, log } = run.ports;
  const { shard, tick } = message;
  if (run.stop === null && (await suspect(run.refusals, run.brake, run.ports))) run.stop = "refused";
  const kind = run.stop ?? "done";
  const reached = due.moveCursor(); // Before the figures: it counts the mailboxes that it moves over.
  if (kind === "braked" || kind === "refused") {
    await due.skipRest(); // They are counted all the same.
    tellRest(run);
    await run.drain();
  }
  const isDone = kind === "done";
  const position = isDone ? { cursor: null, from: null, wrapped: false } : reached;
  const figures = figuresOf(tally, store, kind, position);
  // A braked run hands nothing on: the next tick goes on at once.
  const seenMs = kind === "unfinished" ? clock.nowMs() : null;
  const { log: stands } = committer.claim.row;
  const row = {
    run: { ...tally.run, ...position, finishedMs: isDone ? clock.nowMs() : null, seenMs },
    log: stands === null ? null : run.nudges.standing(stands),
  };
  const written = await store.writeShardRow({ ...committer.claim, row, figures: figures.stored });
  if (written === "superseded") return superseded(run);
  log("info", `shard ${kind}`, { shard, ...figures.logged });
  const continuation = kind === "unfinished" ? { shard, tick, run: tally.run.runId } : null;
  return { kind, pages: run.pages, continuation, figures, hasLogged: run.hasLogged };
}

function superseded(run: Run): RunEnd {
  return { ...nothing("superseded"), pages: run.pages, hasLogged: run.hasLogged };
}

function nothing(kind: RunEnd["kind"]): RunEnd {
  return { kind, pages: [], continuation: null, figures: null, hasLogged: false };
}
