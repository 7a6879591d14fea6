import { describe, expect, test } from "vitest";
import type { LoggedChange, Unlogged } from "../../shared/sync/changeLog.js";
import { decide } from "../../shared/sync/decide.js";
import { detailUnitsMax, isUnlogged, logged, noted } from "../../shared/sync/logged.js";
import { settle } from "../../shared/sync/settle.js";
import { tornCheckpoint } from "../../shared/sync/torn.js";
import type { CalendarRow, Checkpoint, JsonObject, Outcome } from "../../shared/sync/types.js";
import { checkpoint, checkpointIn, item, lastPage, moment, nowMs, page, removal, row } from "../worlds/rows.js";

/** What the change log is to tell of a mailbox after a page. */
function toldOf(before: Checkpoint, outcome: Outcome, stored: readonly CalendarRow[]): Unlogged | null {
  const step = decide(before, outcome, moment);
  if (step.kind !== "apply") throw new Error(`expected a page to apply, got ${step.kind}`);
  return settle(step, before, stored, { nowMs, marksCharsMax: 100 }).next.unlogged;
}

const idle = checkpointIn("idle", { sequence: 7 });
const owner = { name: "Alex Wilber", address: "alex@contoso.com" };
const alive = (id: string, resource: JsonObject = {}) => row(id, { resource: { id, name: id, ...resource } });
const created = (sequence: number, text = "", kind: "created" | "updated" = "created"): LoggedChange => ({
  kind,
  sequence,
  calendarId: `calendar-${sequence}`,
  name: text,
  owner: null,
});

describe("I12: what a page changed, as the log tells it", () => {
  test("created and removed, each with its sequence, name and owner", () => {
    const told = toldOf(idle, lastPage("d", [item("c", { name: "Travel", owner }), removal("b")]), [alive("b")]);
    expect(told).toEqual({
      changes: [
        { kind: "created", sequence: 8, calendarId: "c", name: "Travel", owner: "alex@contoso.com" },
        { kind: "removed", sequence: 9, calendarId: "b", name: "b", owner: null },
      ],
      leftOut: 0,
    });
  });

  test("updated: what differs, before and after; what came is only after it, annotations and change key are in neither", () => {
    const stored = alive("a", { color: "auto", changeKey: "1", canEdit: true });
    const now = { name: "new", changeKey: "2", hexColor: "#fff", canEdit: true, "@odata.etag": "x" };
    expect(toldOf(idle, lastPage("d", [item("a", now)]), [stored])?.changes).toEqual([
      {
        kind: "updated",
        sequence: 8,
        calendarId: "a",
        name: "new",
        owner: null,
        before: { name: "a" },
        after: { name: "new", hexColor: "#fff" },
      },
    ]);
  });

  test("replaced: the one that came, with the id of the one that went, within one page", () => {
    const stored = [alive("old", { name: "Team", owner })];
    const told = toldOf(idle, lastPage("d", [removal("old"), item("new", { name: "Team", owner })]), stored);
    expect(told?.changes).toMatchObject([{ kind: "replaced", sequence: 8, calendarId: "new", replacedId: "old" }]);
  });

  test("replaced also where an earlier page of the full round has brought the new one", () => {
    const more = { generation: 2, sequence: 7, lastSuccessMs: 1, lastFullRoundMs: 1 };
    const walking = checkpointIn("full", more);
    const resource = (id: string) => ({ id, name: "Team", owner });
    const stored = [
      row("new", { resource: resource("new"), generation: 2, sequence: 7, changedMs: nowMs }),
      row("old", { resource: resource("old"), generation: 1, sequence: 3 }),
    ];
    expect(toldOf(walking, lastPage("d"), stored)?.changes).toEqual([
      { kind: "replaced", sequence: 8, calendarId: "new", name: "Team", owner: owner.address, replacedId: "old" },
    ]);
  });

  test("pages follow one another in the order of their sequences until the log has told of them", () => {
    const unlogged = { changes: [created(7)], leftOut: 2 };
    const told = toldOf({ ...idle, unlogged }, lastPage("d", [item("c")]), []);
    expect(told?.leftOut).toBe(2);
    expect(told?.changes.map(({ sequence }) => sequence)).toEqual([7, 8]);
  });

  test("a page that changes nothing adds nothing", () => {
    expect(toldOf(idle, lastPage("d", [item("a")]), [alive("a")])).toBeNull();
  });

  test("nothing is told before the first full round has ended, nor of the page that ends it", () => {
    const first = checkpointIn("full", { lastFullRoundMs: null });
    expect(toldOf(first, page("next-2", [item("a")]), [])).toBeNull();
    expect(toldOf(first, lastPage("d", [item("a")]), [])).toBeNull();
  });
});

