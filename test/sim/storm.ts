import type { FaultRule } from "../../local/graph/faults.js";
import { GONE_CODES, LINK_REFUSALS } from "../../local/graph/mailbox.js";
import { below } from "../../local/graph/random.js";
import { mailboxActions } from "../../shared/actions/mailbox.js";
import { EVENTS, type Fault, GRAPH_FAULTS } from "./kinds.js";
import { slowness } from "./plan.js";
import { jump } from "./process.js";
import type { World } from "./world.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const tickMs = 5 * minuteMs;
/** Our choice: a storm that goes on for longer finds nothing that a second seed would not. */
const stepsMax = 4_000;
const eventShare = 0.06;

/** Until the storm has lasted its ticks, or something was found. */
export async function storm(world: World): Promise<void> {
  addGraphRules(world);
  world.dice.isCalm = false;
  const { scheduler, oracle } = world;
  const endSteps = scheduler.steps + stepsMax;
  let ticks = 0;
  let nextTickMs = scheduler.nowMs;
  const tick = async () => {
    ticks += 1;
    await world.tick();
  };
  while (ticks < world.plan.stormTicks && scheduler.steps < endSteps && oracle.violations.length === 0) {
    for (const reader of world.readers) if (world.random.next() < 0.05) await reader.step(world);
    if (world.random.next() < eventShare) await event(world, tick);
    else if (!(await world.step())) {
      scheduler.nowMs = Math.max(scheduler.nowMs, Math.min(world.nextMs(), nextTickMs));
    }
    if (scheduler.nowMs < nextTickMs) continue;
    nextTickMs = scheduler.nowMs + tickMs;
    await tick();
  }
}

function addGraphRules(world: World): void {
  const { plan, graph, random } = world;
  for (const kind of Object.keys(GRAPH_FAULTS) as (keyof typeof GRAPH_FAULTS)[]) {
    const rate = plan.rates[kind];
    if (rate === undefined) continue;
    const pick = <const T>(values: readonly T[]): T => values[below(random, values.length)] as T;
    switch (kind) {
      case "throttled":
      case "throttledApplication":
      case "unavailable":
      case "mailboxInfoStale": {
        const retryAfter = pick(["integer", "fraction", "date", "none"]);
        graph.faults.add({ kind, rate, retryAfter, seconds: pick([0, 0.5, 2, 2.128, 30, 600, 40_000]) });
        if (kind === "throttled" || kind === "unavailable") graph.faults.add({ kind, rate: rate / 2, on: "batch" });
        break;
      }
      case "claimsChallenge":
      case "tokenRefused":
      case "gatewayTimeout":
      case "serverError":
        graph.faults.add({ kind, rate });
        graph.faults.add({ kind, rate: rate / 2, on: "batch" });
        break;
      case "resetSync":
        graph.faults.add({ kind, rate, code: pick(["SyncStateNotFound", "SyncStateInvalid", "resyncRequired"]) });
        break;
      case "linkRefused":
        // Without a body it is taken for a glitch at first: those links would outlast the calm.
        graph.faults.add({ kind, rate, code: pick(LINK_REFUSALS.filter((code) => code !== "emptyBody")) });
        break;
      case "noMailbox":
        graph.faults.add({ kind, rate, code: pick(GONE_CODES) });
        break;
      case "repeatedItems":
        graph.faults.add({ kind, rate, form: pick(["page", "round"]) });
        break;
      case "emptyPages":
        graph.faults.add({ kind, rate, pages: pick([1, 2, 3]) });
        break;
      case "poisonedLink":
        graph.faults.add({ kind, rate, form: pick(["host", "user", "emptyUser", "scheme", "longerPath"]) });
        break;
      default:
        graph.faults.add({ kind, rate });
        // Each kind is injected where it makes sense; lists are asked by fewer, and get their share by a rule of their own.
        if (kind === "halvedList" || kind === "denied") graph.faults.add({ kind, rate, on: "list" });
    }
  }
}

type Happening = Fault | "edit" | "time";

/** Something that the product has not done: people edit, operators act, time passes, Graph changes its mind. */
async function event(world: World, tick: () => Promise<void>): Promise<void> {
  const { plan, random, scheduler, dice } = world;
  const weights: [Happening, number][] = [
    ["edit", 3],
    ["time", 1],
  ];
  for (const name of Object.keys(EVENTS) as (keyof typeof EVENTS)[]) weights.push([name, plan.rates[name] ?? 0]);
  const what = weighted(weights, random.next());
  world.tell(() => `* ${what}`);
  if (what === "edit") return edit(world);
  if (what === "time") {
    scheduler.nowMs += below(random, 2 * minuteMs);
    return;
  }
  dice.count(what);
  if (what === "overlappingTick") return tick();
  if (what === "longPause") {
    scheduler.nowMs += below(random, random.next() < 0.5 ? hourMs : 40 * hourMs);
    return;
  }
  if (what === "clockJump") {
    jump(world.anyProcess(), random.next() < 0.3 ? 0 : below(random, 26 * hourMs) - 13 * hourMs);
    return;
  }
  if (what === "tombstonesRetired") return world.retire(below(random, hourMs));
  if (what === "operatorActs") {
    const ids = [...world.wanted.keys()];
    const action = mailboxActions[below(random, mailboxActions.length)] ?? "sync";
    return world.act(ids[below(random, ids.length)] ?? "", action);
  }
  await graphEvent(world, what);
}

