import { loggedStates, type Unlogged } from "../sync/changeLog.js";
import { newCheckpoint, roundReasons } from "../sync/checkpoint.js";
import { mailboxKinds } from "../sync/mailboxKind.js";
import { areMarks } from "../sync/marks.js";
import { statedReason } from "../sync/state.js";
import { type Checkpoint, counterNames, type Lifecycle } from "../sync/types.js";
import type { Columns, ColumnValue, Entity } from "../table/table.js";
import {
  columnsOf,
  count,
  countsBy,
  idOf,
  json,
  kindOf,
  label,
  oneOf,
  type RowTable,
  rowOf,
  text,
  time,
  unreadable,
} from "./columns.js";
import { mailboxKey } from "./keys.js";

const counters = countsBy(counterNames);

/** What cannot be read is not told one by one: the sequences say that something changed. */
const unlogged = kindOf<Unlogged>({
  ...json,
  read: (entity, name) => {
    const stored = json.read(entity, name);
    if (stored === null) return null;
    const { changes, leftOut } = stored as Partial<Record<keyof Unlogged, unknown>>;
    return {
      changes: Array.isArray(changes) ? changes : [],
      leftOut: typeof leftOut === "number" && Number.isSafeInteger(leftOut) && leftOut >= 0 ? leftOut : 0,
    };
  },
  write: (columns, name, value) => text.write(columns, name, JSON.stringify(value)),
});

const phase = oneOf("initial", "full", "incremental", "idle");
const roundReason = oneOf(...roundReasons);

/**
 * The checkpoint's columns. With a guess at `generation`, or at the strategy of a link, a round would leave ghost rows or
 * remove living calendars (I3, I4); with one at `epoch`, `sequence` or `retiredSequence` readers would miss changes (I6).
 */
export const checkpointTable: RowTable<Omit<Checkpoint, "lifecycle" | "marks">> = {
  mailboxId: idOf(mailboxKey).needed("mailboxId", "the full id, case kept"),
  displayName: label.nullable("displayName", "as the directory said last, or whoever added it"),
  userPrincipalName: label.nullable("userPrincipalName", "as the directory said last"),
  // A kind that is not known is taken: nobody is lost for it.
  mailboxKind: oneOf(...mailboxKinds).defaulted(
    "kind",
    "unknown",
    "`user`, `shared`, `room`, `equipment`, `linked`, `others`, `unknown`",
  ),
  epoch: text.needed("epoch", "drawn anew each time the mailbox is added"),
  phase: phase.needed(
    "phase",
    "`initial` (a full round opens next, or there are `marks`), `full`, `incremental` (in mid-round), `idle`",
  ),
  link: text.nullable("link", "the link to ask next; needed in mid-round. A secret"),
  strategy: oneOf("delta", "list").needed("strategy", "`delta`, or `list` where delta does not work"),
  deltaProbeMs: time.nullable("deltaProbe", "with `list`: when delta is tried again"),
  generation: count.needed("generation", "number of the full round in hand, or of the last one"),
  sequence: count.needed("sequence", "+1 for each real change of a calendar"),
  // Told once too often does no harm; not told, readers of the log would miss it (I13).
  loggedState: oneOf(...loggedStates).nullable(
    "loggedState",
    "as the change log last told: `unserved`, `served`, `suspended`, `departed`",
  ),
  loggedSequence: count.defaulted("loggedSequence", 0, "the sequence up to which the change log has told of it"),
  unlogged: unlogged.nullable("unlogged", "JSON: changes by others than runs, which the change log is to tell"),
  roundId: text.nullable("roundId", "the round in hand or the last one"),
  roundReason: roundReason.defaulted(
    "roundReason",
    "first",
    "`first`, `changes`, `reset`, `audit`, `confirm`, `list`, `probe`",
  ),
  roundStartedMs: time.nullable("roundStarted", "since when"),
  pageNumber: count.defaulted("pageNumber", 0, "pages committed in it"),
  payloadHash: text.nullable("payloadHash", "of the last page that held anything, for the loop guard"),
  payloadRepeats: count.defaulted("payloadRepeats", 0, "how many pages in a row had the same hash"),
  notBeforeMs: time.nullable("notBefore", "the mailbox is left alone until then"),
  lastSuccessMs: time.nullable("lastSuccess", "the end of the last round"),
  lastChangeMs: time.nullable("lastChange", "the last real change"),
  lastFullRoundMs: time.nullable("lastFullRound", "the end of the last full round; before the first, nobody is served"),
  failuresInARow: count.defaulted("failuresInARow", 0, "since the last page"),
  resetsInARow: count.defaulted("resetsInARow", 0, "links of delta lost or refused since its last round"),
  loopsInARow: count.defaulted("loopsInARow", 0, "rounds given up since one last ended"),
  lastErrorCode: label.nullable("lastErrorCode", "Graph's code, or one of our own"),
  failingSinceMs: time.nullable("failingSince", "the first failure since the last page"),
  lastRequestId: label.nullable("lastRequestId", "Graph's request id of the answer that `lastErrorCode` stems from"),
  parkedReason: label.nullable("parkedReason", "why it is parked; `suspended`, `removing`: off the roster"),
  heldRemovals: count.nullable("heldRemovals", "calendars that a full round has missed, until another one confirms it"),
  retiredSequence: count.needed("retiredSequence", "the highest sequence of a tombstone that retention deleted"),
  // With too small a count a removal is held for a second look rather than believed (I11).
  calendarCount: count.defaulted("calendarCount", 0, "calendars alive after the last round"),
  driftFound: count.defaulted("driftFound", 0, "changes that audits found and delta had not reported"),
  lastTick: text.nullable("lastTick", "the tick that handled it last"),
  walked: counters.nullable("walked", "JSON: counters of `applyPage` that no run has added up yet"),
  aloneUntilMs: time.nullable("aloneUntil", "of a slow mailbox: until then a message of its own has it in hand"),
};

