import { describe, expect, test } from "vitest";
import { shardFiguresOf } from "../../shared/figures/shardFigures.js";
import { mailboxKey, shardOf } from "../../shared/store/keys.js";
import { newRosterRow } from "../../shared/store/rosterRows.js";
import type { RosterEntry } from "../../shared/store/store.js";
import { newCheckpoint } from "../../shared/sync/checkpoint.js";
import { type DirectoryState, newDirectory, nobodyLeftOut } from "../../shared/sync/directory.js";
import { type MailboxKind, mailboxKinds } from "../../shared/sync/mailboxKind.js";
import type { MailboxView } from "../../shared/views/mailbox.js";
import type { RosterView } from "../../shared/views/roster.js";
import type { Status } from "../../shared/views/status.js";
import { fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";
import { startMs } from "../worlds/parts.js";
import { readStatus } from "../worlds/status.js";

/** What people see of kinds, names and addresses, over rows as discovery leaves them. */

type Person = readonly [name: string | null, address: string | null, kind: MailboxKind];

const people: readonly Person[] = [
  ["Samantha Booth", "s.booth@contoso.example", "user"],
  ["Boothe, Ann-Marie (Sales)", "am@contoso.example", "user"],
  ["Team: Ops", "ops@contoso.example", "shared"],
  ["Room 4, Łódź", "room.4@contoso.example", "room"],
  ["Project\u00e9 Ztole\u0301k", null, "equipment"],
  [null, null, "unknown"],
];
const idOf = (index: number) => `00000000-0000-4000-9000-${String(index).padStart(12, "0")}`;

function entryOf([displayName, userPrincipalName, mailboxKind]: Person, index: number): RosterEntry {
  const mailboxId = idOf(index);
  const told = { displayName, userPrincipalName, mailboxKind };
  const asked = mailboxKind === "unknown" ? null : startMs;
  const row = { ...newRosterRow(mailboxId, "directory"), ...told, kindAskedMs: asked };
  const next = { ...newCheckpoint(mailboxId, "epoch", displayName), ...told };
  return { row, etag: null, checkpoint: { next, etag: null } };
}

async function opened() {
  const world = fleet({ mailboxes: 1, shards: 2 });
  await world.store.open();
  await world.store.roster.commit(people.map(entryOf));
  const http = httpOf(world);
  const list = async (query: string) => (await http.list(query)).body as { value: MailboxView[] };
  return {
    world,
    http,
    /** Which of the people are listed. */
    found: async (query: string) => {
      const ids = (await list(query)).value.map(({ id }) => id);
      return people.filter((_, index) => ids.includes(idOf(index))).map(([name]) => name);
    },
    statusNow: async () => (await http.status()).body as Status,
    directory: async (state: Partial<DirectoryState>) => {
      const held = await world.store.readDirectory();
      await world.store.writeDirectory({ ...newDirectory("directory"), ...state }, held?.etag ?? null);
    },
  };
}

describe("GET mailboxes/{id}", () => {
  test("tells the kind and the address, of the mailbox and in its roster row, and since when the kind is known", async () => {
    const { http } = await opened();
    const told = { displayName: "Room 4, Łódź", userPrincipalName: "room.4@contoso.example", kind: "room" };
    const kindAsked = new Date(startMs).toISOString();
    expect((await http.get(idOf(3))).body).toMatchObject({ ...told, roster: { ...told, kindAsked } });
    expect((await http.get(idOf(5))).body).toMatchObject({
      displayName: null,
      userPrincipalName: null,
      kind: "unknown",
      roster: { kind: "unknown", kindAsked: null },
    });
  });
});

describe("GET mailboxes", () => {
  test("filters by each kind, also with a state and a search", async () => {
    const { found } = await opened();
    for (const kind of mailboxKinds) {
      const expected = people.filter(([, , own]) => own === kind).map(([name]) => name);
      expect(await found(`?kind=${kind}`)).toEqual(expected);
    }
    expect(await found("?kind=user&search=sam")).toEqual(["Samantha Booth"]);
    expect(await found("?kind=room&search=sam")).toEqual([]);
    expect(await found("?kind=user&state=parked")).toEqual([]);
    expect(await found(`?kind=room&search=${idOf(2)}`)).toEqual([]);
  });

  test.each([
    ["booth", ["Samantha Booth", "Boothe, Ann-Marie (Sales)"]],
    ["BOOTH  sam", ["Samantha Booth"]],
    ["marie", ["Boothe, Ann-Marie (Sales)"]],
    ["ann-marie b", ["Boothe, Ann-Marie (Sales)"]],
    ["sales)", ["Boothe, Ann-Marie (Sales)"]],
    ["ooth", []],
    ["booth nobody", []],
    ["łÓD", ["Room 4, Łódź"]],
    ["4", ["Room 4, Łódź"]],
    ["projecte\u0301 ztol\u00e9k", ["Project\u00e9 Ztole\u0301k"]],
    ["ROOM.4@Contoso", ["Room 4, Łódź"]],
    ["contoso", ["Samantha Booth", "Boothe, Ann-Marie (Sales)", "Team: Ops", "Room 4, Łódź"]],
    ["contoso booth", ["Samantha Booth", "Boothe, Ann-Marie (Sales)"]],
    ["ontoso", []],
    ["am@", ["Boothe, Ann-Marie (Sales)"]],
    ["(", []],
  ])("a search for %j finds %j", async (search, names) => {
    const { found } = await opened();
    expect(await found(`?search=${encodeURIComponent(search)}`)).toEqual(names);
  });

  test("a search goes by the start of an id as well", async () => {
    const { found } = await opened();
    expect(await found(`?search=${idOf(0).slice(0, 20).toUpperCase()}`)).toHaveLength(people.length);
    expect(await found(`?search=${idOf(5)}`)).toEqual([null]);
  });
});

describe("GET status", () => {
  test("I7: counts every mailbox under one kind, over all shards, and those that nobody can read as unknown", async () => {
    const { world, statusNow } = await opened();
    expect(Object.values((await statusNow()).mailboxes.byKind)).toEqual(mailboxKinds.map(() => 0));
    await world.tick();
    const { byKind, byState, total } = (await statusNow()).mailboxes;
    expect(byKind).toEqual({ user: 2, shared: 1, room: 1, equipment: 1, linked: 0, others: 0, unknown: 1 });
    const sumOf = (counts: Readonly<Record<string, number>>) =>
      Object.values(counts).reduce((sum, one) => sum + one, 0);
    expect([sumOf(byKind), sumOf(byState)]).toEqual([total, total]);
    const broken = { kind: "upsert", rowKey: mailboxKey(idOf(0)), columns: { phase: "none" } } as const;
    await world.table.transact(shardOf(idOf(0), world.shards.length), [broken]);
    await world.tick();
    expect((await statusNow()).mailboxes.byKind).toMatchObject({ user: 1, unknown: 2 });
  });

  test("figures of an earlier release have no kinds: nobody is counted under one, and all else is read", () => {
    const stored = { atMs: 1, census: { states: { fresh: 3 }, strategies: { delta: 3 }, calendars: 7 } };
    const { census } = shardFiguresOf(stored);
    expect(census).toMatchObject({ states: { fresh: 3 }, calendars: 7 });
    expect(Object.values(census?.kinds ?? {})).toEqual(mailboxKinds.map(() => 0));
  });

  test("tells by reason who is left out, once a full round has ended, and what to grant for those not looked at", async () => {
    const { directory, statusNow } = await opened();
    const seen = async () => {
      const { leftOut, notLookedAt, notLookedAtNote }: RosterView = (await statusNow()).roster;
      return { leftOut, notLookedAt, notLookedAtNote };
    };
    const unseen = { leftOut: null, notLookedAt: 0, notLookedAtNote: null };
    expect(await seen()).toEqual(unseen);
    await directory({ kindProbe: idOf(0), leftOutSoFar: { ...nobodyLeftOut, disabled: 2, notLookedAt: 1 } });
    expect(await seen()).toEqual({
      leftOut: null,
      notLookedAt: 1,
      notLookedAtNote: expect.stringMatching(/^1 disabled account was not looked at: grant MailboxSettings\.Read/),
    });
    const leftOut = { disabled: 12, guest: 3, noMail: 1, kind: 2 };
    await directory({ leftOut: { ...leftOut, notLookedAt: 0 } });
    expect(await seen()).toEqual({ leftOut, notLookedAt: 0, notLookedAtNote: null });
    await directory({ kindProbe: idOf(0), leftOut: { ...leftOut, notLookedAt: 9 }, leftOutSoFar: nobodyLeftOut });
    expect(await seen()).toMatchObject({
      leftOut,
      notLookedAt: 9,
      notLookedAtNote: expect.stringMatching(/^9 disabled accounts were not looked at: grant MailboxSettings\.Read/),
    });
    await directory({ leftOut: { ...leftOut, notLookedAt: 9 } });
    expect((await seen()).notLookedAtNote).toMatch(/: they are outside the scope of MailboxSettings\.Read, or Graph/);
  });

  test("a roster that is kept by hand leaves nobody out, whatever was discovered before", async () => {
    const { world, directory } = await opened();
    await directory({ leftOut: { ...nobodyLeftOut, disabled: 1, notLookedAt: 1 } });
    const facts = { ...world.facts, source: null };
    expect((await readStatus(world.store, facts, world.clock.ms, 1)).roster).toMatchObject({
      state: "manual",
      leftOut: null,
      notLookedAt: 0,
      notLookedAtNote: null,
    });
  });
});
