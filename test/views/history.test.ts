import { describe, expect, test } from "vitest";
import { checkpointColumns } from "../../shared/store/checkpointRow.js";
import { logKey, mailboxKey } from "../../shared/store/keys.js";
import { logColumns } from "../../shared/store/logRow.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { type HistoryFilter, historyLimits, readHistory } from "../../shared/views/history.js";
import { change, entry, logWorld } from "../worlds/history.js";
import { minuteMs, startMs } from "../worlds/parts.js";
import { checkpoint } from "../worlds/rows.js";
import { azuriteTables, type NewTable } from "../worlds/tables.js";

const all: HistoryFilter = { mailboxId: null, sinceMs: null, untilMs: null, kind: null, owner: null };

async function world(newTable: NewTable = () => memoryTable(), shards = 1) {
  const log = await logWorld(newTable(), shards);
  const read = (filter: Partial<HistoryFilter> = {}, top = 50) =>
    readHistory({ filter: { ...all, ...filter }, top, from: null }, log.store, log.shards);
  const kinds = async (filter: Partial<HistoryFilter> = {}) => (await read(filter)).items.map(({ kind }) => kind);
  return { ...log, read, kinds };
}

function historyContract(name: string, newTable: NewTable): void {
  describe(`the history of a table on ${name}`, () => {
    test("tells what became of mailboxes and calendars, newest first, with before and after", async () => {
      const { append, read, store } = await world(newTable, 2);
      await append("00", startMs, [entry("ann", { event: "joined", from: 0 })]);
      await append("01", startMs + 1, [entry("ben", { changes: [change("b")] })]);
      const came = { kind: "replaced", replacedId: "a", name: "Plans" } as const;
      const { before: _before, after: _after, ...replaced } = change("a2", came);
      await append("00", startMs + 2, [entry("ann", { changes: [change("a"), replaced], leftOut: 3 })]);
      await append("01", startMs + 3, [entry("ben", { event: "left" })]);
      const { items, lookedBackToMs, next } = await read();
      expect(items.map(({ mailbox, kind, calendar }) => [mailbox.id, kind, calendar?.id])).toEqual([
        ["ben", "left", undefined],
        ["ann", "leftOut", undefined],
        ["ann", "replaced", "a2"],
        ["ann", "updated", "a"],
        ["ben", "updated", "b"],
        ["ann", "joined", undefined],
      ]);
      expect([lookedBackToMs, next]).toEqual([null, null]);
      expect(items[1]).toMatchObject({ leftOut: 3, time: new Date(startMs + 2).toISOString() });
      expect(items[2]).toMatchObject({ replacedId: "a", calendar: { name: "Plans" }, before: null, after: null });
      expect(items[4]).toMatchObject({ before: { name: "Old" }, after: { name: "New" }, replacedId: null, leftOut: 0 });
      expect(await store.readMailbox("ben")).toBeNull();
    });

    test("of one mailbox is in its own shard's log, whatever else stands there", async () => {
      const { append, read } = await world(newTable);
      for (let row = 0; row < 30; row++) {
        const changes = [change(`c${row}`)];
        await append("00", startMs + row, [
          entry("ben", { changes }),
          ...(row % 10 === 0 ? [entry("ann", { changes })] : []),
        ]);
      }
      const { items } = await read({ mailboxId: "ann" }, 2);
      expect(items.map(({ calendar }) => calendar?.id)).toEqual(["c20", "c10"]);
    });
  });
}

historyContract("memory", () => memoryTable());
historyContract("Azurite", azuriteTables());

test("I10: rows that cannot be read hide none of the others, wherever they stand", async () => {
  const { append, read, table } = await world();
  const wide = historyLimits.rowsAtOnce.whole;
  for (let row = 0; row < 3 * wide; row++) {
    await append("00", startMs + row, [entry("ann", { changes: [change(`c${row}`)] })]);
  }
  const spoilt = [1, wide + 1, wide + 2, 2 * wide, 3 * wide];
  const actions = spoilt.map((number) => {
    return { kind: "upsert", rowKey: logKey(number), columns: { at: "never", entries: "no JSON" } } as const;
  });
  await table.transact("00", actions);
  const left = Array.from({ length: 3 * wide }, (_, row) => row).filter((row) => !spoilt.includes(row + 1));
  const names = left.map((row) => `c${row}`).reverse();
  const ids = ({ items }: Awaited<ReturnType<typeof read>>) => items.map(({ calendar }) => calendar?.id);
  expect(ids(await read({}, 4 * wide))).toEqual(names);
  expect(ids(await read({ mailboxId: "ann" }, 4 * wide))).toEqual(names);
  expect(ids(await read({ untilMs: startMs + 3 * wide }, 4 * wide))).toEqual(names);
});

test("entries that stand for first rounds and upgrades alone are not shown", async () => {
  const { append, read } = await world();
  await append("00", startMs, [entry("ann", { from: 0, to: 7 })]);
  expect((await read()).items).toEqual([]);
});

test("a log that is empty, and one whose beginning is retired, are read to their ends", async () => {
  const { append, read, table } = await world();
  expect(await read()).toEqual({ items: [], lookedBackToMs: null, next: null });
  for (let row = 1; row <= 90; row++)
    await append("00", startMs + row, [entry("ann", { changes: [change(`c${row}`)] })]);
  for (let row = 1; row <= 80; row++) await table.transact("00", [{ kind: "delete", rowKey: logKey(row), etag: "*" }]);
  const { items, next } = await read();
  expect([items.length, items.at(-1)?.calendar?.id, next]).toEqual([10, "c81", null]);
  expect((await read({ untilMs: startMs + 50 })).items).toEqual([]);
});

