import { describe, expect, test } from "vitest";
import { shardFiguresOf } from "../../shared/figures/shardFigures.js";
import { calendarColumns, calendarOf } from "../../shared/store/calendarRow.js";
import { checkpointColumns, checkpointOf, checkpointTable } from "../../shared/store/checkpointRow.js";
import { rowOf } from "../../shared/store/columns.js";
import { directoryTable } from "../../shared/store/directoryRow.js";
import { mailboxOfKey } from "../../shared/store/keys.js";
import { brakeTable } from "../../shared/store/meta.js";
import { goesBy, rosterColumns, rosterTable } from "../../shared/store/rosterRows.js";
import { shardRowColumns, shardRowOf, shardRunTable } from "../../shared/store/shardRow.js";
import type { Columns } from "../../shared/table/table.js";
import type { Row } from "./frozen.js";
import { releases, upgraded, without } from "./releases.js";

/** Rows as every release has left them: what this one reads of them, and what becomes of them. See CONTRIBUTING, "A column". */

describe.each(releases)("rows of release $release", ({ rows }) => {
  test("every row is read, in its state", async () => {
    const world = await upgraded(rows);
    const store = world.storeOf();
    const states = [...(await world.states()).values()].sort();
    expect(world.logged).toEqual([]); // An unreadable one is reported.
    expect(new Set(states)).toEqual(
      new Set(["fresh", "held", "inProgress", "parked", "removing", "suspended", "waiting"]),
    );
    expect(states).toHaveLength(rows.filter(({ rowKey }) => mailboxOfKey(rowKey) !== null).length);
    const read = { calendars: 0, tombstones: 0, roster: 0 };
    for (const mailboxId of (await world.states()).keys()) {
      const calendars = await store.readCalendars(mailboxId);
      read.calendars += calendars.length;
      read.tombstones += calendars.filter(({ removedMs }) => removedMs !== null).length;
    }
    for (const shard of world.shards) {
      for await (const page of store.roster.pages(shard)) read.roster += page.length;
      expect((await store.readShardRow(shard))?.row.run).not.toBeNull();
      const figures = await store.readFigures(shard);
      expect(figures).not.toBeNull();
      expect(await store.readNewestFigures(shard)).toEqual(figures); // These releases did not keep the newest apart.
      const versions = new Set(shardFiguresOf(figures ?? {}).ticks.map(({ version }) => version));
      expect([...versions]).toEqual([null]); // Nor did they tell which of them did a tick.
    }
    const kindsOf = (start: string) => rows.filter(({ rowKey }) => rowKey.startsWith(start)).length;
    expect(read).toEqual({ calendars: kindsOf("calendar|"), tombstones: 3, roster: kindsOf("roster|") });
    expect((await store.readDirectory())?.state).toMatchObject({ source: "directory", phase: "idle", discovered: 14 });
    expect(await store.readBrake()).toMatchObject({ kind: "throttled", untilMs: Date.UTC(2026, 9, 8, 12, 35) });
  });

  test("since when a mailbox fails, and the answer, are as its row has them, and unknown where the release kept neither", async () => {
    const world = await upgraded(rows);
    for (const { rowKey, columns } of rows) {
      const mailboxId = mailboxOfKey(rowKey);
      if (mailboxId === null) continue;
      const { failingSinceMs, lastRequestId } = (await world.storeOf().readMailbox(mailboxId))?.checkpoint ?? {};
      const since = columns["failingSince"];
      expect({ failingSinceMs, lastRequestId }).toEqual({
        failingSinceMs: since instanceof Date ? since.getTime() : null,
        lastRequestId: columns["lastRequestId"] ?? null,
      });
    }
  });

  test("a row that is written again has all columns that the release looks for, with what they held", () => {
    const again = (row: Row): Columns | null => {
      const entity = { ...row, etag: "" };
      if (mailboxOfKey(row.rowKey) !== null) return checkpointColumns(checkpointOf(entity));
      if (row.rowKey.startsWith("calendar|"))
        return calendarColumns(String(row.columns["mailboxId"]), calendarOf(entity));
      if (row.rowKey.startsWith("roster|")) return rosterColumns(rowOf(rosterTable, entity));
      return row.rowKey === "shard" ? shardRowColumns(shardRowOf(entity)) : null;
    };
    for (const row of rows) {
      // Others are notified from the change log now: a release that looks for this column takes 0, and notifies once more.
      const { commitId: _, nudgedSequence: __, ...before } = row.columns;
      const after = again(row);
      if (after !== null) expect(after).toMatchObject(before);
    }
  });

  test("each user's mailbox is found by its name, in any case after the next pass of discovery", async () => {
    const world = await upgraded(rows);
    const found = async (name: string) => {
      return (await world.storeOf().roster.named(name)).map(({ row }) => row.mailboxId);
    };
    const followed: [string, string][] = [];
    for (const shard of world.shards) {
      for await (const page of world.store.roster.pages(shard)) {
        for (const { row } of page) {
          const { userPrincipalName, mailboxId } = row;
          if (userPrincipalName !== null && goesBy(userPrincipalName, row))
            followed.push([userPrincipalName, mailboxId]);
        }
      }
    }
    expect(followed.length).toBeGreaterThan(10);
    for (const [name, mailboxId] of followed) expect(await found(name)).toEqual([mailboxId]);
    await world.discover();
    for (const [name, mailboxId] of followed) expect(await found(name.toUpperCase())).toEqual([mailboxId]);
  });

  test.each([
    ["as they stand", (columns: Columns) => columns],
    [
      "without any column that has a default",
      (columns: Columns) =>
        [checkpointTable, directoryTable, brakeTable, shardRunTable].reduce(
          (left, table) => without(left, table),
          columns,
        ),
    ],
  ])("I1, I3: rounds over them end with what the mailboxes hold, %s", async (_what, changed) => {
    const world = await upgraded(rows.map((row) => ({ ...row, columns: changed(row.columns) })));
    const staying = [...(await world.states())].filter(([, state]) => state !== "removing");
    await world.discover();
    for (let tick = 0; tick < 4; tick++) await world.tick();
    expect([...(await world.states())]).toEqual(staying.map(([mailboxId]) => [mailboxId, "fresh"]));
    for (const [mailboxId] of staying) {
      const stored = await world.storeOf().readCalendars(mailboxId);
      const mirrored = stored.filter(({ removedMs }) => removedMs === null).map(({ resource }) => resource["id"]);
      const truth = world.graph.truth(mailboxId).map(({ id }) => id);
      expect(mirrored.sort()).toEqual(truth.sort());
    }
  });
});
