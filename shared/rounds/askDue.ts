import { askOf } from "../sync/checkpoint.js";
import type { Ask, Outcome } from "../sync/types.js";
import { raiseRefused, raiseThrottled } from "./brake.js";
import type { DueWork } from "./dueMailboxes.js";
import { type Finding, follow, handOver, tellRest } from "./followMailbox.js";
import type { Run } from "./run.js";

/** Asks Graph about one batch after the other, until nobody is due or the run is over. Several do so at once. */
export async function askDue(run: Run): Promise<void> {
  for (;;) {
    const batch = await nextBatch(run);
    if (batch === null) return;
    if (batch.length > 0) await ask(batch, run);
  }
}

/** The next mailboxes that are due, without those known to be slow, which are handed over. Null: there are none. */
async function nextBatch(run: Run): Promise<readonly DueWork[] | null> {
  const { limits, clock, batchSize } = run.ports;
  if (run.committer.waiting >= limits.uncommittedMax) await run.committer.room();
  if (run.isOver) return null;
  if (clock.nowMs() >= run.untilMs) {
    run.stop = "unfinished";
    return null;
  }
  const works = await run.due.next(batchSize);
  tellRest(run);
  if (works.length === 0) return null;
  const isKnownSlow = ({ held }: DueWork) => held.checkpoint.aloneUntilMs !== null;
  for (const work of works.filter(isKnownSlow)) handOver(work, run);
  return works.filter((work) => !isKnownSlow(work));
}

/** Asks about one batch. Each answer is followed as soon as it has come; resolves once all of them are on their way. */
async function ask(batch: readonly DueWork[], run: Run): Promise<void> {
  const { ports } = run;
  const works = new Map(batch.map((work) => [askOf(work.from), work]));
  const followed = new Map<DueWork, Promise<Finding>>();
  const take = (asked: Ask, outcome: Outcome) => {
    const work = works.get(asked);
    if (work === undefined || followed.has(work)) return;
    run.progressed();
    const finding = follow(work, outcome, run);
    finding.catch(() => undefined); // Thrown below, once all of the batch have answered.
    followed.set(work, finding);
  };
  const asks = [...works.keys()];
  const answer = await ports.graph.ask(asks, { onPage: take, onCall: () => run.progressed() });
  run.tally.asked(answer);
  if (answer.brake !== null) {
    run.stop ??= "braked";
    await raiseThrottled(answer.brake, ports);
  }
  for (const [index, asked] of asks.entries()) {
    const outcome = answer.outcomes[index];
    if (outcome === undefined) throw new Error("Graph client gave fewer outcomes than it was asked for.");
    // The application was throttled, not this mailbox: it is left as it was, and stays due.
    if (answer.brake === null || outcome.kind !== "throttled") take(asked, outcome);
  }
  // In the order of the asking: pages come earlier than refusals where a batch was asked singly.
  for (const finding of await allEnded(batch.map((work) => followed.get(work)))) {
    if (finding !== undefined) run.refusals.add(finding);
  }
  if (await raiseRefused(run.refusals, run.brake?.ended ?? null, ports)) run.stop ??= "refused";
}

/** Waits for all, then throws the first fault: nothing is left running behind the invocation. */
export async function allEnded<Result>(
  tasks: readonly (Promise<Result> | undefined)[],
): Promise<(Result | undefined)[]> {
  const ends = await Promise.allSettled(tasks);
  return ends.map((end) => {
    if (end.status === "rejected") throw end.reason;
    return end.value;
  });
}
