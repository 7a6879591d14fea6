import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calendarColumns, calendarOf } from "../../shared/store/calendarRow.js";
import { checkpointColumns, checkpointOf } from "../../shared/store/checkpointRow.js";
import { mailboxKey } from "../../shared/store/keys.js";
import { shardRowColumns, shardRowOf } from "../../shared/store/shardRow.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import { mailboxKinds } from "../../shared/sync/mailboxKind.js";
import { withMarks } from "../../shared/sync/marks.js";
import { tornCheckpoint } from "../../shared/sync/torn.js";
import type { CalendarRow, Checkpoint, JsonObject } from "../../shared/sync/types.js";
import { measureEntity } from "../../shared/table/measure.js";
import type { Columns, Entity } from "../../shared/table/table.js";
import { checkpoint, row, shardRow } from "../worlds/rows.js";

const entityOf = (columns: Columns): Entity => ({ partitionKey: "0a", rowKey: "mailbox|m", etag: "e", columns });
const readCheckpoint = (columns: Columns) => checkpointOf(entityOf(columns));
const readCalendar = (columns: Columns) => calendarOf(entityOf(columns));

const text = fc.string({ unit: "binary", maxLength: 40 });
const label = text.map((any) => any.toWellFormed());
const count = fc.oneof(fc.nat(), fc.maxSafeNat());
const time = fc.integer({ min: Date.UTC(1601, 0, 1), max: Date.UTC(9999, 11, 31) });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const link = fc.oneof(text, fc.constant(`https://graph.example/${"x".repeat(33_000)}`));
const unmarked = { marks: fc.constant(null), roundId: orNull(text) };
const marks = fc.array(count, { minLength: 1 }).map((sequences) => withMarks(null, sequences, 1_000) ?? "0");
const phase = fc.oneof(
  fc.record({ phase: fc.constant("initial" as const), link: fc.constant(null), ...unmarked }),
  fc.record({ phase: fc.constantFrom("full" as const, "incremental" as const), link, ...unmarked }),
  fc.record({ phase: fc.constant("full" as const), link, marks, roundId: text }),
  fc.record({ phase: fc.constant("idle" as const), link: orNull(link), ...unmarked }),
);
const anyCheckpoint: fc.Arbitrary<Checkpoint> = fc
  .tuple(
    fc.record({
      mailboxId: text.filter((id) => id !== ""),
      epoch: text,
      lifecycle: fc.constant("active"),
      strategy: fc.constantFrom("delta" as const, "list" as const),
      generation: count,
      sequence: count,
      loggedState: orNull(fc.constantFrom("unserved" as const, "served" as const, "suspended" as const)),
      loggedSequence: count,
      unlogged: fc.constant(null),
      retiredSequence: count,
      roundReason: fc.constantFrom("first", "changes", "reset", "audit", "confirm", "list", "probe"),
      roundStartedMs: orNull(time),
      pageNumber: count,
      payloadHash: orNull(text),
      payloadRepeats: count,
      notBeforeMs: orNull(time),
      lastSuccessMs: orNull(time),
      lastChangeMs: orNull(time),
      lastFullRoundMs: orNull(time),
      failuresInARow: count,
      resetsInARow: count,
      loopsInARow: count,
      lastErrorCode: orNull(label),
      failingSinceMs: orNull(time),
      lastRequestId: orNull(label),
      parkedReason: orNull(label),
      heldRemovals: orNull(count),
      deltaProbeMs: orNull(time),
      driftFound: count,
      calendarCount: count,
      displayName: orNull(label),
      userPrincipalName: orNull(label),
      mailboxKind: fc.constantFrom(...mailboxKinds),
      lastTick: orNull(text),
      aloneUntilMs: orNull(time),
      walked: orNull(
        fc.record({
          rounds: count,
          pages: count,
          changes: count,
          graphRequests: count,
          throttles: count,
          transactions: count,
        }),
      ),
    }),
    phase,
  )
  .map(([fields, state]) => ({ ...fields, ...state }));

const resource: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.dictionary(fc.oneof(text, fc.constant("__proto__")), fc.jsonValue({ stringUnit: "binary" })),
    fc.constantFrom<JsonObject>(
      {},
      { name: "n".repeat(10_000) },
      { name: "\ud800 lone", owner: { name: "\udfff", address: "a@b" } },
      { text: "😀\u2028".repeat(40_000), owner: null, color: 7, canEdit: "yes" },
      { isDefaultCalendar: true, canEdit: false, changeKey: "key", color: "auto", name: null },
    ),
  )
  .map(([any, known]) => JSON.parse(JSON.stringify({ ...any, ...known })) as JsonObject);
