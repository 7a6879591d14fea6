import { LINK_REFUSALS } from "../../local/graph/mailbox.js";
import { below } from "../../local/graph/random.js";
import { type Broken, findings } from "./findings.js";
import { quieten } from "./pace.js";
import { slowness } from "./plan.js";
import { jump } from "./process.js";
import { oneSlowMailbox } from "./slow.js";
import { edit } from "./storm.js";
import type { World } from "./world.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/**
 * How far time goes on after each tick of the calm. The bound on convergence: eleven ticks over a bit more than a week.
 * The longest waits of the product are a day (re-probe, paced resets, delta tried again), after a wait of less than a
 * day that Graph has asked for, by a clock that was up to 13 hours ahead; then an audit, two days at most after the last.
 */
const pausesMs = [
  5 * minuteMs,
  5 * minuteMs,
  30 * minuteMs,
  ...[25, 25, 25, 49, 25, 25].map((hours) => hours * hourMs),
  5 * minuteMs,
  5 * minuteMs,
];

/** Ends all trouble but that of one mailbox with a permanent fault, and lets the mirror find its way: then it must equal the truth. */
export async function calm(world: World): Promise<void> {
  const { scheduler, graph, dice, oracle } = world;
  dice.isCalm = true;
  for (const [fault, count] of Object.entries(graph.faults.injected()))
    if (count > 0) dice.count(fault as never, count);
  graph.faults.clear();
  world.slow.clear();
  world.easeLimits();
  graph.switchDelta("beta", "available");
  for (const process of world.processes) jump(process, 0);
  for (const mailboxId of graph.mailboxes.ids()) {
    if (world.random.next() < 0.6) graph.mailboxes.setState(mailboxId, { kind: "normal" });
  }
  await quieten(world);
  for (const [mailboxId, isWanted] of world.wanted) await world.request(mailboxId, isWanted);
  await quieten(world);
  const broken = injectPermanentFault(world);
  // Most worlds are left alone as soon as all is well; the others live on, through audits and all, until nothing stirs.
  const isHasty = world.random.next() < 0.75;
  let ticksSinceRefused = Number.POSITIVE_INFINITY;
  for (const pauseMs of pausesMs) {
    if (oracle.violations.length > 0) return;
    await world.tick();
    await quieten(world);
    ticksSinceRefused = oracle.brake?.needsProbe === true ? 0 : ticksSinceRefused + 1;
    for (const reader of world.readers) await reader.step(world);
    scheduler.nowMs += pauseMs;
    if (isHasty && findings(world, broken).length === 0) break;
  }
  if (ticksSinceRefused < ticksAfterBrake) await endBrake(world, broken);
  for (const finding of findings(world, broken)) oracle.report(...finding);
  if (!isHasty && oracle.violations.length === 0) await checkQuietTick(world, broken);
  if (broken === null && oracle.violations.length === 0 && world.random.next() < 0.5) await oneSlowMailbox(world);
  for (const reader of world.readers) {
    // What was found stops the scheduler: who waits at a gate then would wait for ever.
    if (oracle.violations.length > 0) return;
    await reader.finish(world);
  }
}

/** Breaks one mailbox for good: the others must not feel it (I10). */
function injectPermanentFault(world: World): Broken {
  const { plan, graph, random } = world;
  const wanted = [...world.wanted].filter(([, isWanted]) => isWanted).map(([id]) => id);
  const mailboxId = wanted[below(random, wanted.length)];
  if (plan.permanentFault === null || mailboxId === undefined) return null;
  const { permanentFault: kind } = plan;
  world.tell(() => `* permanent fault ${kind} on ${mailboxId}`);
  graph.mailboxes.setState(mailboxId, { kind: "normal" });
  if (kind === "gone") graph.mailboxes.setState(mailboxId, { kind: "gone", code: "MailboxNotEnabledForRESTAPI" });
  else if (kind === "denied" || kind === "full") graph.mailboxes.setState(mailboxId, { kind });
  else if (kind === "refusedByTable") world.refusedMailbox = mailboxId;
  else if (kind === "slow") world.slow.set(mailboxId, slowness(random));
  else if (kind === "malformedDelta") world.malformedMailbox = mailboxId;
  else if (kind === "longerLinks") graph.faults.add({ kind: "poisonedLink", form: "longerPath", mailboxId });
  else if (kind === "linkRefused") {
    // Without a body it is taken for a glitch at first: more ticks than the calm has would pass.
    const codes = LINK_REFUSALS.filter((code) => code !== "emptyBody");
    graph.faults.add({ kind, code: codes[below(random, codes.length)] ?? "UnknownError", mailboxId });
  } else graph.faults.add({ kind, mailboxId });
  edit(world);
  graph.createCalendar(mailboxId, { name: "One that the fault is for" }); // Last: an edit might delete it again.
  return { mailboxId, fault: kind };
}