/** @param draw From 0 up to 1. */
function weighted(weights: readonly (readonly [Happening, number])[], draw: number): Happening {
  let left = draw * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [what, weight] of weights) {
    left -= weight;
    if (left < 0) return what;
  }
  return "edit";
}

async function graphEvent(world: World, what: Fault): Promise<void> {
  const { graph, random } = world;
  const ids = graph.mailboxes.ids();
  const mailboxId = ids[below(random, ids.length)] ?? "";
  const isBack = random.next() < 0.5;
  switch (what) {
    case "mailboxFull":
      return graph.mailboxes.setState(mailboxId, { kind: isBack ? "normal" : "full" });
    case "mailboxDenied":
      return graph.mailboxes.setState(mailboxId, { kind: isBack ? "normal" : "denied" });
    case "mailboxGone": {
      const code = GONE_CODES[below(random, GONE_CODES.length)] ?? "ResourceNotFound";
      return graph.mailboxes.setState(mailboxId, isBack ? { kind: "normal" } : { kind: "gone", code });
    }
    case "mailboxSlow":
      if (isBack || !world.slow.delete(mailboxId)) world.slow.set(mailboxId, slowness(random));
      return;
    case "idsReplaced":
      return graph.mailboxes.replaceIds(mailboxId);
    case "calendarsMoved": {
      graph.moveCalendars(mailboxId);
      if (isBack) graph.mailboxes.forgetLinks(mailboxId);
      return;
    }
    case "linksLost":
      return graph.mailboxes.forgetLinks(mailboxId);
    case "massRemoval": {
      for (const { id } of graph.truth(mailboxId)) if (random.next() < 0.8) graph.deleteCalendar(mailboxId, id);
      if (isBack) graph.mailboxes.forgetLinks(mailboxId);
      return;
    }
    case "mailboxAdded": {
      const off = [...world.wanted].filter(([, isWanted]) => !isWanted).map(([id]) => id);
      const again = off[below(random, off.length)];
      if (again !== undefined) return world.request(again, true);
      const [added] = ids.length < 8 ? graph.mailboxes.add(1) : [];
      return added === undefined ? undefined : world.request(added, true);
    }
    case "mailboxPurged":
      return world.request(mailboxId, false);
    case "deltaSwitchedOff": {
      const ways = ["notTracked", "unknownSegment", "readAsId"] as const;
      return graph.switchDelta("beta", isBack ? "available" : (ways[below(random, ways.length)] ?? "notTracked"));
    }
    case "applicationRefused": {
      const isForAll = ({ kind, mailboxId, rate }: FaultRule) =>
        kind === "denied" && mailboxId === undefined && rate === undefined;
      const rules = graph.faults.rules().filter(isForAll);
      for (const { id } of rules) graph.faults.remove(id);
      if (rules.length > 0) return;
      for (const on of ["delta", "list"] as const) graph.faults.add({ kind: "denied", on });
      return;
    }
    case "endlessLinks": {
      const rule = graph.faults.rules().find(({ kind }) => kind === "endlessLinks");
      if (rule !== undefined) graph.faults.remove(rule.id);
      else graph.faults.add({ kind: "endlessLinks", form: isBack ? "same" : "rotating", rate: 0.5 });
      return;
    }
    default:
      throw new Error(`No such event: ${what}.`);
  }
}

const NAMES = [
  "",
  "Ünïcode ☃",
  "__proto__",
  "\u0000\u0007",
  "‮tfel-ot-thgir",
  "🏳️‍🌈",
  "a".repeat(300),
  "'; DROP",
] as const;

/** An edit as people make them, and now and then one that they should not be able to make. */
export function edit(world: World): void {
  const { graph, random } = world;
  if (random.next() < 0.6) {
    graph.editAtRandom();
    return;
  }
  const ids = graph.mailboxes.ids();
  const mailboxId = ids[below(random, ids.length)] ?? "";
  const calendars = graph.truth(mailboxId);
  const calendar = calendars[below(random, calendars.length)];
  const name = NAMES[below(random, NAMES.length)] ?? "";
  const dice = random.next();
  if (calendar === undefined || dice < 0.2) graph.createCalendar(mailboxId, { name: `New ${name}` });
  else if (dice < 0.4) graph.deleteCalendar(mailboxId, calendar.id);
  else if (dice < 0.6) graph.updateCalendar(mailboxId, calendar.id, { name, color: null });
  else if (dice < 0.8)
    graph.updateCalendar(mailboxId, calendar.id, { "x-new": { nested: [1, { name }] }, canEdit: null });
  else graph.updateCalendar(mailboxId, calendar.id, { owner: { name, address: "a@example.com" } });
}
