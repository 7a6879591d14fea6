import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../shared/sync/decide.js";
import { merge, sameJson } from "../../shared/sync/merge.js";
import { settle } from "../../shared/sync/settle.js";
import type { CalendarRow, Checkpoint, Item, JsonObject, Outcome, Unit } from "../../shared/sync/types.js";
import { checkpointIn, item, lastPage, moment, nowMs, page, removal, row } from "../worlds/rows.js";

function unitFrom(
  before: Checkpoint,
  outcome: Outcome,
  stored: readonly CalendarRow[] = [],
  marksCharsMax = 100,
): Unit {
  const step = decide(before, outcome, moment);
  if (step.kind !== "apply") throw new Error(`expected a page to apply, got ${step.kind}`);
  return settle(step, before, stored, { nowMs, marksCharsMax });
}

const idsOf = (rows: readonly CalendarRow[]) => rows.map(({ calendarId }) => calendarId);

describe("an incremental page", () => {
  const idle = checkpointIn("idle", { sequence: 7 });

  test("I5: adds, updates and removes, each with the next sequence", () => {
    const stored = [row("a"), row("b")];
    const unit = unitFrom(idle, lastPage("d", [item("c"), item("a", { name: "new" }), removal("b")]), stored);
    expect(unit.rows.map(({ calendarId, sequence, removedMs }) => [calendarId, sequence, removedMs])).toEqual([
      ["c", 8, null],
      ["a", 9, null],
      ["b", 10, nowMs],
    ]);
    expect(unit.next).toMatchObject({ sequence: 10, calendarCount: 2, lastChangeMs: nowMs });
  });

  test("I5: a replayed or unchanged item writes nothing and moves no sequence", () => {
    const unit = unitFrom(idle, lastPage("d", [item("a", { name: "a" }), item("a")]), [row("a")]);
    expect(unit).toMatchObject({ rows: [], changes: 0, next: { sequence: 7, lastChangeMs: null } });
  });

  test("I5: a partial item keeps what it leaves out; an explicit null clears", () => {
    const stored = [row("a", { resource: { id: "a", name: "a", color: "auto", hexColor: "#fff" } })];
    const unit = unitFrom(idle, lastPage("d", [item("a", { hexColor: null })]), stored);
    expect(unit.rows[0]?.resource).toEqual({ id: "a", name: "a", color: "auto", hexColor: null });
  });

  test("the last word on an id wins, and counts as one change", () => {
    const outcome = lastPage("d", [removal("a"), item("a", { name: "x" }), item("a", { name: "y" })]);
    const unit = unitFrom(idle, outcome, [row("a")]);
    expect(unit.rows).toHaveLength(1);
    expect(unit).toMatchObject({ changes: 1, rows: [{ resource: { name: "y" }, sequence: 8, removedMs: null }] });
  });

  test("a removal of an unknown or already removed calendar says nothing", () => {
    const unit = unitFrom(idle, lastPage("d", [removal("ghost"), removal("b")]), [
      row("a"),
      row("b", { removedMs: 1 }),
    ]);
    expect(unit).toMatchObject({ rows: [], changes: 0 });
  });

  test("a removed calendar that comes back is alive again, with a new sequence", () => {
    const unit = unitFrom(idle, lastPage("d", [item("b")]), [row("b", { removedMs: 1 })]);
    expect(unit.rows).toMatchObject([{ calendarId: "b", removedMs: null, sequence: 8 }]);
  });

  test("I3: an empty page removes nothing", () => {
    expect(unitFrom(idle, lastPage("d"), [row("a"), row("b")]).rows).toEqual([]);
  });
});

