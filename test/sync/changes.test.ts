import { expect, test } from "vitest";
import { changesBetween } from "../../shared/sync/changes.js";
import type { CalendarRow } from "../../shared/sync/types.js";
import { nowMs, row } from "../worlds/rows.js";

const shared = (id: string, name: string, more: Partial<CalendarRow> = {}) =>
  row(id, { resource: { id, name, owner: { address: "owner@contoso.com" } }, ...more });
const byId = (rows: readonly CalendarRow[]) => new Map(rows.map((one) => [one.calendarId, one]));
const told = (before: readonly CalendarRow[], after: readonly CalendarRow[]) =>
  changesBetween(byId(before), after).map((change) =>
    change.kind === "replaced"
      ? `${change.kind} ${change.old.calendarId} by ${change.row.calendarId}`
      : `${change.kind} ${change.row.calendarId}`,
  );

test("what was created, updated and removed is reported in the order of the sequence; what stayed is not", () => {
  const before = [shared("a", "A"), shared("b", "B", { sequence: 2 }), shared("c", "C", { sequence: 3 })];
  const after = [
    shared("a", "A"),
    shared("b", "B", { sequence: 6, removedMs: nowMs }),
    shared("c", "renamed", { sequence: 4 }),
    shared("d", "D", { sequence: 5 }),
  ];
  expect(told(before, after)).toEqual(["updated c", "created d", "removed b"]);
});

test("a calendar that went while another of its name and owner came is one replacement", () => {
  const before = [shared("a", "Team"), shared("b", "Team", { sequence: 2 })];
  const after = [
    shared("a", "Team", { sequence: 3, removedMs: nowMs }),
    shared("b", "Team", { sequence: 2 }),
    shared("c", "Team", { sequence: 4 }),
  ];
  expect(told(before, after)).toEqual(["replaced a by c"]);
});

test("without a name or an owner nothing is known to be replaced", () => {
  const after = [row("a", { resource: { id: "a", name: "A" }, sequence: 2, removedMs: nowMs })];
  expect(
    told(
      [row("a", { resource: { id: "a", name: "A" } })],
      [...after, row("b", { resource: { id: "b", name: "A" }, sequence: 3 })],
    ),
  ).toEqual(["removed a", "created b"]);
});

test("a calendar that came back is created again, and one that came and went unseen is no news", () => {
  const before = [shared("a", "A", { removedMs: 1 })];
  const after = [shared("a", "A", { sequence: 2 }), shared("b", "B", { sequence: 4, removedMs: nowMs })];
  expect(told(before, after)).toEqual(["created a"]);
});
