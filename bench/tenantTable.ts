import { createGraph } from "../local/graph/graph.js";
import { randomFrom } from "../local/graph/random.js";
import { calendarColumns } from "../shared/store/calendarRow.js";
import { checkpointColumns } from "../shared/store/checkpointRow.js";
import { calendarKey, logKey, mailboxKey, shardNames, shardOf, shardRowKey } from "../shared/store/keys.js";
import { logColumns } from "../shared/store/logRow.js";
import { shardRowColumns } from "../shared/store/shardRow.js";
import type { LogEntry, MailboxEvent } from "../shared/sync/changeLog.js";
import type { CalendarRow, Checkpoint, JsonObject } from "../shared/sync/types.js";
import { type Action, type Table, tableLimits } from "../shared/table/table.js";
import { checkpoint } from "../test/worlds/rows.js";

/** The rows of a mirror as runs would have left them, written right into the table: rounds would take minutes. */

type Mailbox = { readonly id: string; readonly calendars: readonly JsonObject[] };
type Written = { readonly next: Checkpoint; readonly rows: readonly CalendarRow[]; readonly entry: LogEntry };

const atMs = Date.UTC(2026, 0, 1);

/** Simulated mailboxes and their calendars, shard by shard. */
export function mailboxesByShard(
  size: { readonly mailboxes: number; readonly calendars: number },
  shards: number,
): ReadonlyMap<string, readonly Mailbox[]> {
  const graph = createGraph({ clock: { nowMs: () => atMs }, random: randomFrom(1), ...size });
  const found = new Map<string, Mailbox[]>(shardNames(shards).map((shard) => [shard, []]));
  for (const id of graph.mailboxes.ids()) {
    found.get(shardOf(id, shards))?.push({ id, calendars: graph.truth(id) as unknown as readonly JsonObject[] });
  }
  return found;
}

/** All rows of a shard, as after its first sync. @returns How many rows of its log it took. */
export async function fillShard(table: Table, shard: string, mailboxes: readonly Mailbox[]): Promise<number> {
  const written = mailboxes.map(({ id, calendars }) => writtenOf(id, 0, calendars, "joined"));
  return writeShard(table, shard, written, 0);
}

/** One calendar of each of these mailboxes has a new name. @param logNumber Of the last row of the shard's log. */
export async function renameIn(table: Table, shard: string, mailboxes: readonly Mailbox[], logNumber: number) {
  const written = mailboxes.map(({ id, calendars }) => {
    const [first = {}] = calendars;
    return writtenOf(id, calendars.length, [{ ...first, name: "Renamed" }], null);
  });
  await writeShard(table, shard, written, logNumber);
}

function writtenOf(
  mailboxId: string,
  from: number,
  calendars: readonly JsonObject[],
  event: MailboxEvent | null,
): Written {
  const rows = calendars.map((resource, index) => ({
    calendarId: String(resource["id"]),
    resource,
    generation: 1,
    sequence: from + index + 1,
    changedMs: atMs,
    removedMs: null,
  }));
  const to = from + rows.length;
  const next = checkpoint(mailboxId, { sequence: to, loggedSequence: to, loggedState: "served" });
  return { next, rows, entry: { mailboxId, epoch: next.epoch, from, to, event, changes: [], leftOut: 0 } };
}

/** Full transactions, each with the shard's row and a row of its log. @returns The number of the last one. */
async function writeShard(table: Table, shard: string, all: readonly Written[], logNumber: number): Promise<number> {
  let number = logNumber;
  let group: Written[] = [];
  const commit = async () => {
    if (group.length === 0) return;
    number += 1;
    const shardRow = shardRowColumns({ run: null, log: { number, nudgedNumber: number } });
    const actions: Action[] = [
      { kind: "upsert", rowKey: shardRowKey, columns: shardRow },
      {
        kind: "upsert",
        rowKey: logKey(number),
        columns: logColumns(
          atMs,
          group.map(({ entry }) => entry),
        ),
      },
      ...group.flatMap(actionsOf),
    ];
    group = [];
    const answer = await table.transact(shard, actions);
    if (answer.kind === "refused") throw new Error(`The table refuses the rows: ${answer.code}`);
  };
  for (const written of all) {
    const operations = [...group, written].reduce((sum, { rows }) => sum + 1 + rows.length, 2);
    if (operations > tableLimits.operationsPerTransaction) await commit();
    group.push(written);
  }
  await commit();
  return number;
}

function actionsOf({ next, rows }: Written): readonly Action[] {
  const { mailboxId } = next;
  return [
    { kind: "upsert", rowKey: mailboxKey(mailboxId), columns: checkpointColumns(next) },
    ...rows.map(
      (row): Action => ({
        kind: "upsert",
        rowKey: calendarKey(mailboxId, row.calendarId),
        columns: calendarColumns(mailboxId, row),
      }),
    ),
  ];
}