describe("a full round", () => {
  const walking = checkpointIn("full", {
    generation: 2,
    sequence: 7,
    calendarCount: 4,
    lastSuccessMs: 1,
    lastFullRoundMs: 1,
  });

  const three = [row("a", { sequence: 3 }), row("b", { sequence: 4 }), row("c", { sequence: 6 })];

  test("I4: before its last page nothing is removed, and the count is still that of the old calendars", () => {
    const unit = unitFrom(walking, page("next-2", [item("a", { name: "new" })]), three);
    expect(idsOf(unit.rows)).toEqual(["a"]);
    expect(unit.next.calendarCount).toBe(4);
  });

  test("I3, I5: an unchanged calendar is marked by its sequence, and its row is not written", () => {
    const unit = unitFrom(walking, page("next-2", [item("c"), item("a")]), three);
    expect(unit).toMatchObject({ changes: 0, rows: [], next: { sequence: 7, marks: "3,6" } });
    const more = unitFrom(unit.next, page("next-3", [item("b"), item("c")]), three);
    expect(more).toMatchObject({ changes: 0, rows: [], next: { marks: "3-4,6" } });
  });

  test("I3: where the checkpoint has no room for marks, rows take the round's generation, and keep their sequence", () => {
    const marked = { ...walking, marks: "4" };
    const unit = unitFrom(marked, page("next-2", [item("a"), item("c")]), three, 2);
    expect(unit).toMatchObject({ changes: 0, next: { sequence: 7, marks: "4" } });
    expect(unit.rows.map(({ calendarId, generation, sequence }) => [calendarId, generation, sequence])).toEqual([
      ["a", 2, 3],
      ["c", 2, 6],
    ]);
  });

  test("I3, I4: its last page removes what the round has neither written nor marked, and writes no unchanged row", () => {
    const stored = [...three, row("d", { sequence: 7, generation: 2 }), row("old", { sequence: 5, removedMs: 5 })];
    const unit = unitFrom({ ...walking, marks: "3" }, lastPage("end", [item("c"), item("e")]), stored);
    expect(unit.rows.map(({ calendarId, removedMs }) => [calendarId, removedMs])).toEqual([
      ["e", null],
      ["b", nowMs],
    ]);
    expect(unit.next).toMatchObject({ calendarCount: 4, phase: "idle", heldRemovals: null, marks: null });
  });

  test.each(["initial", "idle"] as const)("I5: of one page that changes nothing writes no row, from %s", (phase) => {
    const before = checkpointIn(phase, { strategy: "list", generation: 4, marks: null, lastFullRoundMs: 1 });
    const unit = unitFrom(before, lastPage(null, [item("a"), item("b"), item("c")]), three);
    expect(unit).toMatchObject({ changes: 0, rows: [], next: { generation: 5, calendarCount: 3, phase: "idle" } });
  });

  test("what an audit finds is counted as drift", () => {
    const audit = { ...walking, roundReason: "audit" as const };
    expect(unitFrom(audit, lastPage("d", [item("a", { name: "told by nobody" })]), [row("a")]).next.driftFound).toBe(1);
  });
});

describe("I11: a sudden mass removal", () => {
  const stored = ["a", "b", "c", "d", "e"].map((id) => row(id));
  const walking = checkpointIn("full", { generation: 2, calendarCount: 5, lastSuccessMs: 1, lastFullRoundMs: 1 });

  test("is held: nothing is removed, what is new is kept, and a second full round is due", () => {
    const unit = unitFrom(walking, lastPage("d", [item("a"), item("new")]), stored);
    expect(idsOf(unit.rows)).toEqual(["new"]);
    expect(unit.next).toMatchObject({ phase: "initial", link: null, heldRemovals: 4, roundReason: "confirm" });
    expect(unit.next).toMatchObject({ lastSuccessMs: 1, lastFullRoundMs: 1, calendarCount: 5 });
  });

  test("is applied once a second full round says the same", () => {
    const confirming = { ...walking, generation: 3, heldRemovals: 4 };
    const unit = unitFrom(confirming, lastPage("d", [item("a")]), stored);
    expect(unit.rows.filter(({ removedMs }) => removedMs !== null)).toHaveLength(4);
    expect(unit.next).toMatchObject({ heldRemovals: null, calendarCount: 1, phase: "idle" });
  });

  test("is forgotten when the second full round sees the calendars again", () => {
    const unit = unitFrom(
      { ...walking, heldRemovals: 4 },
      lastPage(
        "d",
        stored.map(({ calendarId }) => item(calendarId)),
      ),
      stored,
    );
    expect(unit).toMatchObject({ changes: 0, next: { heldRemovals: null, calendarCount: 5 } });
  });

  const shared = (id: string, name: string, address = "Owner@contoso.com") => ({
    id,
    name,
    owner: { name: "O", address },
  });

  test("is none where each calendar that went is replaced by one of its name and owner: all six move at once", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const old = names.map((name) => row(name, { resource: shared(name, name) }));
    const moved = names.map((name) => item(`new-${name}`, shared(`new-${name}`, name, "owner@contoso.com")));
    // Half of them came with an earlier page of the round, and are stored.
    const earlier = names
      .slice(0, 3)
      .map((name) => row(`new-${name}`, { resource: shared(`new-${name}`, name), generation: 2, changedMs: nowMs }));
    const before = { ...walking, calendarCount: 6 };
    const unit = unitFrom(before, lastPage("d", moved.slice(3)), [...old, ...earlier]);
    expect(unit.next).toMatchObject({ heldRemovals: null, calendarCount: 6, phase: "idle" });
    expect(idsOf(unit.rows.filter(({ removedMs }) => removedMs !== null))).toEqual(names);
    expect(idsOf(unit.rows.filter(({ removedMs }) => removedMs === null))).toEqual(["new-d", "new-e", "new-f"]);
  });

  test.each([
    { why: "another owner", name: "a", address: "other@contoso.com" },
    { why: "another name", name: "b", address: "owner@contoso.com" },
  ])("is held where what came has $why", ({ name, address }) => {
    const old = ["1", "2", "3"].map((id) => row(id, { resource: shared(id, "a") }));
    const moved = ["4", "5", "6"].map((id) => item(id, shared(id, name, address)));
    const unit = unitFrom({ ...walking, calendarCount: 3 }, lastPage("d", moved), old);
    expect(unit.next.heldRemovals).toBe(3);
  });

  test("is held where the calendar that came has got another owner by the end of the round", () => {
    const old = ["1", "2", "3"].map((id) => row(id, { resource: shared(id, "a") }));
    const came = row("4", { resource: shared("4", "a"), generation: 2, changedMs: nowMs });
    const page = lastPage("d", [item("4", shared("4", "a", "other@contoso.com"))]);
    expect(unitFrom({ ...walking, calendarCount: 3 }, page, [...old, came]).next.heldRemovals).toBe(3);
  });

  test("is held where one calendar came for three of the same name: each replaces one only", () => {
    const old = ["1", "2", "3", "4"].map((id) => row(id, { resource: shared(id, "a") }));
    const unit = unitFrom({ ...walking, calendarCount: 4 }, lastPage("d", [item("5", shared("5", "a"))]), old);
    expect(unit.next.heldRemovals).toBe(3);
  });

  test.each([
    { had: 5, seen: 3, held: false, why: "fewer than half" },
    { had: 4, seen: 2, held: false, why: "fewer than three" },
    { had: 6, seen: 3, held: false, why: "exactly half" },
    { had: 3, seen: 0, held: true, why: "all three" },
  ])("of $had with $seen left ($why): held is $held", ({ had, seen, held }) => {
    const ids = Array.from({ length: had }, (_, index) => `c${index}`);
    const before = { ...walking, calendarCount: had };
    const unit = unitFrom(
      before,
      lastPage(
        "d",
        ids.slice(0, seen).map((id) => item(id)),
      ),
      ids.map((id) => row(id)),
    );
    expect(unit.next.heldRemovals !== null).toBe(held);
  });

  test("of a mailbox that was never served is none: what rounds that came to no end left behind goes at once", () => {
    const first = { ...walking, calendarCount: 0, lastSuccessMs: null, lastFullRoundMs: null };
    const unit = unitFrom(first, lastPage("d", [item("new")]), stored);
    expect(unit.rows.filter(({ removedMs }) => removedMs !== null)).toHaveLength(5);
    expect(unit.next).toMatchObject({ heldRemovals: null, calendarCount: 1, phase: "idle", lastFullRoundMs: nowMs });
  });

  test("removals that Graph names are applied at once, however many", () => {
    const unit = unitFrom(
      checkpointIn("idle", { calendarCount: 5 }),
      lastPage(
        "d",
        stored.map(({ calendarId }) => removal(calendarId)),
      ),
      stored,
    );
    expect(unit.next).toMatchObject({ heldRemovals: null, calendarCount: 0 });
  });
});