test("a filter by owner finds calendars of the owner now and before, in any case of letters", async () => {
  const { append, read } = await world();
  const moved = { owner: { name: "Sam", address: "Sam@contoso.example" } };
  await append("00", startMs, [
    entry("ann", {
      event: "resumed",
      changes: [
        change("a", { owner: "SAM@contoso.example" }),
        change("b", { owner: "ravi@contoso.example", before: moved, after: {} }),
        change("c", { owner: "ravi@contoso.example" }),
      ],
    }),
  ]);
  const { items } = await read({ owner: "sam@contoso.example" });
  expect(items.map(({ calendar }) => calendar?.id)).toEqual(["b", "a"]);
});

test("changes that are only counted are told with every kind of change, and with no kind of event", async () => {
  const { append, kinds } = await world();
  await append("00", startMs, [entry("ann", { event: "suspended", leftOut: 5 })]);
  expect(await kinds({ kind: "removed" })).toEqual(["leftOut"]);
  expect(await kinds({ kind: "leftOut" })).toEqual(["leftOut"]);
  expect(await kinds({ kind: "suspended" })).toEqual(["suspended"]);
});

test("a page ends after so many rows, however few match, and says how far back it has looked", async () => {
  const { append, store, shards } = await world();
  const rows = historyLimits.rowsPerPageMax + 100;
  for (let row = 1; row <= rows; row++) await append("00", startMs + row, [entry("ann", { changes: [change("a")] })]);
  const filter = { ...all, kind: "removed" } as const;
  const first = await readHistory({ filter, top: 5, from: null }, store, shards);
  expect([first.items, first.lookedBackToMs]).toEqual([[], startMs + 101]);
  const second = await readHistory({ filter, top: 5, from: first.next }, store, shards);
  expect([second.items, second.next]).toEqual([[], null]);
});

test("a page of all mailboxes costs two requests for each shard, and one for each mailbox that it names", async () => {
  const { append, store, shards } = await world(() => memoryTable(), 4);
  for (const [index, shard] of shards.entries()) {
    for (let row = 0; row < 20; row++) {
      const changes = [change("a")];
      await append(shard, startMs + row, [entry(`m${index}-${row % 2}`, { changes })]);
    }
  }
  const before = store.transactions();
  const first = await readHistory({ filter: all, top: 10, from: null }, store, shards);
  const named = new Set(first.items.map(({ mailbox }) => mailbox.id)).size;
  expect(store.transactions() - before).toBe(2 * shards.length + named);
  const between = store.transactions();
  await readHistory({ filter: all, top: 10, from: first.next }, store, shards);
  expect(store.transactions() - between).toBeLessThanOrEqual(shards.length + 10);
});

test("a purge between two pages takes details out, and neither repeats nor loses what others are told", async () => {
  const { append, store, shards, table } = await world();
  const changes = ["1", "2", "3"].map((id) => change(id));
  await append("00", startMs, [entry("ben", { changes }), entry("ann", { changes })]);
  const first = await readHistory({ filter: all, top: 2, from: null }, store, shards);
  const columns = logColumns(startMs, [entry("ben", { changes }), entry("ann", { leftOut: 3 })]);
  await table.transact("00", [{ kind: "upsert", rowKey: logKey(1), columns }]);
  const second = await readHistory({ filter: all, top: 50, from: first.next }, store, shards);
  expect([...first.items, ...second.items].map(({ mailbox, calendar }) => `${mailbox.id} ${calendar?.id}`)).toEqual([
    "ann 3",
    "ann 2",
    "ben 3",
    "ben 2",
    "ben 1",
  ]);
});

test("times that clocks have put out of order lose nothing", async () => {
  const { append, read } = await world();
  const skewMs = 4 * minuteMs;
  for (let row = 1; row <= 60; row++) {
    const atMs = startMs + row * minuteMs + (row % 2 === 0 ? skewMs : 0);
    await append("00", atMs, [entry("ann", { changes: [change(`c${row}`)] })]);
  }
  const times = (await read({}, 100)).items.map(({ time }) => Date.parse(time));
  expect(times).toHaveLength(60);
  const timesOf = async (filter: Partial<HistoryFilter>) =>
    (await read(filter, 100)).items.map(({ time }) => Date.parse(time));
  for (let minute = 0; minute < 66; minute++) {
    const ms = startMs + minute * minuteMs;
    expect(await timesOf({ sinceMs: ms })).toEqual(times.filter((time) => time >= ms));
    expect(await timesOf({ untilMs: ms })).toEqual(times.filter((time) => time < ms));
  }
});

test("I10: mailboxes are named as the directory says by now; one that cannot be read, or is gone, has no name", async () => {
  const { append, read, table } = await world();
  const named = checkpoint("ann", { displayName: "Ann <b>", userPrincipalName: "ann@contoso.example" });
  await table.transact("00", [
    { kind: "upsert", rowKey: mailboxKey("ann"), columns: checkpointColumns(named) },
    { kind: "upsert", rowKey: mailboxKey("bad"), columns: { mailboxId: "bad" } },
  ]);
  await append(
    "00",
    startMs,
    ["gone", "bad", "ann"].map((id) => entry(id, { event: "joined" })),
  );
  const { items } = await read();
  expect(items.map(({ mailbox }) => mailbox)).toEqual([
    { id: "ann", displayName: "Ann <b>", userPrincipalName: "ann@contoso.example" },
    { id: "bad", displayName: null, userPrincipalName: null },
    { id: "gone", displayName: null, userPrincipalName: null },
  ]);
});
