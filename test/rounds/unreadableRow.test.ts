import { expect, test } from "vitest";
import { calendarKey } from "../../shared/store/keys.js";
import { discovered, type Fleet } from "../worlds/fleet.js";

/** A calendar row that a foreign hand has spoilt: what becomes of its mailbox. */

async function spoilt(world: Fleet): Promise<string> {
  await world.tick();
  const id = world.graph.mailboxes.idAt(0);
  const calendarId = world.graph.truth(id)[0]?.id ?? "";
  const partitionKey = world.store.shardOf(id);
  const rowKey = calendarKey(id, calendarId);
  const stored = await world.table.get(partitionKey, rowKey);
  await world.table.transact(partitionKey, [
    { kind: "upsert", rowKey, columns: { ...stored?.columns, resource: "no JSON" } },
  ]);
  world.graph.renameCalendar(id, calendarId, "Renamed");
  return id;
}

const seen = async (world: Fleet, id: string) => {
  const { lastErrorCode, parkedReason, failuresInARow, sequence } =
    (await world.store.readMailbox(id))?.checkpoint ?? {};
  return { lastErrorCode, parkedReason, failuresInARow, sequence };
};

test("I7, I10: a mailbox whose rows cannot be read waits in a run, and the others are fresh", async () => {
  const world = await discovered({ mailboxes: 4, calendars: 3 });
  const id = await spoilt(world);
  const before = await seen(world, id);
  await world.tick();
  expect(await seen(world, id)).toEqual({ ...before, lastErrorCode: "rowUnreadable", failuresInARow: 1 });
  expect([...(await world.states())].filter(([, state]) => state === "fresh")).toHaveLength(3);
});

test("I7, I10: asked by itself it waits in the same way: the message does not fail, and nothing is parked", async () => {
  const world = await discovered({ mailboxes: 4, calendars: 3 });
  const id = await spoilt(world);
  const before = await seen(world, id);
  await world.applyAll([{ mailbox: id, sync: "by-hand" }]);
  expect(await seen(world, id)).toEqual({ ...before, lastErrorCode: "rowUnreadable", failuresInARow: 1 });
  expect(world.logged.filter((line) => line.includes("cannot be read: column resource"))).toHaveLength(1);
});