const marks = kindOf<string>({
  ...text,
  read: (entity, name) => {
    const given = text.read(entity, name);
    return given === null || areMarks(given) ? given : unreadable(entity, name, "holds no ranges of sequences");
  },
});

/**
 * A full round in hand that has left calendars as they are. A release that knows no marks would remove these at its end (I3):
 * it must not go on with the round. It finds a mailbox whose full round opens next, under a link that it does not know, and
 * opens it anew.
 * @internal For tests.
 */
export const markedTable: RowTable<{ readonly link: string | null; readonly marks: string | null }> = {
  link: text.nullable("markedLink", "beside `marks`: the link to ask next. A secret"),
  marks: marks.nullable(
    "marks",
    "sequences of calendars that the full round in hand has seen and not written: `1-25,27`",
  ),
};

/** A checkpoint as columns. The commit id is added by the transaction. */
export function checkpointColumns(checkpoint: Checkpoint): Columns {
  const parkedReason = statedReason(checkpoint);
  const { marks, link } = checkpoint;
  if (marks === null) return columnsOf(checkpointTable, { ...checkpoint, parkedReason });
  const unmarked = columnsOf(checkpointTable, { ...checkpoint, parkedReason, phase: "initial", link: null });
  return { ...unmarked, ...columnsOf(markedTable, { link, marks }) };
}

const blank = newCheckpoint("", "", null);

/** The checkpoint that a row holds. @throws RowError when a needed column is missing, or one holds something else. */
export function checkpointOf(entity: Entity): Checkpoint {
  const row = rowOf(checkpointTable, entity, blank);
  const lifecycle = lifecycleOf(row.parkedReason);
  const parkedReason = lifecycle === "active" ? row.parkedReason : null;
  return { ...row, lifecycle, parkedReason, ...placeOf(row, entity) };
}

/** What the column `parkedReason` says of it: releases before the field knew the lifecycle by that column alone. */
export function lifecycleOf(parkedReason: ColumnValue | null | undefined): Lifecycle {
  return parkedReason === "suspended" || parkedReason === "removing" ? parkedReason : "active";
}

type Place = { readonly marks: string | null } & (
  | { readonly phase: "initial"; readonly link: null }
  | { readonly phase: "full" | "incremental"; readonly link: string }
  | { readonly phase: "idle"; readonly link: string | null }
);

function placeOf({ phase, link, roundId }: Pick<Checkpoint, "phase" | "link" | "roundId">, entity: Entity): Place {
  if (phase === "initial") return (roundId === null ? null : markedPlace(entity)) ?? { phase, link: null, marks: null };
  if (phase === "idle") return { phase, link, marks: null };
  return { phase, link: link ?? unreadable(entity, "link", "is missing"), marks: null };
}

/**
 * Null: no round with marks is in hand. Releases that know no marks may leave these columns behind, but not in a row that says
 * `initial` and names a round: to say so they replace the row.
 */
function markedPlace(entity: Entity): Place | null {
  const { link, marks } = rowOf(markedTable, entity);
  return link === null || marks === null ? null : { phase: "full", link, marks };
}