/** After a refusal of the application: one to ask those who waited, one where a round was too old by then, one to spare. */
const ticksAfterBrake = 3;

/** A mailbox that had waited may give way to the list only then: it is a day until its delta is tried again. */
const untilDeltaMs = 25 * hourMs;

/**
 * Where only mailboxes are left that are refused by themselves, a refusal of the application does not end: it is told, and
 * an operator lifts it. Then each is parked for its own reason. Where a probe has ended it just now, the others come next.
 * The first that is refused may bring it back before another is asked, whose link had to be dropped first.
 */
async function endBrake(world: World, broken: Broken): Promise<void> {
  for (let lifted = 0; lifted <= world.wanted.size; lifted++) {
    const isOn = world.oracle.brake?.needsProbe === true && world.oracle.violations.length === 0;
    if (lifted > 0 && !isOn) break;
    if (isOn) await world.liftBrake();
    await quieten(world);
    await goOn(world); // What a round had waited for may be over, and the round too old: it begins anew.
    if (findings(world, broken).length === 0) return;
  }
  world.scheduler.nowMs += untilDeltaMs;
  await goOn(world);
}

async function goOn(world: World): Promise<void> {
  for (let tick = 0; tick < ticksAfterBrake && world.oracle.violations.length === 0; tick++) {
    await world.tick();
    await quieten(world);
    world.scheduler.nowMs += 5 * minuteMs;
  }
}

/** A tick in which nothing has changed asks once for each mailbox, and changes nothing. */
async function checkQuietTick(world: World, broken: Broken): Promise<void> {
  const { oracle } = world;
  const before = new Map([...oracle.mailboxes].map(([id, { checkpoint }]) => [id, checkpoint?.sequence]));
  const nudges = world.nudges;
  const needsProbe = oracle.brake?.needsProbe === true; // The mailbox that is probed is asked once more.
  const isBraked = needsProbe || (oracle.brake?.untilMs ?? 0) > world.scheduler.nowMs;
  world.asks.clear();
  await world.tick();
  await quieten(world);
  for (const [mailboxId, { checkpoint }] of oracle.mailboxes) {
    if (mailboxId === broken?.mailboxId || checkpoint === null) continue;
    if (checkpoint.sequence !== before.get(mailboxId)) {
      oracle.report(
        "I5",
        `${mailboxId}: a change in a quiet tick`,
        `${before.get(mailboxId)}`,
        `${checkpoint.sequence}`,
      );
    }
    const asks = world.asks.get(mailboxId) ?? 0;
    const isAtRest = checkpoint.phase === "idle" && checkpoint.strategy === "delta" && checkpoint.parkedReason === null;
    const isPlain = !["audit", "probe"].includes(checkpoint.roundReason); // These walk a full round beside the usual one.
    if (isAtRest && isPlain && (asks > (needsProbe ? 2 : 1) || (asks === 0 && !isBraked))) {
      oracle.report("I9", `${mailboxId}: requests of a quiet tick`, "1", `${asks}`);
    }
  }
  if (broken === null && world.nudges !== nudges)
    oracle.report("I5", "nudges in a quiet tick", "none", `${world.nudges - nudges}`);
}