describe("I12: how much is told of one mailbox", () => {
  const values = { before: { name: "x".repeat(6_000) }, after: { name: "y".repeat(6_000) } };
  const large = (sequence: number): LoggedChange => ({ ...created(sequence, "", "updated"), ...values });

  test("what fits stands as it is", () => {
    expect(noted(null, [large(1)])).toEqual({ changes: [large(1)], leftOut: 0 });
    expect(noted(null, [])).toBeNull();
  });

  test("values go first", () => {
    const told = noted({ changes: [large(1)], leftOut: 0 }, [large(2)]);
    expect(told).toEqual({ changes: [created(1, "", "updated"), created(2, "", "updated")], leftOut: 0 });
  });

  test("then the latest changes, which are counted with those left out before", () => {
    const all = Array.from({ length: 1_000 }, (_, index) => created(index + 1));
    const told = noted({ changes: [], leftOut: 5 }, all);
    const kept = told?.changes.length ?? 0;
    expect(told?.changes).toEqual(all.slice(0, kept));
    expect(kept + (told?.leftOut ?? 0)).toBe(1_005);
    expect(kept).toBeGreaterThan(0);
    expect(JSON.stringify(told?.changes).length).toBeLessThanOrEqual(detailUnitsMax);
  });
});

describe("I12: the entry that is owed for a mailbox", () => {
  const served = checkpoint("m", { sequence: 9, loggedSequence: 7, loggedState: "served" });
  const unlogged = { changes: [created(8), created(9)], leftOut: 1 };

  test("goes from the last sequence told up to now, and the checkpoint owes nothing after it", () => {
    const { entry, next } = logged({ ...served, unlogged });
    expect(entry).toEqual({ mailboxId: "m", epoch: "epoch-1", from: 7, to: 9, event: null, ...unlogged });
    expect(next).toEqual({ ...served, loggedSequence: 9, unlogged: null });
    expect(logged(next)).toEqual({ entry: null, next });
  });

  test.each([
    ["unserved", "active", "joined"],
    ["served", "suspended", "suspended"],
    ["suspended", "active", "resumed"],
    ["unserved", "suspended", "suspended"],
    [null, "active", null],
  ] as const)("of one last told as %s, which is %s now, tells %s", (loggedState, lifecycle, event) => {
    const before = { ...served, lifecycle, loggedState, sequence: 7 } as Checkpoint;
    expect(logged(before).entry).toMatchObject({ event, from: 7, to: 7, changes: [] });
    expect(logged(logged(before).next).entry).toBeNull();
  });

  test("of an earlier release's mailbox is one from 0, with neither event nor changes", () => {
    const { entry } = logged({ ...served, loggedState: null, loggedSequence: 0 });
    expect(entry).toMatchObject({ from: 0, to: 9, event: null, changes: [], leftOut: 0 });
  });

  test("is none before the first full round has ended, and none for one that is being removed", () => {
    const first = { ...served, lastFullRoundMs: null, loggedState: "unserved", loggedSequence: 0 } as const;
    expect(logged(first)).toEqual({ entry: null, next: first });
    expect(isUnlogged(first)).toBe(false);
    expect(isUnlogged(served)).toBe(true);
    expect(isUnlogged({ ...served, lifecycle: "removing" } as Checkpoint)).toBe(false);
  });

  test("of a torn unit is still owed, for the changes that are written", () => {
    const { next } = logged({ ...served, unlogged });
    const torn = tornCheckpoint(next, 8, { ...served, unlogged: null }, unlogged);
    expect(logged(torn).entry).toMatchObject({ from: 7, to: 8, event: null, changes: [created(8)] });
  });
});
