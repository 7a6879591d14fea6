import type { JsonObject } from "../../shared/sync/types.js";
import { aliveCount, differenceOf } from "./checks.js";
import type { PermanentFault } from "./plan.js";
import type { Seen } from "./references.js";
import { type CheckpointView, contentText, textAt } from "./views.js";
import type { Report } from "./violation.js";
import type { World } from "./world.js";

export type Finding = Parameters<Report>;

/** The mailbox that stays broken in the calm. */
export type Broken = { readonly mailboxId: string; readonly fault: PermanentFault } | null;

/** How the reason begins for which a mailbox in such a state is parked. */
const parkedReasons: Readonly<Record<string, string>> = {
  gone: "noMailbox:",
  denied: "denied:",
  refusedByTable: "tooLarge:",
};

/** Only delta is broken, and the calm has ticks enough to find that out. */
const isServedByList: ReadonlySet<PermanentFault> = new Set([
  "poisonedLink",
  "longerLinks",
  "linkRefused",
  "resetSync",
]);

/** All that is not as it must be in the end. */
export function findings(world: World, broken: Broken): readonly Finding[] {
  const found: Finding[] = [];
  const report: Report = (...finding) => found.push(finding);
  checkEverything(world, broken, report);
  return found;
}

function checkEverything(world: World, broken: Broken, report: Report): void {
  const { oracle } = world;
  for (const [mailboxId, isWanted] of world.wanted) {
    const view = oracle.mailbox(mailboxId);
    if (!isWanted) {
      if (view.checkpoint !== null || view.rows.size > 0) {
        report("I1", `${mailboxId}: left after its removal`, "nothing", `${view.rows.size} rows`);
      }
    } else if (broken?.mailboxId === mailboxId) checkBroken(world, broken, report);
    else checkMailbox(world, mailboxId, report);
  }
  for (const mailboxId of oracle.mailboxes.keys()) {
    if (!world.wanted.has(mailboxId)) report("I1", `${mailboxId}: in the table and not on the roster`, "none", "one");
  }
  oracle.log.finish(report, [...oracle.departures]);
  const left = world.leftMessages();
  if (left.length > 0 || world.invocations > 0) report("I9", "messages at the end", "none", left.join("; "));
  checkFigures(world, report);
}

function checkMailbox(world: World, mailboxId: string, report: Report): void {
  const { graph, oracle } = world;
  const { checkpoint } = oracle.mailbox(mailboxId);
  if (checkpoint === null) {
    report("I7", `${mailboxId}: not in the table`, "a checkpoint", "none");
    return;
  }
  const { kind } = graph.mailboxes.state(mailboxId);
  const reason = parkedReasons[kind];
  if (reason !== undefined) checkParked(checkpoint, reason, report);
  else checkFresh(world, checkpoint, kind === "full" ? "list" : "delta", report);
}

function checkParked({ mailboxId, parkedReason, notBeforeMs }: CheckpointView, reason: string, report: Report): void {
  if (parkedReason?.startsWith(reason) === true && notBeforeMs !== null) return;
  report(
    "I7",
    `${mailboxId}: not parked for its reason`,
    `${reason}…, looked at again`,
    `${parkedReason} until ${notBeforeMs}`,
  );
}