const anyRow: fc.Arbitrary<CalendarRow> = fc.record({
  calendarId: text,
  resource,
  generation: count,
  sequence: count,
  changedMs: time,
  removedMs: orNull(time),
});

describe("checkpoints as columns", () => {
  test("a checkpoint has its fields in one order, read or new: an object that is filled field by field takes four times the memory", () => {
    const fields = Object.keys(newCheckpoint("m", "epoch", null));
    expect(Object.keys(readCheckpoint(checkpointColumns(checkpoint("m"))))).toEqual(fields);
  });

  test("any checkpoint comes back as it was", () => {
    fc.assert(
      fc.property(anyCheckpoint, (any) => {
        const entity = { ...entityOf(checkpointColumns(any)), rowKey: mailboxKey(any.mailboxId) };
        expect(checkpointOf(entity)).toEqual(any);
      }),
    );
  });

  test("the columns have the names and types that people rely on, and null has no column", () => {
    const columns = checkpointColumns(checkpoint("m", { notBeforeMs: 7_000, heldRemovals: 4 }));
    expect(columns).toMatchObject({
      mailboxId: "m",
      phase: "idle",
      sequence: 0,
      notBefore: new Date(7_000),
      lastSuccess: new Date(2_000),
      lastFullRound: new Date(3_000),
      roundStarted: new Date(1_000),
      heldRemovals: 4,
      lastTick: "tick-1",
    });
    for (const name of ["payloadHash", "lastChange", "lastErrorCode", "parkedReason", "deltaProbe"]) {
      expect(columns).not.toHaveProperty(name);
    }
  });

  test("a counter beyond int32 is an exact Int64, and a time beyond the table's range becomes its end", () => {
    const columns = checkpointColumns(checkpoint("m", { sequence: 2 ** 31, notBeforeMs: Number.POSITIVE_INFINITY }));
    expect(columns["sequence"]).toBe(2_147_483_648n);
    expect(readCheckpoint(columns)).toMatchObject({ sequence: 2 ** 31, notBeforeMs: Date.UTC(9999, 11, 31) });
    expect(() => checkpointColumns(checkpoint("m", { sequence: 1.5 }))).toThrow(RangeError);
    expect(() => checkpointColumns(checkpoint("m", { notBeforeMs: Number.NaN }))).toThrow(RangeError);
  });

  test("columns that we do not know are ignored", () => {
    const columns = { ...checkpointColumns(checkpoint("m")), comment: "by hand", commitId: "c", toString: "x" };
    expect(readCheckpoint(columns)).toEqual(checkpoint("m"));
  });

  describe("a full round in hand with marks", () => {
    const walking = checkpoint("m", { phase: "full", link: "https://graph.example/next", marks: "1-3,7" });
    const columns = checkpointColumns(walking);

    test("I3: a release that knows no marks finds a full round that opens next, and no link to go on with", () => {
      const { marks: _, markedLink: __, ...known } = columns;
      expect(columns).toMatchObject({ phase: "initial", markedLink: "https://graph.example/next", marks: "1-3,7" });
      expect(known).not.toHaveProperty("link");
      const { generation, sequence } = walking;
      expect(readCheckpoint(known)).toMatchObject({ phase: "initial", link: null, marks: null, generation, sequence });
    });

    test.each(["marks", "markedLink"])("I3: without %s it starts over", (name) => {
      const { [name]: _, ...few } = columns;
      expect(readCheckpoint(few)).toMatchObject({ phase: "initial", link: null, marks: null });
    });

    test("I3: what such a release has left behind of it means nothing in a row that it has written since", () => {
      const left = { marks: "1-3,7", markedLink: "https://graph.example/next" };
      for (const phase of ["full", "idle"] as const) {
        const later = checkpoint("m", { phase, link: "https://graph.example/later" });
        expect(readCheckpoint({ ...checkpointColumns(later), ...left })).toEqual(later);
      }
      const over = checkpoint("m", { phase: "initial", link: null, roundId: null });
      expect(readCheckpoint({ ...checkpointColumns(over), ...left })).toEqual(over);
    });

    test("I3: marks that cannot be read are refused, not guessed at", () => {
      expect(() => readCheckpoint({ ...columns, marks: "7-1" })).toThrow("column marks holds no ranges of sequences");
    });
  });

  test("a row without a needed column is refused by partition, row and column, and its link is not in the message", () => {
    for (const name of ["mailboxId", "epoch", "strategy", "phase", "generation", "sequence", "retiredSequence"]) {
      const { [name]: _, ...columns } = checkpointColumns(checkpoint("m", { link: "https://secret" }));
      expect(() => readCheckpoint(columns)).toThrow(
        `Row mailbox|m in partition 0a cannot be read: column ${name} is missing.`,
      );
    }
    const { link: _, ...walking } = checkpointColumns(checkpoint("m", { phase: "full" }));
    expect(() => readCheckpoint(walking)).toThrow("column link is missing");
  });

  test("I1, I3: a column that an earlier release did not know is read as if nothing had happened", () => {
    const parked = { parkedReason: "denied:X", heldRemovals: 3, lastErrorCode: "X", deltaProbeMs: 7, notBeforeMs: 9 };
    const columns = checkpointColumns(checkpoint("m", { sequence: 7, loggedSequence: 7, ...parked }));
    const known = ["mailboxId", "epoch", "strategy", "phase", "link", "generation", "sequence", "retiredSequence"];
    const few = Object.fromEntries(Object.entries(columns).filter(([name]) => known.includes(name)));
    const { link, phase, generation, sequence } = checkpoint("m", { sequence: 7 });
    const place = { link, phase, generation, sequence };
    const before = { loggedState: null }; // So the log is told of it once.
    expect(readCheckpoint(few)).toEqual({ ...newCheckpoint("m", "epoch-1", null), ...place, ...before });
  });

  test.each([
    ["active", null, undefined],
    ["active", "denied:X", "denied:X"],
    ["suspended", null, "suspended"],
    ["removing", null, "removing"],
    // Parked by mistake after it has left: that it has left says more.
    ["suspended", "poisonedPage", "suspended"],
  ] as const)(
    "a mailbox that is %s, with the reason %s, says %s in the column that earlier releases know",
    (...row) => {
      const [lifecycle, parkedReason, column] = row;
      const columns = checkpointColumns(checkpoint("m", { lifecycle, parkedReason }));
      expect(columns["parkedReason"]).toBe(column);
      const read = { lifecycle, parkedReason: lifecycle === "active" ? parkedReason : null };
      expect(readCheckpoint(columns)).toMatchObject(read);
    },
  );

  test.each([
    ["phase", "sleeping", "holds none of initial, full, incremental, idle"],
    ["sequence", "12", "holds no whole number from 0"],
    ["sequence", 1.5, "holds no whole number from 0"],
    ["sequence", -1, "holds no whole number from 0"],
    ["mailboxId", "another", "is not that of the row's key"],
    ["lastSuccess", "yesterday", "holds no time"],
    ["epoch", 4, "holds no text"],
  ])("column %s with %j is refused", (name, value, what) => {
    const columns = { ...checkpointColumns(checkpoint("m")), [name]: value };
    expect(() => readCheckpoint(columns)).toThrow(`column ${name} ${what}.`);
  });
});

