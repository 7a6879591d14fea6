import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorOf, placesOf } from "../../shared/http/history.js";
import { changeKinds, type LogEntry, mailboxEvents } from "../../shared/sync/changeLog.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { type HistoryFilter, type HistoryView, readHistory } from "../../shared/views/history.js";
import { historyKinds } from "../../shared/views/historyKinds.js";
import { runs } from "../fuzz/runs.js";
import { change, entry, type LogWorld, logWorld } from "../worlds/history.js";

/** As it is drawn: to shrink a failure would take minutes, and what is drawn is small. */
const campaign = { ...runs(60), seed: 16, endOnFailure: true };
const shardCount = 3;
const mailboxIds = ["ann", "ben", "cho", "dee"];
const owners = ["sam@contoso.example", "ravi@contoso.example"];
const minuteMs = 60_000;
const lastMs = 200 * minuteMs;

const changeDrawn = fc.record({
  kind: fc.constantFrom(...changeKinds),
  calendarId: fc.constantFrom("a", "b", "c"),
  owner: fc.option(fc.constantFrom(...owners)),
});
const entryDrawn = fc.record({
  mailboxId: fc.constantFrom(...mailboxIds),
  event: fc.option(fc.constantFrom(...mailboxEvents)),
  changes: fc.array(changeDrawn, { maxLength: 4 }),
  leftOut: fc.constantFrom(0, 0, 0, 3),
});
/** One row: its shard, which draws weigh unevenly, the time since the row before, and what it tells. */
const rowDrawn = fc.record({
  shard: fc.constantFrom<number[]>(0, 0, 0, 0, 0, 1, 1, 2),
  waitedMs: fc.constantFrom(0, 0, minuteMs, 7 * minuteMs),
  entries: fc.array(entryDrawn, { minLength: 1, maxLength: 3 }),
});
const filterDrawn = fc.record({
  mailboxId: fc.constant(null),
  sinceMs: fc.option(fc.integer({ min: 0, max: lastMs })),
  untilMs: fc.option(fc.integer({ min: 0, max: lastMs })),
  kind: fc.option(fc.constantFrom(...historyKinds)),
  owner: fc.option(fc.constantFrom(...owners)),
});

type RowDrawn = typeof rowDrawn extends fc.Arbitrary<infer Row> ? Row : never;
type Told = { readonly shard: number; readonly row: number; readonly atMs: number; readonly entry: LogEntry };

async function appended(world: LogWorld, rows: readonly RowDrawn[], told: Told[]): Promise<void> {
  const counts = (shard: number) => new Set(told.filter((one) => one.shard === shard).map(({ row }) => row)).size;
  for (const { shard, waitedMs, entries } of rows) {
    const atMs = (told.at(-1)?.atMs ?? 0) + waitedMs;
    const row = counts(shard) + 1;
    const logged = entries.map(({ mailboxId, event, changes, leftOut }) =>
      entry(mailboxId, {
        event,
        leftOut,
        changes: changes.map((one, index) => change(one.calendarId, { ...one, name: `${index}` })),
      }),
    );
    await world.append(world.shards[shard] ?? "", atMs, logged);
    told.push(...logged.map((one) => ({ shard, row, atMs, entry: one })));
  }
}

/** What a reader must be told, as simply as can be: all of the log, in falling order, then filtered. */
function expected(told: readonly Told[], filter: HistoryFilter): readonly string[] {
  const falling = [...told.entries()].sort(
    ([first, one], [second, other]) =>
      other.atMs - one.atMs || one.shard - other.shard || other.row - one.row || second - first,
  );
  return falling.flatMap(([, { atMs, entry: logged }]) => {
    const { mailboxId, event, changes, leftOut } = logged;
    const isInTime = atMs >= (filter.sinceMs ?? 0) && atMs < (filter.untilMs ?? Number.POSITIVE_INFINITY);
    if (!isInTime || (filter.mailboxId !== null && filter.mailboxId !== mailboxId)) return [];
    const fits = (kind: string, owner: string | null) =>
      (filter.kind === null || filter.kind === kind) && (filter.owner === null || filter.owner === owner);
    const isCountWanted = filter.kind === null || !mailboxEvents.some((one) => one === filter.kind);
    return [
      ...(event !== null && fits(event, null) ? [`${atMs} ${mailboxId} ${event}`] : []),
      ...(leftOut > 0 && isCountWanted ? [`${atMs} ${mailboxId} leftOut`] : []),
      ...[...changes]
        .reverse()
        .filter(({ kind, owner }) => fits(kind, owner))
        .map(({ kind, calendarId, name }) => `${atMs} ${mailboxId} ${kind} ${calendarId} ${name}`),
    ];
  });
}

const told = ({ items }: HistoryView) =>
  items.map(({ time, mailbox, kind, calendar }) =>
    [Date.parse(time), mailbox.id, kind, ...(calendar === null ? [] : [calendar.id, calendar.name])].join(" "),
  );

async function walked(
  world: LogWorld,
  shards: readonly string[],
  filter: HistoryFilter,
  top: number,
  itemsMax: number,
  between: (page: number) => Promise<void>,
) {
  const lines: string[] = [];
  const ids: string[] = [];
  let from: Parameters<typeof readHistory>[0]["from"] = null;
  for (let page = 1; ; page++) {
    const view: HistoryView = await readHistory({ filter, top, from }, world.store, shards);
    expect(view.items.length).toBeLessThanOrEqual(top);
    expect(page).toBeLessThanOrEqual(itemsMax / top + 2); // All are full but the last one, or the one before it.
    const { lookedBackToMs } = view;
    for (const { time } of view.items) expect(Date.parse(time)).toBeGreaterThanOrEqual(lookedBackToMs ?? 0);
    lines.push(...told(view));
    ids.push(...view.items.map(({ id }) => id));
    if (view.next === null) break;
    from = placesOf(cursorOf(view.next), shards.length);
    expect(from).toEqual(view.next);
    await between(page);
  }
  expect(new Set(ids).size).toBe(ids.length);
  return lines;
}

test("all pages together are the filtered log in falling order, whatever their size, while rows are appended", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowDrawn, { minLength: 1, maxLength: 150, size: "max" }),
      fc.array(rowDrawn, { minLength: 1, maxLength: 5 }),
      filterDrawn,
      fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 100, max: 500 })),
      async (rows, later, filter, top) => {
        const world = await logWorld(memoryTable({ pageSize: 7, emptyPages: true }), shardCount);
        const all: Told[] = [];
        await appended(world, rows, all);
        const wanted = expected(all, filter);
        const lines = await walked(world, world.shards, filter, top, wanted.length, () => appended(world, later, all));
        expect(lines).toEqual(wanted);
      },
    ),
    campaign,
  );
});

test("all pages of one mailbox together are what its shard's log tells of it, in falling order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowDrawn, { minLength: 1, maxLength: 60, size: "max" }),
      filterDrawn,
      fc.constantFrom(...mailboxIds),
      fc.integer({ min: 1, max: 5 }),
      async (rows, drawn, mailboxId, top) => {
        const world = await logWorld(memoryTable(), 1);
        const all: Told[] = [];
        const filter = { ...drawn, mailboxId };
        const ofOne = (some: readonly RowDrawn[]) => some.map((row) => ({ ...row, shard: 0 }));
        await appended(world, ofOne(rows), all);
        const wanted = expected(all, filter);
        const lines = await walked(world, world.shards, filter, top, wanted.length, () =>
          appended(world, ofOne(rows.slice(0, 2)), all),
        );
        expect(lines).toEqual(wanted);
      },
    ),
    campaign,
  );
});
