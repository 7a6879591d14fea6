import {
  type DirectoryState,
  directoryPhases,
  leftOutReasons,
  nobodyLeftOut,
  type RosterHold,
} from "../sync/directory.js";
import type { Columns, Entity, Table } from "../table/table.js";
import {
  columnsOf,
  commitIdColumn,
  count,
  countsBy,
  flag,
  label,
  oneOf,
  partOf,
  type RowTable,
  rowOf,
  text,
  time,
} from "./columns.js";
import { metaPartition, metaRows } from "./keys.js";
import { createOrUpdate, writeRow } from "./writeRow.js";

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
  const columns = { ...directoryColumns(state), [commitIdColumn]: commitId };
  const written = await writeRow(table, metaPartition, createOrUpdate(metaRows.directory, columns, etag));
  return written === null ? "superseded" : { state, etag: written };
}

/**
 * The columns of what is held; without the first there is nothing.
 * @internal For tests.
 */
export const holdTable: RowTable<RosterHold> = {
  leaving: count.needed("heldLeaving", "how many would leave by the pass that is held"),
  of: count.needed("heldOf", "of how many"),
  sinceMs: time.needed("heldSince", "since when"),
  generation: count.needed("heldGeneration", "the full round that said so"),
  needsRelease: flag.defaulted("heldNeedsRelease", false, "whether an operator alone confirms it"),
};

const leftOut = countsBy(leftOutReasons);

/**
 * Discovery's columns. By a guess at the needed ones a pass would count twice, or suspend more than are held (I3, I11).
 * @internal For tests.
 */
export const directoryTable: RowTable<Omit<DirectoryState, "hold">> = {
  source: text.needed("source", "`directory` or `group:<id>`"),
  phase: oneOf(...directoryPhases).needed("phase", "`idle`, `walking`, `counting`, `suspending`"),
  isFull: flag.needed("isFull", "whether the pass in hand, or the last one, is full"),
  link: text.nullable("link", "the link to ask next. A secret"),
  generation: count.needed("rosterGeneration", "number of the full round in hand, or of the last one"),
  step: count.needed("step", "+1 for each write"),
  pass: text.needed("pass", "the pass in hand or the last one"),
  passStartedMs: time.needed("passStarted", "since when"),
  pages: count.defaulted("pages", 0, "pages of this pass"),
  seen: count.defaulted("seen", 0, "users of this pass"),
  added: count.defaulted("added", 0, "mailboxes that it has added"),
  resumed: count.defaulted("resumed", 0, "that it has resumed"),
  suspended: count.defaulted("suspended", 0, "that it has suspended"),
  untold: count.defaulted("untold", 0, "users whose properties Graph did not give: the next pass is a full round"),
  leftOutSoFar: leftOut.defaulted(
    "leftOutSoFar",
    nobodyLeftOut,
    "JSON: accounts that the full round in hand has left out, by reason",
  ),
  leftOut: leftOut.nullable("leftOut", "JSON: the same of the last full round that ended"),
  kindRequests: count.defaulted("kindRequests", 0, "requests for kinds of mailboxes in this pass"),
  kindProbe: text.nullable("kindProbe", "an account whose kind could not be asked for want of the permission"),
  kinds: text.defaulted("kinds", "", "kinds that the roster takes; others than before mean a full round"),
  areKindsLeft: flag.defaulted(
    "kindsLeft",
    false,
    "whether disabled accounts wait to be asked about again, once a day",
  ),
  areNamesFolded: flag.defaulted(
    "namesFolded",
    false,
    "whether a full round has written `userPrincipalNameFolded` of all; else the next pass is one",
  ),
  resets: count.defaulted("resets", 0, "links that it has dropped"),
  sweepShard: count.needed("sweepShard", "the shard that is counted or swept next"),
  leaving: count.needed("leaving", "who would leave by it"),
  leavingNew: count.needed("leavingNew", "of them, who was not held already"),
  counted: count.needed("counted", "discovered mailboxes, as far as they are counted"),
  // With too few of the past the shrink in hand is judged by itself, as before the column was there.
  leftLately: count.defaulted("leftLately", 0, "who was suspended in the 24 hours before"),
  leftCountedFromMs: time.nullable("leftCountedFrom", "leavers up to then were confirmed"),
  notBeforeMs: time.nullable("notBefore", "discovery waits until then"),
  retryAfterUntilMs: time.nullable("retryAfterUntil", "until when Graph itself asked to be left alone"),
  failuresInARow: count.defaulted("failuresInARow", 0, "since the last page"),
  lastErrorCode: label.nullable("lastErrorCode", "Graph's code, or one of our own"),
  lastSuccessMs: time.nullable("lastSuccess", "the end of the last pass"),
  lastFullRoundMs: time.nullable("lastFullRound", "the end of the last full one"),
  discovered: count.defaulted("discovered", 0, "discovered mailboxes that are mirrored"),
};

/** The roster's checkpoint as columns; their names are a public contract. */
function directoryColumns(state: DirectoryState): Columns {
  return { ...columnsOf(directoryTable, state), ...(state.hold === null ? {} : columnsOf(holdTable, state.hold)) };
}

function directoryOf(entity: Entity): DirectoryState {
  return { ...rowOf(directoryTable, entity), hold: partOf(holdTable, entity, "leaving") };
}
