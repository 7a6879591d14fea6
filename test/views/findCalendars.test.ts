import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { folded } from "../../shared/folded.js";
import { mailboxKey, shardOf } from "../../shared/store/keys.js";
import { newRosterRow } from "../../shared/store/rosterRows.js";
import type { MailboxKind } from "../../shared/sync/mailboxKind.js";
import type { Checkpoint, JsonObject } from "../../shared/sync/types.js";
import type { MemoryTableOptions } from "../../shared/table/memoryTable.js";
import { type FoundView, findLimits } from "../../shared/views/findCalendars.js";
import { fleet } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";
import { checkpoint, row, shardRow, unit } from "../worlds/rows.js";

/** `GET calendars`: what is found over the whole mirror, and how it is paged. */

type Mailbox = {
  readonly kind?: MailboxKind;
  readonly changed?: Partial<Checkpoint>;
  readonly calendars: readonly JsonObject[];
  readonly removed?: readonly JsonObject[];
};
type Page = {
  readonly value: readonly FoundView[];
  readonly oldestSuccess: string | null;
  readonly cursor: string | null;
};

const idOf = (index: number) => `00000000-0000-4000-9000-${String(index).padStart(12, "0")}`;

async function mirrorOf(mailboxes: readonly Mailbox[], table: MemoryTableOptions = {}) {
  const world = fleet({ mailboxes: 0, shards: 4, table });
  await world.store.open();
  for (const [index, { kind = "user", changed = {}, calendars, removed = [] }] of mailboxes.entries()) {
    const mailboxId = idOf(index);
    const told = { displayName: `Person ${index}`, userPrincipalName: `p${index}@contoso.example`, mailboxKind: kind };
    const next = checkpoint(mailboxId, { ...told, ...changed } as Partial<Checkpoint>);
    await world.store.roster.commit([
      { row: newRosterRow(mailboxId, "directory"), etag: null, checkpoint: { next, etag: null } },
    ]);
    const held = await world.store.readMailbox(mailboxId);
    if (held === null) throw new Error("The mailbox was not added.");
    const rows = [...calendars, ...removed].map((resource, at) =>
      row(`c${at}`, { resource, sequence: at + 1, removedMs: at < calendars.length ? null : 9_000 }),
    );
    await world.store.commitUnits([{ ...unit(held, "link", rows), next: { ...next, sequence: rows.length } }], null);
  }
  const http = httpOf(world);
  const page = async (query: string) => (await http.find(query)).body as Page;
  const pages = async (query: string) => {
    const all: Page[] = [];
    for (let cursor: string | null = ""; cursor !== null; cursor = all.at(-1)?.cursor ?? null) {
      if (all.length > 500) throw new Error("The search comes to no end.");
      all.push(await page(`${query}${cursor === "" ? "" : `&cursor=${cursor}`}`));
    }
    return all;
  };
  /** Names of what is found, over all pages. */
  const found = async (query: string) =>
    (await pages(query)).flatMap(({ value }) => value.map(({ calendar }) => String(calendar["name"]))).sort();
  return { world, http, page, pages, found };
}

const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;

