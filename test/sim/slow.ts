import { below } from "../../local/graph/random.js";
import { type Finding, findings } from "./findings.js";
import { passTime, quieten } from "./pace.js";
import { slowness } from "./plan.js";
import type { World } from "./world.js";

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const generationsOfGraph = 3;

/**
 * One mailbox gets slow while ticks come in quick succession, and all the others are edited: within these ticks each of
 * them must be what its mailbox is (I10), and after the trouble so must the slow one. Only where Graph keeps as many links
 * as it is known to: with fewer, ticks that come while a round is walked make an end of that round.
 */
export async function oneSlowMailbox(world: World): Promise<void> {
  const { scheduler, graph, oracle, random } = world;
  const atRest = [...oracle.mailboxes].flatMap(([id, { checkpoint }]) => (isAtRest(checkpoint) ? [id] : []));
  const slow = atRest[below(random, atRest.length)];
  const isBraked = (oracle.brake?.untilMs ?? 0) > scheduler.nowMs;
  if (
    slow === undefined ||
    isBraked ||
    world.plan.generationsKept < generationsOfGraph ||
    findings(world, null).length > 0
  )
    return;
  const ms = slowness(random);
  world.tell(() => `* ${slow} takes ${ms} ms`);
  world.slow.set(slow, ms);
  world.areTicksQuick = true;
  for (const mailboxId of atRest) graph.createCalendar(mailboxId, { name: "While one was slow" });
  for (let tick = 0; tick < 10 && oracle.violations.length === 0; tick++) {
    await world.tick();
    await passTime(world, scheduler.nowMs + 3 * secondMs);
  }
  await passTime(world, scheduler.nowMs + 10 * secondMs);
  await roundsEnd(world, (id) => id !== slow && atRest.includes(id));
  world.slow.clear();
  await quieten(world);
  for (let tick = 0; tick < 3 && oracle.violations.length === 0; tick++) {
    scheduler.nowMs += 6 * minuteMs;
    await world.tick();
    await quieten(world);
  }
  if (oracle.violations.length === 0) for (const finding of findings(world, null)) oracle.report(...finding);
}

/**
 * A round of many pages may last longer than such a tick: it may end while the slow mailbox is still slow, and has to get
 * on with every second.
 */
async function roundsEnd(world: World, isAsked: (mailboxId: string) => boolean): Promise<void> {
  const { scheduler, oracle } = world;
  let before = new Map<string, string>();
  for (;;) {
    const late = about(world, isAsked);
    const held = late.filter(([mailboxId]) => before.get(mailboxId) === placeOf(world, mailboxId));
    for (const [, finding] of held) oracle.report(...asHarm(finding));
    if (late.length === 0 || oracle.violations.length > 0) return;
    before = new Map(late.map(([mailboxId]) => [mailboxId, placeOf(world, mailboxId)]));
    await passTime(world, scheduler.nowMs + secondMs);
  }
}

/** How far a mailbox's round is. */
function placeOf(world: World, mailboxId: string): string {
  const { checkpoint } = world.oracle.mailbox(mailboxId);
  return `page ${checkpoint?.pageNumber} of round ${checkpoint?.roundId}`;
}

function about(world: World, isAsked: (mailboxId: string) => boolean): readonly (readonly [string, Finding])[] {
  return findings(world, null).flatMap((finding) => {
    const [mailboxId] = /^[0-9a-f-]{36}(?=:)/.exec(finding[1]) ?? [];
    return mailboxId !== undefined && isAsked(mailboxId) ? [[mailboxId, finding] as const] : [];
  });
}

function asHarm([, what, expected, seen]: Finding): Finding {
  return ["I10", `${what}, while another was slow`, expected, seen];
}

function isAtRest(checkpoint: ReturnType<World["oracle"]["mailbox"]>["checkpoint"]): boolean {
  return checkpoint?.phase === "idle" && checkpoint.parkedReason === null && checkpoint.notBeforeMs === null;
}
