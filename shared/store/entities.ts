import { statedReason } from "../sync/state.js";
import {
  type CalendarRow,
  type Checkpoint,
  type Counters,
  counterNames,
  type Json,
  type JsonObject,
  type Lifecycle,
} from "../sync/types.js";
import type { Columns, ColumnValue, Entity } from "../table/table.js";
import {
  columnsOf,
  count,
  defaulted,
  flag,
  idOf,
  json,
  type Kind,
  label,
  needed,
  nullable,
  oneOf,
  type RowTable,
  rowOf,
  text,
  time,
  unreadable,
} from "./columns.js";
import { mailboxKey } from "./keys.js";

/** The column by which a writer finds its own success after a lost answer: the transaction that wrote the row last. */
export const commitIdColumn = "commitId";

/** A figure that is missing or unreadable counts as 0: figures stop no mailbox. */
const counters: Kind<Counters> = {
  ...json,
  read: (entity, name) => {
    const stored = json.read(entity, name);
    const countOf = (value: Json | undefined) => (typeof value === "number" && Number.isFinite(value) ? value : 0);
    if (stored === null) return null;
    return Object.fromEntries(counterNames.map((counter) => [counter, countOf(stored[counter])])) as Counters;
  },
};

const phase = oneOf("initial", "full", "incremental", "idle");
const roundReason = oneOf("first", "changes", "reset", "audit", "confirm", "list", "probe");

/**
 * The checkpoint's columns. Those that are needed: by a guess at `generation` or at the strategy of a link a round would
 * take living calendars for gone or gone ones for living (I3, I4), by one at `sequence`, `retiredSequence` or `epoch` feed
 * readers would miss changes (I6).
 */
export const checkpointTable: RowTable<Omit<Checkpoint, "lifecycle">> = {
  mailboxId: needed("mailboxId", idOf(mailboxKey), "the full id, case kept"),
  displayName: nullable("displayName", label, "for people"),
  epoch: needed("epoch", text, "drawn anew each time the mailbox is added"),
  phase: needed(
    "phase",
    phase,
    "`initial` (the next request opens a full round), `full`, `incremental` (in mid-round), `idle`",
  ),
  link: nullable("link", text, "the link to ask next; needed in mid-round. A secret"),
  strategy: needed("strategy", oneOf("delta", "list"), "`delta`, or `list` where delta does not work"),
  deltaProbeMs: nullable("deltaProbe", time, "with `list`: when delta is tried again"),
  generation: needed("generation", count, "number of the full round in hand, or of the last one"),
  sequence: needed("sequence", count, "+1 for each real change of a calendar"),
  // A nudge too many tells of what is known; one too few would leave other programs waiting.
  nudgedSequence: defaulted("nudgedSequence", count, 0, "the sequence that other programs were told of"),
  roundId: nullable("roundId", text, "the round in hand or the last one"),
  roundReason: defaulted(
    "roundReason",
    roundReason,
    "first",
    "why: `first`, `changes`, `reset`, `audit`, `confirm`, `list`, `probe`",
  ),
  roundStartedMs: nullable("roundStarted", time, "since when"),
  pageNumber: defaulted("pageNumber", count, 0, "pages committed in it"),
  payloadHash: nullable("payloadHash", text, "of the last page, for the loop guard"),
  payloadRepeats: defaulted("payloadRepeats", count, 0, "how many pages in a row carried the same"),
  notBeforeMs: nullable("notBefore", time, "the mailbox is left alone until then"),
  lastSuccessMs: nullable("lastSuccess", time, "the end of the last round"),
  lastChangeMs: nullable("lastChange", time, "the last real change"),
  lastFullRoundMs: nullable(
    "lastFullRound",
    time,
    "the end of the last full round; before the first, nobody is served",
  ),
  failuresInARow: defaulted("failuresInARow", count, 0, "since the last page"),
  resetsInARow: defaulted("resetsInARow", count, 0, "links of delta lost or refused since its last round"),
  loopsInARow: defaulted("loopsInARow", count, 0, "rounds given up since one last ended"),
  lastErrorCode: nullable("lastErrorCode", label, "Graph's code, or one of our own"),
  parkedReason: nullable(
    "parkedReason",
    label,
    "why it is parked; `suspended` or `removing` where it is off the roster",
  ),
  heldRemovals: nullable("heldRemovals", count, "how many calendars a full round missed that is to be confirmed"),
  retiredSequence: needed(
    "retiredSequence",
    count,
    "the highest of a tombstone that retention deleted: older positions have expired",
  ),
  // With too small a count a removal is held for a second look rather than believed (I11).
  calendarCount: defaulted("calendarCount", count, 0, "calendars alive after the last round"),
  driftFound: defaulted("driftFound", count, 0, "changes that audits found and delta had not told"),
  lastTick: nullable("lastTick", text, "the tick that handled it last"),
  walked: nullable("walked", counters, "JSON: what `applyPage` did and no run has counted yet"),
  aloneUntilMs: nullable("aloneUntil", time, "of a slow mailbox: until then a message of its own has it in hand"),
};