describe("GET calendars", () => {
  test("finds a part of a name, whatever its case, over all mailboxes, and says whose each is", async () => {
    const { page } = await mirrorOf([
      { kind: "room", calendars: [{ name: "Holidays in Łódź", canEdit: true, changeKey: "k" }, { name: "Work" }] },
      { calendars: [{ name: "ŁÓDŹ office" }], removed: [{ name: "Old Łódź" }] },
    ]);
    const { value, cursor } = await page(`?name=${encodeURIComponent("łódź")}`);
    expect(cursor).toBeNull();
    expect(value).toHaveLength(2);
    expect(value).toContainEqual({
      mailbox: {
        id: idOf(0),
        displayName: "Person 0",
        userPrincipalName: "p0@contoso.example",
        kind: "room",
        state: "fresh",
        lastSuccess: new Date(2_000).toISOString(),
      },
      calendar: { id: "c0", name: "Holidays in Łódź", canEdit: true, changeKey: "k" },
    });
  });

  test("finds by owner, by what Graph says of it, and by the kind of its mailbox; all that is given must hold", async () => {
    const owned = (address: string) => ({ owner: { name: "x", address } });
    const { found } = await mirrorOf([
      { calendars: [{ name: "a", ...owned("Ann@contoso.example"), isShared: true, canEdit: true }] },
      { kind: "room", calendars: [{ name: "b", ...owned("joann@contoso.example"), isShared: false, canEdit: false }] },
      {
        kind: "room",
        calendars: [
          { name: "c", isDefaultCalendar: true },
          { name: "d", owner: null, canEdit: "yes" },
        ],
      },
    ]);
    expect(await found("?owner=ANN@contoso.example")).toEqual(["a"]);
    expect(await found("?owner=contoso.example")).toEqual([]);
    expect(await found("?shared=true")).toEqual(["a"]);
    expect(await found("?shared=false")).toEqual(["b"]);
    expect(await found("?editable=true")).toEqual(["a"]);
    expect(await found("?editable=false&shared=false")).toEqual(["b"]);
    expect(await found("?default=true")).toEqual(["c"]);
    expect(await found("?kind=room")).toEqual(["b", "c", "d"]);
    expect(await found("?kind=room&editable=true")).toEqual([]);
    expect(await found("?")).toEqual(["a", "b", "c", "d"]);
  });

  test("I3: only mailboxes that are served are searched", async () => {
    const calendars = [{ name: "x" }];
    const { found } = await mirrorOf([
      { calendars: [{ name: "served" }] },
      { calendars, changed: { lastFullRoundMs: null } },
      { calendars, changed: { lifecycle: "suspended" } },
      { calendars, changed: { lifecycle: "removing" } },
      { calendars: [{ name: "parked" }], changed: { parkedReason: "denied:ErrorAccessDenied" } },
    ]);
    expect(await found("?")).toEqual(["parked", "served"]);
  });

  test("a calendar of a row that lacks a column is found by its resource", async () => {
    const { world, found } = await mirrorOf([
      {
        calendars: [
          { name: "old", isShared: true },
          { name: "other", isShared: false },
        ],
      },
    ]);
    for (const { partitionKey, rowKey, columns } of world.table.entities()) {
      if (!rowKey.startsWith("calendar|")) continue;
      const { removed: _removed, isShared: _shared, ...older } = columns;
      await world.table.transact(partitionKey, [{ kind: "upsert", rowKey, columns: older }]);
    }
    expect(await found("?shared=true")).toEqual(["old"]);
    expect(await found("?shared=false&name=oth")).toEqual(["other"]);
  });

  test("I10: a mailbox that cannot be read harms no other, and the log says which", async () => {
    const { world, found } = await mirrorOf([{ calendars: [{ name: "bad" }] }, { calendars: [{ name: "good" }] }]);
    const shard = shardOf(idOf(0), 4);
    const stored = await world.table.get(shard, mailboxKey(idOf(0)));
    const columns = { ...stored?.columns, phase: "odd" };
    await world.table.transact(shard, [{ kind: "upsert", rowKey: mailboxKey(idOf(0)), columns }]);
    expect(await found("?")).toEqual(["good"]);
    expect(world.logged).toEqual([expect.stringContaining("column phase")]);
  });

  test("all pages together hold each match once, however small pages of the table and of the answer are", async () => {
    const resource = fc.record(
      { name: fc.constantFrom("Work", "WORKOUT", "Home", "Straße"), isShared: fc.boolean(), canEdit: fc.boolean() },
      { requiredKeys: ["name"] },
    );
    const mailbox = fc.record({
      kind: fc.constantFrom<MailboxKind>("user", "room", "unknown"),
      calendars: fc.array(resource, { maxLength: 12 }),
    });
    const query = fc.record({
      name: fc.constantFrom("", "work", "STRASSE"),
      shared: fc.constantFrom("", "true", "false"),
      editable: fc.constantFrom("", "true", "false"),
      kind: fc.constantFrom("", "room", "unknown"),
    });
    const pageSize = fc.integer({ min: 1, max: 9 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(mailbox, { maxLength: 30 }),
        query,
        pageSize,
        pageSize,
        async (all, asked, top, size) => {
          const { pages } = await mirrorOf(all, { pageSize: size, emptyPages: size % 2 === 0 });
          const given = await pages(`?top=${top}&${new URLSearchParams(asked)}`);
          const expected = all.flatMap(({ kind, calendars }, index) =>
            calendars.flatMap((calendar, at) => {
              const isFlag = (text: string, flag: boolean | undefined) => text === "" || String(flag) === text;
              const isNamed = folded(calendar.name).includes(folded(asked.name));
              const isKind = asked.kind === "" || asked.kind === kind;
              const isFound =
                isNamed &&
                isKind &&
                isFlag(asked.shared, calendar.isShared) &&
                isFlag(asked.editable, calendar.canEdit);
              return isFound ? [`${idOf(index)} c${at}`] : [];
            }),
          );
          const names = given.map(({ value }) => value.map((one) => `${one.mailbox.id} ${one.calendar.id}`));
          expect(names.flat().sort()).toEqual([...expected].sort());
          // No page goes on once it is full.
          for (const { value } of given) expect(value.slice(0, -12).length).toBeLessThan(top);
        },
      ),
      { seed: 16, numRuns: 60 },
    );
  });

  test("a page that takes too long ends with what it has, and the next goes on from there", async () => {
    const mailboxes = Array.from({ length: 60 }, (_, index) => ({
      calendars: [{ name: index === 59 ? "Needle" : "Hay" }],
    }));
    let queries = 0;
    const { pages, world } = await mirrorOf(mailboxes, {
      pageSize: 3,
      onCall: (name) => {
        if (name === "page") queries += 1;
      },
    });
    // Each query takes as long as a page may.
    Object.defineProperty(world.clock, "ms", { get: () => queries * findLimits.pageMsMax });
    const given = await pages("?name=needle");
    expect(given.length).toBeGreaterThan(3);
    expect(given.flatMap(({ value }) => value)).toHaveLength(1);
  });

  test("says how old the mirror is: when Graph last answered for the mailbox that is the furthest behind", async () => {
    const { world, page } = await mirrorOf([{ calendars: [] }]);
    expect((await page("?")).oldestSuccess).toBeNull();
    const census = { oldestSuccess: { atMs: 60_000, mailbox: "m" } };
    const figures = { atMs: 100_000, census };
    await world.store.writeShardRow({ shard: "00", row: shardRow("run"), etag: null, figures });
    const later = { atMs: 100_000, census: { oldestSuccess: { atMs: 70_000, mailbox: "n" } } };
    await world.store.writeShardRow({ shard: "01", row: shardRow("run"), etag: null, figures: later });
    expect((await page("?")).oldestSuccess).toBe(new Date(60_000).toISOString());
  });

  test.each([
    ["?nam=x"],
    ["?name=a&name=b"],
    [`?name=${"x".repeat(257)}`],
    [`?owner=${"x".repeat(257)}`],
    ["?shared=yes"],
    ["?editable=1"],
    ["?default=TRUE"],
    ["?kind=robot"],
    ["?top=0"],
    ["?top=501"],
    ["?cursor=nonsense"],
    [`?cursor=${Buffer.from("[[[4,null]],4]").toString("base64url")}`],
    [`?cursor=${Buffer.from("[[[1,null],[0,null]],4]").toString("base64url")}`],
  ])("refuses %s", async (query) => {
    const { http } = await mirrorOf([]);
    expect(codeOf(await http.find(query))).toBe("400 invalidRequest");
  });
});

test.each([
  ["Straße", "STRASSE"],
  ["ΟΔΟΣ", "οδοσ"],
  ["ΟΔΟΣ", "οδος"],
  ["Zo\u00e9", "ZOE\u0301"],
  ["\u212aelvin", "kelvin"],
])("%s and %s are alike", (one, other) => {
  expect(folded(one)).toBe(folded(other));
});

test("accents count", () => {
  expect(folded("Zoé")).not.toBe(folded("Zoe"));
});
