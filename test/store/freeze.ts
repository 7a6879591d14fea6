import { addMailbox } from "../../shared/roster/byHand.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { readFeedKey } from "../../shared/store/meta.js";
import { handedOver } from "../../shared/sync/due.js";
import { fitUsers, fleet } from "../worlds/fleet.js";
import { freezeActions } from "./freezeActions.js";
import { freezeSubscriptions } from "./freezeSubscriptions.js";
import { frozen } from "./frozen.js";

/**
 * Prints a table as this release leaves it behind, with rows of every kind and state. Each release keeps what it printed:
 * `npx tsx test/store/freeze.ts > test/store/frozen/<commit>.jsonl`.
 */
const world = fleet({ mailboxes: 17, calendars: { min: 1, max: 3 }, shards: 2, source: { kind: "directory" } });
const { graph } = world;
await world.storeOf().open();
await world.discover();
const [
  full = "",
  renamed = "",
  denied = "",
  gone = "",
  walking = "",
  walked = "",
  leaver = "",
  doomed = "",
  halved = "",
  ...more
] = fitUsers(world);
const [throttled = "", slow = "", marked = ""] = more;
graph.faults.add({ kind: "mailboxFull", mailboxId: full });
await world.tick();
await world.tick();

for (let count = graph.truth(halved).length; count < 9; count++) graph.createCalendar(halved, { name: `No. ${count}` });
graph.createCalendar(renamed, { name: "Travel, 旅" });
graph.mailboxes.setState(denied, { kind: "denied" });
graph.faults.add({ kind: "noMailbox", mailboxId: gone });
graph.mailboxes.remove(leaver);
await addMailbox(graph.mailboxes.idAt(16), { source: "manual" }, world.storeOf(), world.newId, world.clock.ms);
await world.tick();
const [calendar] = graph.truth(renamed);
if (calendar !== undefined) graph.deleteCalendar(renamed, calendar.id);
const [first, , third] = graph.truth(halved);
for (const each of [first, third]) if (each !== undefined) graph.deleteCalendar(halved, each.id);
await world.discover();
await world.tick();

graph.mailboxes.forgetLinks(halved);
graph.faults.add({ kind: "halvedList", mailboxId: halved });
graph.faults.add({ kind: "throttled", mailboxId: throttled, retryAfter: "integer", seconds: 7200 });
for (const mailboxId of [walking, walked]) {
  graph.createCalendar(mailboxId, { name: "Late" });
  graph.faults.add({ kind: "emptyPages", mailboxId, pages: 70 });
}
const tick = world.newId();
for (const shard of world.shards) {
  const { pages } = await runRounds({ shard, tick }, world.ports());
  for (const message of pages)
    if ("mailbox" in message && message.mailbox === walked) await applyPage(message, world.ports());
}
await readFeedKey(world.table, () => new Uint8Array(32).fill(7));
await world.storeOf().purgeMailbox(doomed, { isTimeUp: () => true });
const held = await world.storeOf().readMailbox(slow);
if (held !== null) {
  const next = handedOver(held.checkpoint, world.clock.ms, tick);
  await world.storeOf().commitUnits([{ held, rows: [], next }], null);
}
const seen = await world.storeOf().readMailbox(marked);
if (seen !== null) {
  const { checkpoint } = seen;
  const opened = {
    phase: "full",
    generation: checkpoint.generation + 1,
    link: checkpoint.link ?? "",
    marks: "1",
  } as const;
  await world.storeOf().commitUnits([{ held: seen, rows: [], next: { ...checkpoint, ...opened } }], null);
}
world.clock.ms += 300_000;
graph.faults.add({ kind: "throttledApplication", retryAfter: "integer", seconds: 600, count: 1 });
await runRounds({ shard: world.shards[0] ?? "", tick: world.newId() }, world.ports());
await freezeSubscriptions(world.storeOf(), world.shards, renamed, world.clock.ms);
await freezeActions(world.storeOf(), renamed, world.clock.ms);
console.log(frozen(world.table.entities()));
