import { describe, expect, test } from "vitest";
import { calendarColumns } from "../../shared/store/calendarRow.js";
import { calendarKey } from "../../shared/store/keys.js";
import type { CalendarLabels, LabelsAsk } from "../../shared/store/store.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { row, unit } from "../worlds/rows.js";
import { added, type StoreWorld, shard, storeOn, storeWorld } from "../worlds/store.js";
import type { NewTable } from "../worlds/tables.js";

/** What every Store must tell of a shard's calendars for a search. */
export function labelsContract(name: string, newTable: NewTable): void {
  const all: LabelsAsk = { afterMailbox: null, canEdit: null, isDefaultCalendar: null };

  async function readAll(store: StoreWorld["store"], ask: Partial<LabelsAsk> = {}): Promise<readonly CalendarLabels[]> {
    const found: CalendarLabels[] = [];
    for await (const page of store.readLabels(shard, { ...all, ...ask })) found.push(...page);
    return found;
  }

  async function opened() {
    const world = await storeWorld(newTable);
    const calendars: Readonly<Record<string, readonly JsonObject[]>> = {
      m: [
        { name: "m0", canEdit: true, isShared: true, owner: { address: "O@x" } },
        { name: "m1", canEdit: false },
      ],
      "m-": [{ name: "m-0", isDefaultCalendar: true }],
      "m}": [{ name: "m}0", canEdit: true, isDefaultCalendar: false }],
      n: [{ name: "n0", canEdit: true, isDefaultCalendar: true, isShared: false }],
    };
    for (const [mailboxId, resources] of Object.entries(calendars)) {
      const held = await added(world.store, mailboxId);
      const rows = resources.map((resource, index) => row(`c${index}`, { resource, sequence: index + 1 }));
      await world.commit([unit(held, "link", rows)]);
    }
    return world;
  }

  describe(`${name}: what calendars are found by`, () => {
    test("is read of all calendars of a shard, a mailbox's together, and from after any mailbox on", async () => {
      const { store } = await opened();
      const labels = await readAll(store);
      const order = [...new Set(labels.map(({ mailboxId }) => mailboxId))];
      expect([...order].sort()).toEqual(["m", "m-", "m}", "n"]);
      expect(labels.map((one) => one.mailboxId)).toEqual(
        order.flatMap((id) => labels.flatMap((one) => (one.mailboxId === id ? [id] : []))),
      );
      for (const [index, afterMailbox] of order.entries()) {
        const rest = await readAll(store, { afterMailbox });
        expect(rest).toEqual(labels.filter(({ mailboxId }) => order.indexOf(mailboxId) > index));
      }
      expect(labels).toContainEqual({
        mailboxId: "m",
        removed: false,
        name: "m0",
        ownerAddress: "O@x",
        isShared: true,
      });
    });

    test("the table filters by Booleans: what Graph did not say is neither", async () => {
      const { store } = await opened();
      const named = async (ask: Partial<LabelsAsk>) => (await readAll(store, ask)).map((one) => one.name).sort();
      expect(await named({ canEdit: true })).toEqual(["m0", "m}0", "n0"]);
      expect(await named({ canEdit: false })).toEqual(["m1"]);
      expect(await named({ canEdit: true, isDefaultCalendar: true })).toEqual(["n0"]);
      expect(await named({ isDefaultCalendar: true, afterMailbox: "m" })).not.toContain("m0");
    });

    test("tells what one column cannot, or a row of an earlier release does not, as not known; and tombstones", async () => {
      const { store, table, commit } = await storeWorld(newTable);
      const held = await added(store, "m");
      const rows = [
        row("gone", { removedMs: 7_000, resource: { name: "gone" } }),
        row("long", { resource: { name: "x".repeat(40_000) } }),
      ];
      await commit([unit(held, "link", rows)]);
      const {
        isShared: _shared,
        removed: _removed,
        ...older
      } = calendarColumns("m", row("old", { resource: { name: "old", isShared: true } }));
      await table.transact(shard, [{ kind: "create", rowKey: calendarKey("m", "old"), columns: older }]);
      const labels = { mailboxId: "m", removed: false, ownerAddress: null };
      expect(await readAll(store)).toEqual([
        { ...labels, removed: true, name: "gone", isShared: null },
        { ...labels, name: undefined, isShared: null },
        { ...labels, name: "old", isShared: undefined },
      ]);
    });

    test("I10: a row that cannot be read is reported, and the others are read", async () => {
      const { table } = await opened();
      const columns = { ...calendarColumns("m", row("bad")), removedAt: "never" };
      await table.transact(shard, [{ kind: "create", rowKey: calendarKey("m", "bad"), columns }]);
      const unreadable: string[] = [];
      const store = storeOn(table, { onUnreadable: ({ message }) => unreadable.push(message) });
      expect(await readAll(store)).toHaveLength(5);
      expect(unreadable).toEqual([expect.stringContaining("column removedAt holds no time")]);
    });
  });
}