/** A checkpoint as columns. The commit id is added by the transaction. */
export function checkpointColumns(checkpoint: Checkpoint): Columns {
  return columnsOf(checkpointTable, { ...checkpoint, parkedReason: statedReason(checkpoint) });
}

/** The checkpoint that a row holds. @throws RowError when a needed column is missing, or one holds something else. */
export function checkpointOf(entity: Entity): Checkpoint {
  const row = rowOf(checkpointTable, entity);
  const lifecycle = lifecycleOf(row.parkedReason);
  const parkedReason = lifecycle === "active" ? row.parkedReason : null;
  return { ...row, lifecycle, parkedReason, ...phaseAndLink(row, entity) };
}

/** What the column `parkedReason` says of it: releases before the field knew the lifecycle by that column alone. */
export function lifecycleOf(parkedReason: ColumnValue | null | undefined): Lifecycle {
  return parkedReason === "suspended" || parkedReason === "removing" ? parkedReason : "active";
}

type PhaseAndLink =
  | { readonly phase: "initial"; readonly link: null }
  | { readonly phase: "full" | "incremental"; readonly link: string }
  | { readonly phase: "idle"; readonly link: string | null };

function phaseAndLink({ phase, link }: Pick<Checkpoint, "phase" | "link">, entity: Entity): PhaseAndLink {
  if (phase === "initial") return { phase, link: null };
  return phase === "idle" ? { phase, link } : { phase, link: link ?? unreadable(entity, "link", "is missing") };
}

/** A calendar's or tombstone's columns. `resource` is the truth. */
export const calendarTable: RowTable<CalendarRow> = {
  calendarId: needed("calendarId", text, "the full id, case kept"),
  resource: needed(
    "resource",
    json,
    "the whole Graph object as JSON, unknown properties kept: the truth. A tombstone keeps what was last known",
  ),
  generation: needed("generation", count, "the full round that last saw it"),
  sequence: needed("sequence", count, "the mailbox's sequence at its last real change"),
  changedMs: needed("changed", time, "the time of that change"),
  removedMs: nullable("removedAt", time, "set on a tombstone"),
};

/** Columns that are written beside them and never read: for people who filter, and copies of what Graph calls so. */
export const calendarCopies = {
  mailboxId: needed("mailboxId", text, "the full id, case kept"),
  name: nullable("name", label, "as Graph has it"),
  ownerAddress: nullable("ownerAddress", label, "`owner/address`"),
  ownerName: nullable("ownerName", label, "`owner/name`"),
  color: nullable("color", label, "as Graph has it"),
  isDefaultCalendar: nullable("isDefaultCalendar", flag, "as Graph has it"),
  canEdit: nullable("canEdit", flag, "as Graph has it"),
  changeKey: nullable("changeKey", label, "as Graph has it"),
};

/** A calendar or tombstone as columns. */
export function calendarColumns(mailboxId: string, row: CalendarRow): Columns {
  const { resource } = row;
  const owner = objectOrEmpty(resource["owner"]);
  const copies = {
    mailboxId,
    name: textOrNull(resource["name"]),
    ownerAddress: textOrNull(owner["address"]),
    ownerName: textOrNull(owner["name"]),
    color: textOrNull(resource["color"]),
    isDefaultCalendar: flagOrNull(resource["isDefaultCalendar"]),
    canEdit: flagOrNull(resource["canEdit"]),
    changeKey: textOrNull(resource["changeKey"]),
  };
  return { ...columnsOf(calendarTable, row), ...columnsOf(calendarCopies, copies) };
}

/** The calendar or tombstone that a row holds. @throws RowError when a needed column is missing or unreadable. */
export function calendarOf(entity: Entity): CalendarRow {
  return rowOf(calendarTable, entity);
}

function objectOrEmpty(value: Json | undefined): JsonObject {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as JsonObject) : {};
}

function textOrNull(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function flagOrNull(value: Json | undefined): boolean | null {
  return typeof value === "boolean" ? value : null;
}
