import { type DirectoryState, directoryPhases, type RosterHold } from "../sync/directory.js";
import type { Columns, Entity, Table } from "../table/table.js";
import { ColumnReader, ColumnWriter } from "./columns.js";
import { commitIdColumn } from "./entities.js";
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

/** The roster's checkpoint as columns; their names are a public contract. */
function directoryColumns(state: DirectoryState): Columns {
  return new ColumnWriter()
    .text("source", state.source)
    .text("phase", state.phase)
    .flag("isFull", state.isFull)
    .text("link", state.link)
    .count("rosterGeneration", state.generation)
    .count("step", state.step)
    .text("pass", state.pass)
    .time("passStarted", state.passStartedMs)
    .count("pages", state.pages)
    .count("seen", state.seen)
    .count("added", state.added)
    .count("resumed", state.resumed)
    .count("suspended", state.suspended)
    .count("untold", state.untold)
    .count("resets", state.resets)
    .count("sweepShard", state.sweepShard)
    .count("leaving", state.leaving)
    .count("leavingNew", state.leavingNew)
    .count("counted", state.counted)
    .count("leftLately", state.leftLately)
    .time("leftCountedFrom", state.leftCountedFromMs)
    .count("heldLeaving", state.hold?.leaving ?? null)
    .count("heldOf", state.hold?.of ?? null)
    .time("heldSince", state.hold?.sinceMs ?? null)
    .count("heldGeneration", state.hold?.generation ?? null)
    .flag("heldNeedsRelease", state.hold?.needsRelease)
    .time("notBefore", state.notBeforeMs)
    .time("retryAfterUntil", state.retryAfterUntilMs)
    .count("failuresInARow", state.failuresInARow)
    .label("lastErrorCode", state.lastErrorCode)
    .time("lastSuccess", state.lastSuccessMs)
    .time("lastFullRound", state.lastFullRoundMs)
    .count("discovered", state.discovered)
    .columns();
}

function directoryOf(entity: Entity): DirectoryState {
  const row = new ColumnReader(entity);
  return {
    source: row.text("source"),
    phase: row.oneOf("phase", directoryPhases),
    isFull: row.flag("isFull"),
    link: row.textOrNull("link"),
    generation: row.count("rosterGeneration"),
    step: row.count("step"),
    pass: row.text("pass"),
    passStartedMs: row.time("passStarted"),
    pages: row.count("pages"),
    seen: row.count("seen"),
    added: row.count("added"),
    resumed: row.count("resumed"),
    suspended: row.count("suspended"),
    untold: row.countOrNull("untold") ?? 0,
    resets: row.count("resets"),
    sweepShard: row.count("sweepShard"),
    leaving: row.count("leaving"),
    leavingNew: row.count("leavingNew"),
    counted: row.count("counted"),
    leftLately: row.countOrNull("leftLately") ?? 0,
    leftCountedFromMs: row.timeOrNull("leftCountedFrom"),
    hold: holdOf(row),
    notBeforeMs: row.timeOrNull("notBefore"),
    retryAfterUntilMs: row.timeOrNull("retryAfterUntil"),
    failuresInARow: row.count("failuresInARow"),
    lastErrorCode: row.textOrNull("lastErrorCode"),
    lastSuccessMs: row.timeOrNull("lastSuccess"),
    lastFullRoundMs: row.timeOrNull("lastFullRound"),
    discovered: row.count("discovered"),
  };
}

function holdOf(row: ColumnReader): RosterHold | null {
  const leaving = row.countOrNull("heldLeaving");
  if (leaving === null) return null;
  const [of, sinceMs, generation] = [row.count("heldOf"), row.time("heldSince"), row.count("heldGeneration")];
  return { leaving, of, sinceMs, generation, needsRelease: row.flagOrNull("heldNeedsRelease") ?? false };
}
