import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstMoves, movesOf, notificationsIn, notificationsOf } from "../../shared/push/logNotifications.js";
import type { LogEntry, LogRow } from "../../shared/sync/changeLog.js";
import { changeTypes, type Subscription } from "../../shared/sync/subscription.js";
import { entryOf, inWords } from "../worlds/push.js";

const everything: Pick<Subscription, "mailboxId" | "changeTypes"> = { mailboxId: null, changeTypes };
const rowOf = (number: number, entries: readonly LogEntry[], atMs = 1_000): LogRow => ({ number, atMs, entries });
const start = { number: 0, entries: 0, sent: 0 };
const told = (entry: LogEntry, wants = everything) =>
  inWords(movesOf("00", [rowOf(1, [entry])], start, wants).flatMap(({ notification }) => notification ?? []));

const change = (kind: "created" | "updated" | "removed" | "replaced", calendarId: string, replacedId?: string) => {
  return {
    kind,
    calendarId,
    sequence: 1,
    name: null,
    owner: null,
    ...(replacedId === undefined ? {} : { replacedId }),
  };
};

describe("what an entry of the log tells a subscriber", () => {
  test("is each of its changes, in their order; a calendar in the place of another is two", () => {
    const changes = [
      change("created", "a"),
      change("updated", "b"),
      change("removed", "c"),
      change("replaced", "d", "old"),
    ];
    expect(told(entryOf("m", "", { changes }))).toEqual([
      "created m/a",
      "updated m/b",
      "deleted m/c",
      "deleted m/old",
      "created m/d",
    ]);
  });

  test("is the calendars as a whole where changes are not told one by one", () => {
    const changes = [change("created", "a")];
    expect(told(entryOf("m", "", { changes, leftOut: 7 }))).toEqual(["created m/a", "updated m/*"]);
    expect(told(entryOf("m", "", { changes: [] }))).toEqual(["updated m/*"]);
  });

  test("is what became of the mailbox, after its changes", () => {
    const changes = [change("removed", "a")];
    expect(told(entryOf("m", "", { changes, event: "suspended" }))).toEqual(["deleted m/a", "deleted m"]);
    expect(told(entryOf("m", "", { changes: [], event: "left" }))).toEqual(["deleted m"]);
    expect(told(entryOf("m", "", { changes: [], event: "joined" }))).toEqual(["updated m"]);
    expect(told(entryOf("m", "", { changes: [], event: "resumed" }))).toEqual(["updated m"]);
  });

  test("is never nothing", () => {
    const events = [null, "joined", "suspended", "resumed", "left"] as const;
    for (const event of events) {
      for (const leftOut of [0, 1]) {
        for (const changes of [[], [change("created", "a")]]) {
          const row = rowOf(1, [entryOf("m", "", { event, leftOut, changes })]);
          expect(notificationsOf("00", row, 0).length).toBeGreaterThan(0);
        }
      }
    }
  });

  test("is what the subscription has asked for, and no more", () => {
    const changes = [change("created", "a"), change("updated", "b"), change("removed", "c")];
    const entry = entryOf("m", "", { changes, leftOut: 1, event: "suspended" });
    expect(told(entry, { ...everything, changeTypes: ["deleted"] })).toEqual([
      "deleted m/c",
      "deleted m/*",
      "deleted m",
    ]);
    expect(told(entry, { mailboxId: "m", changeTypes: ["created"] })).toEqual(["created m/a", "created m/*"]);
    expect(told(entry, { ...everything, mailboxId: "other" })).toEqual([]);
    const joined = entryOf("m", "", { changes: [], event: "joined" });
    expect(told(joined, { ...everything, changeTypes: ["created"] })).toEqual(["created m"]);
    expect(told(joined, { ...everything, changeTypes: ["deleted"] })).toEqual([]);
  });

  test("has an id that no other has, and has it each time", () => {
    const rows = [1, 2].map((number) =>
      rowOf(number, [entryOf("m"), entryOf("m", "", { changes: [], event: "left" })]),
    );
    const ids = () => movesOf("00", rows, start, everything).flatMap(({ notification }) => notification?.id ?? []);
    expect(new Set(ids()).size).toBe(4);
    expect(ids()).toEqual(ids());
    const again = movesOf("00", [rowOf(1, rows[0]?.entries ?? [], 2_000)], start, everything);
    expect(ids()).not.toContain(again[0]?.notification?.id);
  });
});

describe("steps over a log", () => {
  const entries = fc.array(
    fc.record({
      mailboxId: fc.constantFrom("a", "b", "c"),
      changes: fc.array(
        fc.record({
          kind: fc.constantFrom("created", "updated", "removed", "replaced"),
          calendarId: fc.string({ minLength: 1 }),
          sequence: fc.nat(),
          name: fc.constant(null),
          owner: fc.constant(null),
        }),
        { maxLength: 4 },
      ),
      leftOut: fc.nat({ max: 1 }),
      event: fc.constantFrom(null, "joined", "left"),
    }),
    { minLength: 1, maxLength: 4 },
  );
  const logs = fc.array(entries, { minLength: 1, maxLength: 5 }).map((rows) =>
    rows.map((each, index) =>
      rowOf(
        index + 1,
        each.map((one) => entryOf(one.mailboxId, "", one)),
      ),
    ),
  );
  const wants = fc.record({
    mailboxId: fc.constantFrom(null, "a"),
    changeTypes: fc.subarray([...changeTypes], { minLength: 1 }),
  });

  test("I15: from wherever a subscriber said yes last, it is told the rest, and nothing twice", () => {
    fc.assert(
      fc.property(logs, wants, fc.nat(), (rows, wanted, draw) => {
        const all = movesOf("00", rows, start, wanted);
        const stop = all[draw % all.length];
        if (stop === undefined) throw new Error("There is always the step over the last row.");
        const before = all.slice(0, all.indexOf(stop) + 1);
        const rest = movesOf(
          "00",
          rows.filter(({ number }) => number > stop.place.number),
          stop.place,
          wanted,
        );
        expect([...before, ...rest].flatMap(({ notification }) => notification ?? [])).toEqual(
          all.flatMap(({ notification }) => notification ?? []),
        );
        expect(all.at(-1)?.place).toEqual({ number: rows.length, entries: 0, sent: 0 });
      }),
    );
  });

  test("an entry that was forgotten while it was being told, for its mailbox is gone, is told anew", () => {
    const changes = [change("created", "a"), change("created", "b"), change("created", "c")];
    const row = rowOf(1, [entryOf("m", "", { changes })]);
    const [, second] = movesOf("00", [row], start, everything);
    const forgotten = rowOf(1, [entryOf("m", "", { changes: [], leftOut: 3 })]);
    const moves = movesOf("00", [forgotten], second?.place ?? start, everything);
    expect(inWords(moves.flatMap(({ notification }) => notification ?? []))).toEqual(["updated m/*"]);
  });

  test("the first of them are those with so many notifications, and all that tell nothing up to the next", () => {
    const rows = [rowOf(1, [entryOf("m")]), rowOf(2, [entryOf("other")])];
    const moves = [
      ...movesOf("00", rows, start, { ...everything, mailboxId: "m" }),
      ...movesOf("01", rows, start, everything),
    ];
    expect(notificationsIn(moves)).toBe(3);
    expect(firstMoves(moves, 1).map(({ shard, place }) => [shard, place.number])).toEqual([
      ["00", 1],
      ["00", 2],
    ]);
    expect(firstMoves(moves, 3)).toEqual(moves);
    expect(firstMoves(moves, 0)).toEqual([]);
  });
});