describe("calendars as columns", () => {
  test("any calendar comes back as it was: names of 10,000 characters, lone surrogates, resources over 64 KiB", () => {
    fc.assert(
      fc.property(anyRow, (any) => {
        expect(readCalendar(calendarColumns("m", any))).toEqual(any);
      }),
    );
  });

  test("no column is longer than the table takes, ends inside a surrogate pair, or holds a lone surrogate", () => {
    fc.assert(
      fc.property(anyRow, (any) => {
        for (const [name, value] of Object.entries(calendarColumns("m", any))) {
          if (typeof value !== "string") continue;
          expect(value.length).toBeLessThanOrEqual(32_000);
          if (name !== "calendarId") expect(value.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test("a long resource stands in numbered columns", () => {
    const columns = calendarColumns("m", row("c", { resource: { text: `a${"😀".repeat(40_000)}` } }));
    expect(Object.keys(columns).filter((name) => name.startsWith("resource"))).toEqual([
      "resource",
      "resource_2",
      "resource_3",
    ]);
  });

  test("the columns to filter by are copies, well-formed, and only where Graph gave that type", () => {
    const owner = { name: "Adele \ud800", address: "adele@contoso.example" };
    const shares = { canShare: true, isShared: false, isSharedWithMe: false, isRemovable: true, hexColor: "" };
    const flags = { isDefaultCalendar: true, canEdit: false, ...shares };
    const given = { name: "Work", owner, color: "auto", changeKey: "k", ...flags };
    expect(calendarColumns("m", row("c", { resource: given, removedMs: 8_000 }))).toEqual({
      mailboxId: "m",
      calendarId: "c",
      resource: JSON.stringify(given),
      generation: 1,
      sequence: 1,
      changed: new Date(5_000),
      removedAt: new Date(8_000),
      name: "Work",
      ownerAddress: "adele@contoso.example",
      ownerName: "Adele \ufffd",
      color: "auto",
      changeKey: "k",
      removed: true,
      ...flags,
    });
    const odd = { name: 7, owner: ["x"], color: null, canEdit: "yes", isShared: 1, hexColor: ["#fff"] };
    const columns = Object.keys(calendarColumns("m", row("c", { resource: odd })));
    expect(columns).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(canEdit|isShared|hexColor)$/)]));
  });

  test("removed says of every row whether it is a tombstone", () => {
    expect(calendarColumns("m", row("c"))).toMatchObject({ removed: false });
    expect(calendarColumns("m", row("c", { removedMs: 8_000 }))).toMatchObject({ removed: true });
  });

  test.each([["not json"], ["[1]"], ["null"]])("a resource of %j is refused by its row", (json) => {
    const columns = { ...calendarColumns("m", row("c")), resource: json };
    expect(() => readCalendar(columns)).toThrow("column resource holds no JSON object.");
  });
});

describe("the shard's row as columns", () => {
  test("a run comes back as it was, and so does a row without a run", () => {
    const running = shardRow("run", "m/1");
    expect(shardRowOf(entityOf(shardRowColumns(running)))).toEqual(running);
    const finished = { ...running, run: { ...shardRow("run").run, from: "a", wrapped: true, finishedMs: 9 } };
    expect(shardRowOf(entityOf(shardRowColumns(finished as typeof running)))).toEqual(finished);
    expect(shardRowOf(entityOf(shardRowColumns({ run: null, log: null })))).toEqual({ run: null, log: null });
    expect(shardRowColumns(running)).toMatchObject({ tick: "tick-1", runStarted: new Date(10_000), cursor: "m/1" });
  });
});

describe("what fits an entity", () => {
  const wide = (count: number, value: Columns[string]) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, value]));

  test("252 columns fit and 253 do not", () => {
    expect(measureEntity("00", "r", wide(252, 1)).tooLarge).toBeNull();
    expect(measureEntity("00", "r", wide(253, 1)).tooLarge).toBe("row of 253 columns, at most 252 fit");
  });

  test("bytes are counted as the service does: two for each UTF-16 unit, with keys and names", () => {
    const columns = { ab: "x😀", n: 1, t: new Date(0), b: true, big: 1n };
    const values = [4 + 2 * 3, 4, 8, 1, 8].reduce((sum, bytes) => sum + bytes);
    expect(measureEntity("00", "row", columns).bytes).toBe(4 + 2 * 5 + 5 * 8 + 2 * 8 + values);
  });

  test("what comes near 1 MiB does not fit, however few bytes of UTF-8 it is", () => {
    expect(measureEntity("00", "r", wide(16, "x".repeat(32_000))).tooLarge).toBeNull();
    expect(measureEntity("00", "r", wide(17, "x".repeat(32_000))).tooLarge).toMatch(/^row of \d+ bytes, at most/);
    expect(measureEntity("00", "r", { text: "x".repeat(32_769) }).tooLarge).toMatch(/^column text is longer/);
  });
});