/** The mirror equals the mailbox, and says that all is well. */
function checkFresh(world: World, checkpoint: CheckpointView, strategy: string, report: Report): void {
  const { oracle, graph, plan } = world;
  const { mailboxId } = checkpoint;
  const { phase, parkedReason, notBeforeMs, heldRemovals } = checkpoint;
  const state = [phase, checkpoint.strategy, parkedReason, notBeforeMs, heldRemovals].join(" ");
  const isFresh = phase === "idle" && parkedReason === null && notBeforeMs === null && heldRemovals === null;
  const isByListForLostLinks =
    world.areTicksQuick && checkpoint.strategy === "list" && checkpoint.lastErrorCode === "SyncStateNotFound";
  if (!isFresh || (checkpoint.strategy !== strategy && !isByListForLostLinks)) {
    report("I7", `${mailboxId}: not fresh in the calm`, `idle ${strategy}`, `${state} ${checkpoint.lastErrorCode}`);
  }
  const { rows } = oracle.mailbox(mailboxId);
  const difference = differenceOf(rows, truthOf(graph.truth(mailboxId)));
  if (difference !== null) report("I1", `${mailboxId}: the mirror is not the mailbox`, "equal", difference);
  const count = aliveCount(rows);
  if (checkpoint.calendarCount !== count)
    report("I7", `${mailboxId}: calendars counted`, `${count}`, `${checkpoint.calendarCount}`);
  const { epoch, sequence } = checkpoint;
  const told = world.nudged.get(mailboxId);
  const isTold = !plan.hasNudges || sequence === 0 || (told?.epoch === epoch && told.sequence >= sequence);
  if (!isTold) report("I5", `${mailboxId}: changes that nobody was told of`, `${sequence}`, `${told?.sequence} sent`);
  if (checkpoint.loggedSequence !== sequence || checkpoint.loggedState !== "served") {
    report(
      "I12",
      `${mailboxId}: not logged in the calm`,
      `served ${sequence}`,
      `${checkpoint.loggedState} ${checkpoint.loggedSequence}`,
    );
  }
}

/** A broken mailbox is in sight, whatever it does. */
function checkBroken(world: World, { mailboxId, fault: kind }: NonNullable<Broken>, report: Report): void {
  const { oracle } = world;
  const { checkpoint } = oracle.mailbox(mailboxId);
  if (checkpoint === null) {
    report("I7", `${mailboxId}: not in the table`, "a checkpoint", "none");
    return;
  }
  const reason = parkedReasons[kind];
  // While the table takes no page, a link that Graph refuses cannot be replaced: it is parked for the one and for the other.
  const isForItsLink = kind === "refusedByTable" && checkpoint.parkedReason?.startsWith("denied:") === true;
  if (reason !== undefined) {
    checkParked(checkpoint, isForItsLink ? "denied:" : reason, report);
    return;
  }
  if (kind === "full") {
    checkFresh(world, checkpoint, "list", report);
    return;
  }
  // Delta leads nowhere, and the list is as it should be: whichever has served it last, it is fresh.
  if (isServedByList.has(kind)) {
    checkFresh(world, checkpoint, checkpoint.strategy, report);
    return;
  }
  const isInSight =
    checkpoint.lastErrorCode !== null && (checkpoint.notBeforeMs !== null || checkpoint.strategy === "list");
  // Between two failures a full round may have come through, and then all is as it should be.
  const isFresh = differenceOf(oracle.mailbox(mailboxId).rows, truthOf(world.graph.truth(mailboxId))) === null;
  if (!isInSight && !isFresh) {
    report(
      "I7",
      `${mailboxId}: broken in silence`,
      "a wait and a code",
      `${checkpoint.phase} ${checkpoint.lastErrorCode}`,
    );
  }
}

/** I7: every mailbox is counted in just one state. */
function checkFigures({ oracle }: World, report: Report): void {
  const counted = [...oracle.figures.values()].flatMap((columns) => {
    const figures = JSON.parse(textAt(columns, "figures") ?? "{}") as {
      census?: { states: Record<string, number> } | null;
    };
    return Object.values(figures.census?.states ?? {});
  });
  const total = counted.reduce((sum, count) => sum + count, 0);
  if (total !== oracle.mailboxes.size)
    report("I7", "mailboxes counted by state", `${oracle.mailboxes.size}`, `${total}`);
}

function truthOf(calendars: readonly { readonly id: string }[]): Map<string, Seen> {
  return new Map(
    calendars.map((calendar) => {
      const resource = JSON.parse(JSON.stringify(calendar)) as JsonObject;
      return [calendar.id, { isRemoved: false, resource, isWhole: true, text: contentText(resource) }];
    }),
  );
}
