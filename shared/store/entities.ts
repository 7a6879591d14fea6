import {
  type CalendarRow,
  type Checkpoint,
  type Counters,
  counterNames,
  isJsonObject,
  type Json,
  type JsonObject,
} from "../sync/types.js";
import type { Columns, Entity } from "../table/table.js";
import { ColumnReader, ColumnWriter } from "./columns.js";
import { mailboxKey } from "./keys.js";

/** The column by which a writer finds its own success after a lost answer. */
export const commitIdColumn = "commitId";

const strategies = ["delta", "list"] as const;
const phases = ["initial", "full", "incremental", "idle"] as const;
const roundReasons = ["first", "changes", "reset", "audit", "confirm", "list", "probe"] as const;

/** A checkpoint as columns; their names are a public contract. The commit id is added by the transaction. */
export function checkpointColumns(checkpoint: Checkpoint): Columns {
  return new ColumnWriter()
    .text("mailboxId", checkpoint.mailboxId)
    .text("epoch", checkpoint.epoch)
    .text("phase", checkpoint.phase)
    .text("link", checkpoint.link)
    .count("generation", checkpoint.generation)
    .count("sequence", checkpoint.sequence)
    .count("nudgedSequence", checkpoint.nudgedSequence)
    .text("roundId", checkpoint.roundId)
    .text("roundReason", checkpoint.roundReason)
    .time("roundStarted", checkpoint.roundStartedMs)
    .count("pageNumber", checkpoint.pageNumber)
    .text("payloadHash", checkpoint.payloadHash)
    .count("payloadRepeats", checkpoint.payloadRepeats)
    .text("strategy", checkpoint.strategy)
    .time("notBefore", checkpoint.notBeforeMs)
    .time("lastSuccess", checkpoint.lastSuccessMs)
    .time("lastChange", checkpoint.lastChangeMs)
    .time("lastFullRound", checkpoint.lastFullRoundMs)
    .count("failuresInARow", checkpoint.failuresInARow)
    .count("resetsInARow", checkpoint.resetsInARow)
    .count("loopsInARow", checkpoint.loopsInARow)
    .label("lastErrorCode", checkpoint.lastErrorCode)
    .label("parkedReason", checkpoint.parkedReason)
    .count("heldRemovals", checkpoint.heldRemovals)
    .time("deltaProbe", checkpoint.deltaProbeMs)
    .count("driftFound", checkpoint.driftFound)
    .count("calendarCount", checkpoint.calendarCount)
    .count("retiredSequence", checkpoint.retiredSequence)
    .label("displayName", checkpoint.displayName)
    .text("lastTick", checkpoint.lastTick)
    .text("walked", checkpoint.walked === null ? null : JSON.stringify(checkpoint.walked))
    .time("aloneUntil", checkpoint.aloneUntilMs)
    .columns();
}

/** The checkpoint that a row holds. @throws RowError when a needed column is missing or holds something else. */
export function checkpointOf(entity: Entity): Checkpoint {
  const row = new ColumnReader(entity);
  return {
    mailboxId: row.idOf("mailboxId", mailboxKey),
    epoch: row.text("epoch"),
    strategy: row.oneOf("strategy", strategies),
    generation: row.count("generation"),
    sequence: row.count("sequence"),
    nudgedSequence: row.count("nudgedSequence"),
    roundId: row.textOrNull("roundId"),
    roundReason: row.oneOf("roundReason", roundReasons),
    roundStartedMs: row.timeOrNull("roundStarted"),
    pageNumber: row.count("pageNumber"),
    payloadHash: row.textOrNull("payloadHash"),
    payloadRepeats: row.count("payloadRepeats"),
    notBeforeMs: row.timeOrNull("notBefore"),
    lastSuccessMs: row.timeOrNull("lastSuccess"),
    lastChangeMs: row.timeOrNull("lastChange"),
    lastFullRoundMs: row.timeOrNull("lastFullRound"),
    failuresInARow: row.count("failuresInARow"),
    resetsInARow: row.count("resetsInARow"),
    loopsInARow: row.count("loopsInARow"),
    lastErrorCode: row.textOrNull("lastErrorCode"),
    parkedReason: row.textOrNull("parkedReason"),
    heldRemovals: row.countOrNull("heldRemovals"),
    deltaProbeMs: row.timeOrNull("deltaProbe"),
    driftFound: row.count("driftFound"),
    calendarCount: row.count("calendarCount"),
    retiredSequence: row.count("retiredSequence"),
    displayName: row.textOrNull("displayName"),
    lastTick: row.textOrNull("lastTick"),
    walked: row.textOrNull("walked") === null ? null : countersOf(row.object("walked")),
    aloneUntilMs: row.timeOrNull("aloneUntil"),
    ...phaseAndLink(row),
  };
}

/** A figure that is missing or unreadable counts as 0: figures stop no mailbox. */
function countersOf(stored: JsonObject): Counters {
  const countOf = (value: Json | undefined) => (typeof value === "number" && Number.isFinite(value) ? value : 0);
  return Object.fromEntries(counterNames.map((name) => [name, countOf(stored[name])])) as Counters;
}

type PhaseAndLink =
  | { readonly phase: "initial"; readonly link: null }
  | { readonly phase: "full" | "incremental"; readonly link: string }
  | { readonly phase: "idle"; readonly link: string | null };

function phaseAndLink(row: ColumnReader): PhaseAndLink {
  const phase = row.oneOf("phase", phases);
  if (phase === "initial") return { phase, link: null };
  return phase === "idle" ? { phase, link: row.textOrNull("link") } : { phase, link: row.text("link") };
}

/**
 * A calendar or tombstone as columns; their names are a public contract. `resource` is the truth; the columns after it
 * are copies of some of its properties, for people who filter.
 */
export function calendarColumns(mailboxId: string, row: CalendarRow): Columns {
  const { resource } = row;
  const owner = objectOrEmpty(resource["owner"]);
  return new ColumnWriter()
    .text("mailboxId", mailboxId)
    .text("calendarId", row.calendarId)
    .text("resource", JSON.stringify(resource))
    .count("generation", row.generation)
    .count("sequence", row.sequence)
    .time("changed", row.changedMs)
    .time("removedAt", row.removedMs)
    .label("name", resource["name"])
    .label("ownerAddress", owner["address"])
    .label("ownerName", owner["name"])
    .label("color", resource["color"])
    .flag("isDefaultCalendar", resource["isDefaultCalendar"])
    .flag("canEdit", resource["canEdit"])
    .label("changeKey", resource["changeKey"])
    .columns();
}

/** The calendar or tombstone that a row holds. @throws RowError when a needed column is missing or unreadable. */
export function calendarOf(entity: Entity): CalendarRow {
  const row = new ColumnReader(entity);
  return {
    calendarId: row.text("calendarId"),
    resource: row.object("resource"),
    generation: row.count("generation"),
    sequence: row.count("sequence"),
    changedMs: row.time("changed"),
    removedMs: row.timeOrNull("removedAt"),
  };
}

function objectOrEmpty(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