describe("a torn checkpoint", () => {
  const next = checkpoint("m", {
    sequence: 90,
    loggedState: "served",
    loggedSequence: 20,
    generation: 4,
    lastSuccessMs: 50,
    lastFullRoundMs: 60,
  });

  test("I1: it has no link and no round, keeps its generation, and its sequence is that of the rows so far", () => {
    expect(tornCheckpoint(next, 40)).toMatchObject({
      phase: "initial",
      link: null,
      roundId: null,
      roundStartedMs: null,
      pageNumber: 0,
      payloadHash: null,
      sequence: 40,
      generation: 4,
    });
  });

  test("I12: the log is owed what is written so far, and no more", () => {
    const change = (sequence: number) =>
      ({ kind: "created", sequence, calendarId: "c", name: null, owner: null }) as const;
    const unlogged = { changes: [change(30), change(40), change(41)], leftOut: 2 };
    const before = checkpoint("m", { loggedState: "served", loggedSequence: 29 });
    expect(tornCheckpoint({ ...next, unlogged }, 40, before)).toMatchObject({
      loggedState: "served",
      loggedSequence: 29,
      unlogged: { changes: [{ sequence: 30 }, { sequence: 40 }], leftOut: 2 },
    });
  });

  test("I7: half a unit is no success: the times of the last one stay", () => {
    const before = checkpoint("m", { lastSuccessMs: 5, lastFullRoundMs: null });
    expect(tornCheckpoint(next, 40, before)).toMatchObject({
      lastSuccessMs: 5,
      lastFullRoundMs: null,
      roundReason: "first",
    });
    expect(tornCheckpoint(next, 40)).toMatchObject({ lastSuccessMs: 50, lastFullRoundMs: 60, roundReason: "reset" });
  });
});
