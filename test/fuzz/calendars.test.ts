import fc from "fast-check";
import { expect, test } from "vitest";
import { deltaItem, readItem } from "../../shared/feed/wire.js";
import { parsePage } from "../../shared/graph/page.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { runLimits } from "../../shared/rounds/ports.js";
import { createStore, type Held, type Store } from "../../shared/store/store.js";
import { decide } from "../../shared/sync/decide.js";
import { settle } from "../../shared/sync/settle.js";
import type { JsonObject, Outcome } from "../../shared/sync/types.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { calendarId, hostileJson, hostileText } from "./hostile.js";
import { runs } from "./runs.js";

const mailboxId = "3f0c0000-0000-4000-8000-0000000000a1";
const nowMs = Date.UTC(2026, 0, 5);

async function newMailbox(): Promise<{ readonly store: Store; readonly held: Held }> {
  let commits = 0;
  const newCommitId = () => `commit-${++commits}`;
  const store = createStore({ table: memoryTable(), shards: 1, newCommitId });
  await store.open();
  await addMailbox(mailboxId, {}, store, () => "epoch");
  const held = await store.readMailbox(mailboxId);
  if (held === null) throw new Error("The mailbox was not added.");
  return { store, held };
}

/** A page takes the whole way that a page of Graph's takes: text, outcome, step, unit, transaction. */
async function mirrored(store: Store, held: Held, items: readonly unknown[]): Promise<Held> {
  const text = JSON.stringify({ value: items, "@odata.deltaLink": "https://graph.microsoft.com/d" });
  const outcome: Outcome = parsePage(JSON.parse(text), "delta");
  if (outcome.kind !== "lastPage") throw new Error(`The page was not believed: ${outcome.kind}`);
  const step = decide(held.checkpoint, outcome, { nowMs, jitter: 0, roundId: "round", tick: null });
  if (step.kind !== "apply") throw new Error(`The page was not applied: ${step.kind}`);
  const { rows, next } = settle(step, held.checkpoint, await store.readCalendars(mailboxId), { nowMs, ...runLimits });
  const { results } = await store.commitUnits([{ held, rows, next }], null);
  const [result] = results;
  if (result?.kind !== "committed") throw new Error(`The unit was not committed: ${result?.kind}`);
  return result.held;
}

const properties = fc.record({
  name: hostileText,
  color: fc.option(hostileText),
  changeKey: hostileText,
  owner: fc.oneof(fc.record({ name: hostileText, address: hostileText }), fc.constant(null), hostileText),
  isDefaultCalendar: fc.oneof(fc.boolean(), hostileText),
  "x-unknown": hostileJson,
});

test("I1: whatever a calendar is called and holds, readers get it back as Graph gave it", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(calendarId, { minLength: 1, maxLength: 5 }),
      fc.array(properties, { minLength: 5, maxLength: 5 }),
      async (ids, all) => {
        const { store, held } = await newMailbox();
        const items = ids.map((id, index) => ({ ...all[index], id }));
        await mirrored(store, held, items);
        const rows = await store.readCalendars(mailboxId);
        expect(rows.map((row) => row.calendarId).sort()).toEqual([...ids].sort());
        for (const item of items) {
          const row = await store.readCalendar(mailboxId, item.id);
          if (row === null) throw new Error("A calendar is missing.");
          const expected = JSON.parse(JSON.stringify(item)) as JsonObject;
          expect(row.resource).toEqual(expected);
          expect(readItem(row, null)).toEqual(expected);
          expect(deltaItem(row)).toEqual({ "@odata.type": "#microsoft.graph.calendar", ...expected });
        }
      },
    ),
    runs(100),
  );
});

test("I5: a property named __proto__ is plain data, from Graph's text to the reader", async () => {
  const { store, held } = await newMailbox();
  const item: unknown = JSON.parse('{"id":"c","name":"n","__proto__":{"isAdmin":true},"constructor":1}');
  const again = await mirrored(store, held, [item]);
  const [row] = await store.readCalendars(mailboxId);
  expect(Object.keys(row?.resource ?? {})).toContain("__proto__");
  expect(({} as Record<string, unknown>)["isAdmin"]).toBeUndefined();
  const { checkpoint } = await mirrored(store, again, [item]);
  expect(checkpoint.sequence).toBe(1);
});

test("I3: ids of 1 to 512 characters stay apart, and the removal of one removes no other", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(calendarId, { minLength: 2, maxLength: 6 }), async (ids) => {
      const { store, held } = await newMailbox();
      const first = await mirrored(
        store,
        held,
        ids.map((id) => ({ id, name: id })),
      );
      const [gone = "", ...others] = ids;
      await mirrored(store, first, [{ id: gone, "@removed": { reason: "deleted" } }]);
      const rows = await store.readCalendars(mailboxId);
      const alive = rows.filter(({ removedMs }) => removedMs === null).map((row) => row.calendarId);
      expect(alive.sort()).toEqual([...others].sort());
      expect(rows.find((row) => row.calendarId === gone)?.removedMs).toBe(nowMs);
    }),
    runs(100),
  );
});
