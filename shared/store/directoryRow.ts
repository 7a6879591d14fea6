import { type DirectoryState, directoryPhases, type RosterHold } from "../sync/directory.js";
import { StorageError } from "../table/errors.js";
import type { Action, Columns, Entity, Table } from "../table/table.js";
import {
  columnsOf,
  count,
  defaulted,
  flag,
  label,
  needed,
  nullable,
  oneOf,
  partOf,
  type RowTable,
  rowOf,
  text,
  time,
} from "./columns.js";
import { commitIdColumn } from "./entities.js";
import { metaPartition, metaRows } from "./keys.js";

/** The roster's checkpoint as stored, with the ETag that fences discoverers against each other (I2). */
export type DirectoryHeld = { readonly state: DirectoryState; readonly etag: string };

/** Null: the roster was never discovered. */
export async function readDirectory(table: Table): Promise<DirectoryHeld | null> {
  const entity = await table.get(metaPartition, metaRows.directory);
  return entity === null ? null : { state: directoryOf(entity), etag: entity.etag };
}

/** Writes the roster's checkpoint under the ETag of the one that was read; null writes the first one. */
export async function writeDirectory(
  table: Table,
  state: DirectoryState,
  etag: string | null,
  commitId: string,
): Promise<DirectoryHeld | "superseded"> {
  const rowKey = metaRows.directory;
  const columns = { ...directoryColumns(state), [commitIdColumn]: commitId };
  const action: Action =
    etag === null ? { kind: "create", rowKey, columns } : { kind: "update", rowKey, columns, etag };
  const answer = await table.transact(metaPartition, [action]);
  if (answer.kind === "done") return { state, etag: answer.etags[0] ?? "" };
  if (answer.reason !== "conflict") throw new StorageError("write directory", metaPartition, 400, answer.code);
  const stored = await table.get(metaPartition, rowKey);
  const isOurs = stored?.columns[commitIdColumn] === commitId; // Our own success, whose answer was lost.
  return isOurs && stored !== null ? { state, etag: stored.etag } : "superseded";
}

/** The columns of what is held; without the first there is nothing. */
export const holdTable: RowTable<RosterHold> = {
  leaving: needed("heldLeaving", count, "how many would leave by the pass that is held"),
  of: needed("heldOf", count, "of how many"),
  sinceMs: needed("heldSince", time, "since when"),
  generation: needed("heldGeneration", count, "the full round that said so"),
  needsRelease: defaulted("heldNeedsRelease", flag, false, "whether an operator alone confirms it"),
};

/** Discovery's columns. By a guess at the needed ones a pass would count twice, or suspend more than are held (I3, I11). */
export const directoryTable: RowTable<Omit<DirectoryState, "hold">> = {
  source: needed("source", text, "`directory` or `group:<id>`"),
  phase: needed("phase", oneOf(...directoryPhases), "`idle`, `walking`, `counting`, `suspending`"),
  isFull: needed("isFull", flag, "whether the pass in hand, or the last one, is full"),
  link: nullable("link", text, "the link to ask next. A secret"),
  generation: needed("rosterGeneration", count, "number of the full round in hand, or of the last one"),
  step: needed("step", count, "+1 for each write"),
  pass: needed("pass", text, "the pass in hand or the last one"),
  passStartedMs: needed("passStarted", time, "since when"),
  pages: defaulted("pages", count, 0, "pages of this pass"),
  seen: defaulted("seen", count, 0, "users of this pass"),
  added: defaulted("added", count, 0, "mailboxes that it has added"),
  resumed: defaulted("resumed", count, 0, "that it has resumed"),
  suspended: defaulted("suspended", count, 0, "that it has suspended"),
  untold: defaulted("untold", count, 0, "users whose properties were not told: the next pass is a full round"),
  resets: defaulted("resets", count, 0, "links that it has dropped"),
  sweepShard: needed("sweepShard", count, "the shard that is counted or swept next"),
  leaving: needed("leaving", count, "who would leave by it"),
  leavingNew: needed("leavingNew", count, "of them, who was not held already"),
  counted: needed("counted", count, "discovered mailboxes, as far as they are counted"),
  // With too few of the past the shrink in hand is judged by itself, as before the column was there.
  leftLately: defaulted("leftLately", count, 0, "who was suspended in the 24 hours before"),
  leftCountedFromMs: nullable("leftCountedFrom", time, "leavers up to then were confirmed"),
  notBeforeMs: nullable("notBefore", time, "discovery waits until then"),
  retryAfterUntilMs: nullable("retryAfterUntil", time, "until when Graph itself asked to be left alone"),
  failuresInARow: defaulted("failuresInARow", count, 0, "since the last page"),
  lastErrorCode: nullable("lastErrorCode", label, "Graph's code, or one of our own"),
  lastSuccessMs: nullable("lastSuccess", time, "the end of the last pass"),
  lastFullRoundMs: nullable("lastFullRound", time, "the end of the last full one"),
  discovered: defaulted(
    "discovered",
    count,
    0,
    "discovered mailboxes that are mirrored, counted anew by each full round",
  ),
};

/** The roster's checkpoint as columns; their names are a public contract. */
function directoryColumns(state: DirectoryState): Columns {
  return { ...columnsOf(directoryTable, state), ...(state.hold === null ? {} : columnsOf(holdTable, state.hold)) };
}

function directoryOf(entity: Entity): DirectoryState {
  return { ...rowOf(directoryTable, entity), hold: partOf(holdTable, entity, "leaving") };
}