describe("merge", () => {
  test("an own property named __proto__ is data and reaches no prototype", () => {
    const hostile = JSON.parse('{"__proto__":{"polluted":true},"name":"x"}');
    const merged = merge({ id: "a" }, hostile);
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(JSON.stringify(merged)).toBe('{"id":"a","__proto__":{"polluted":true},"name":"x"}');
    expect(sameJson(merged, merge(merged, hostile))).toBe(true);
  });

  test.each<[string, JsonObject, boolean]>([
    ["less", { name: "a" }, true],
    ["the same in another order", { owner: { b: 2, a: [1] }, name: "a" }, true],
    ["another value", { owner: { a: [2], b: 2 } }, false],
    ["a null", { name: null }, false],
    ["more", { name: "a", color: "auto" }, false],
    ["more of OData's", { "@odata.type": "#microsoft.graph.calendar" }, false],
  ])("I5: an item that says %s leaves the stored object as it is: %s", (_what, change, isSame) => {
    const stored = { name: "a", owner: { a: [1], b: 2 } };
    const merged = merge(stored, { "@removed": null, ...change });
    expect(merged === stored).toBe(isSame);
    expect(merged).toEqual({ ...stored, ...change });
  });

  test("I5: merging an item twice is merging it once, and the order of properties says nothing", () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(json, json, (stored, change) => {
        const once = merge(stored as never, change as never);
        expect(sameJson(merge(once, change as never), once)).toBe(true);
        const turned = Object.fromEntries(Object.entries(once).reverse());
        if (!Object.hasOwn(once, "__proto__")) expect(sameJson(turned as never, once)).toBe(true);
      }),
    );
  });
});

test("I1, I5: however a page's items are ordered and repeated, applying it twice is applying it once", () => {
  const calendarId = fc.constantFrom("a", "b", "c", "d");
  const anyItem: fc.Arbitrary<Item> = fc.oneof(
    fc.tuple(calendarId, fc.constantFrom("x", "y")).map(([id, name]) => item(id, { name })),
    calendarId.map((id) => removal(id)),
  );
  fc.assert(
    fc.property(fc.array(anyItem, { maxLength: 12 }), (items) => {
      const before = checkpointIn("idle", { sequence: 3 });
      const stored = [row("a"), row("b"), row("c", { removedMs: 1 })];
      const first = unitFrom(before, lastPage("d", items), stored);
      const after = new Map([...stored, ...first.rows].map((each) => [each.calendarId, each]));
      const again = unitFrom({ ...first.next }, lastPage("d", items), [...after.values()]);
      expect(again.changes).toBe(0);
      const alive = [...after.values()].filter(({ removedMs }) => removedMs === null).length;
      if (first.rows.length > 0) expect(first.next.calendarCount).toBe(alive);
    }),
  );
});
