import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calendarColumns, calendarOf } from "../../shared/store/calendarRow.js";
import { checkpointColumns, checkpointOf } from "../../shared/store/checkpointRow.js";
import { readDirectory } from "../../shared/store/directoryRow.js";
import { calendarKey, escapeKey, mailboxKey, rosterKey, unescapeKey } from "../../shared/store/keys.js";
import { readBrake, readFeedKey } from "../../shared/store/meta.js";
import { createStore } from "../../shared/store/store.js";
import { LayoutError, RowError, StorageError } from "../../shared/table/errors.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import type { Columns, ColumnValue } from "../../shared/table/table.js";
import { keyUnitsMax } from "../../shared/table/table.js";
import { checkpoint, row } from "../worlds/rows.js";
import { calendarId, hostileJson, hostileText } from "./hostile.js";
import { runs } from "./runs.js";

/** What people or an older release may have left in a column. */
const value: fc.Arbitrary<ColumnValue> = fc.oneof(
  hostileText,
  fc.integer(),
  fc.constantFrom(-1, 0.5, Number.MAX_SAFE_INTEGER, true, false),
  fc.date({ noInvalidDate: true, min: new Date("1601-01-01"), max: new Date("9999-12-31") }),
  hostileJson.map((json) => JSON.stringify(json)),
);

/** Columns that were right, with some of them changed or gone. */
function distorted(columns: Columns): fc.Arbitrary<Columns> {
  const names = [...Object.keys(columns), "link_2", "resource_2", "__proto__", "unknown"];
  return fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4 }),
      fc.subarray(Object.keys(columns), { maxLength: 2 }),
    )
    .map(([changed, gone]) => {
      const kept = Object.entries({ ...columns, ...changed }).filter(([name]) => !gone.includes(name));
      return Object.fromEntries(kept);
    });
}

const table = { partitionKey: "00", rowKey: mailboxKey("adele"), etag: "etag" };
const whole = checkpointColumns(checkpoint("adele", { walked: null, notBeforeMs: 5, heldRemovals: 2 }));
const calendar = calendarColumns("adele", row("work"));

describe("I7: a row that somebody else wrote is read as it stands, or refused by a RowError that names the column", () => {
  test.each([
    ["checkpoint", distorted(whole), checkpointOf],
    ["calendar", distorted(calendar), calendarOf],
  ] as const)("%s", (_what, columns, read) => {
    fc.assert(
      fc.property(columns as fc.Arbitrary<Columns>, (given) => {
        try {
          expect(read({ ...table, columns: given })).toBeTypeOf("object");
        } catch (error) {
          expect(error).toBeInstanceOf(RowError);
          expect((error as RowError).message).toMatch(/column/i);
        }
      }),
      runs(1000),
    );
  });

  test("in a table whose rows anybody may have touched, the store reads, or throws an error of its own", async () => {
    const keys = ["shard", "figures", mailboxKey("adele"), rosterKey("adele"), calendarKey("adele", "work")];
    const rows = fc.array(
      fc.tuple(
        fc.constantFrom(...keys),
        fc.oneof(
          distorted(whole),
          distorted(calendar),
          fc.dictionary(fc.constantFrom("run", "figures", "state"), value),
        ),
      ),
    );
    const meta = fc.array(
      fc.tuple(
        fc.constantFrom("layout", "brake", "directory", "feedkey"),
        fc.dictionary(fc.constantFrom("until", "key", "version", "shards", "phase"), value),
      ),
      { maxLength: 2 },
    );
    await fc.assert(
      fc.asyncProperty(rows, meta, async (some, others) => {
        const real = memoryTable();
        await real.createIfMissing();
        for (const [partition, given] of [
          ["00", some],
          ["~meta", others],
        ] as const) {
          for (const [rowKey, columns] of given) {
            const answer = await real.transact(partition, [{ kind: "upsert", rowKey, columns }]);
            fc.pre(answer.kind === "done");
          }
        }
        const unreadable: Error[] = [];
        const store = createStore({
          table: real,
          shards: 1,
          newCommitId: () => "id",
          onUnreadable: (error) => unreadable.push(error),
        });
        const reads: (() => Promise<unknown>)[] = [
          () => store.open(),
          () => store.readMailbox("adele"),
          () => store.readCalendars("adele"),
          () => store.readCalendar("adele", "work"),
          () => store.readShardRow("00"),
          () => store.readFigures("00"),
          () => store.readBrake(),
          () => store.roster.read("adele"),
          () => readBrake(real),
          () => readDirectory(real),
          () => readFeedKey(real, () => new Uint8Array(32)),
          async () => {
            for await (const page of store.readMailboxes("00", { after: null, upTo: null }))
              expect(page).toBeInstanceOf(Array);
          },
        ];
        for (const read of reads) {
          await read().catch((error: unknown) => {
            const isOwn = [RowError, StorageError, LayoutError].some((kind) => error instanceof kind);
            if (!isOwn) throw error;
          });
        }
        for (const error of unreadable) expect(error).toBeInstanceOf(RowError);
      }),
      runs(300),
    );
  });
});

const id = fc.oneof(calendarId, hostileText).filter((text) => text !== ""); // Pages with an empty id are refused.

describe("keys", () => {
  test("an id becomes a key that Azure takes, of 512 units at most, and no two ids share one", () => {
    fc.assert(
      fc.property(id, id, (one, other) => {
        const key = calendarKey("adele", one);
        expect(key.length).toBeLessThanOrEqual(keyUnitsMax);
        expect(key).not.toMatch(/[/\\#?%]|\p{Cc}|\p{Cs}/u);
        if (one !== other) expect(calendarKey("adele", other)).not.toBe(key);
      }),
      runs(1000),
    );
  });

  test("escaping is undone to the letter", () => {
    fc.assert(
      fc.property(id, (text) => {
        expect(unescapeKey(escapeKey(text))).toBe(text);
      }),
      runs(1000),
    );
  });
});
