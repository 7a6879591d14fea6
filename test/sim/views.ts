import type { Json, JsonObject } from "../../shared/sync/types.js";
import type { Columns } from "../../shared/table/table.js";

/** What a reader of the table sees, by the names of its columns: nothing of the product's own reading is used here. */

export type CheckpointView = {
  readonly mailboxId: string;
  readonly epoch: string;
  readonly phase: string;
  readonly strategy: string;
  readonly link: string | null;
  readonly marks: string | null;
  readonly generation: number;
  readonly sequence: number;
  readonly loggedState: string | null;
  readonly loggedSequence: number;
  readonly roundId: string | null;
  readonly roundReason: string;
  readonly pageNumber: number;
  readonly notBeforeMs: number | null;
  readonly parkedReason: string | null;
  readonly hasHadFullRound: boolean;
  readonly heldRemovals: number | null;
  readonly lastErrorCode: string | null;
  readonly lastTick: string | null;
  readonly aloneUntilMs: number | null;
  readonly calendarCount: number;
  readonly retiredSequence: number;
};

export type RowView = {
  readonly calendarId: string;
  readonly isRemoved: boolean;
  readonly generation: number;
  readonly sequence: number;
  readonly resource: JsonObject;
  /** Equal for equal contents. */
  readonly text: string;
};

export function checkpointView(columns: Columns): CheckpointView {
  const phase = textAt(columns, "phase") ?? "";
  const marks = phase === "initial" ? textAt(columns, "marks") : null;
  return {
    mailboxId: textAt(columns, "mailboxId") ?? "",
    epoch: textAt(columns, "epoch") ?? "",
    phase: marks === null ? phase : "full",
    strategy: textAt(columns, "strategy") ?? "",
    link: marks === null ? textAt(columns, "link") : textAt(columns, "markedLink"),
    marks,
    generation: Number(columns["generation"]),
    sequence: Number(columns["sequence"]),
    loggedState: textAt(columns, "loggedState"),
    loggedSequence: Number(columns["loggedSequence"]),
    roundId: textAt(columns, "roundId"),
    roundReason: textAt(columns, "roundReason") ?? "",
    pageNumber: Number(columns["pageNumber"]),
    notBeforeMs: timeAt(columns, "notBefore"),
    parkedReason: textAt(columns, "parkedReason"),
    hasHadFullRound: columns["lastFullRound"] !== undefined,
    heldRemovals: columns["heldRemovals"] === undefined ? null : Number(columns["heldRemovals"]),
    lastErrorCode: textAt(columns, "lastErrorCode"),
    lastTick: textAt(columns, "lastTick"),
    aloneUntilMs: timeAt(columns, "aloneUntil"),
    calendarCount: Number(columns["calendarCount"]),
    retiredSequence: Number(columns["retiredSequence"]),
  };
}

export function rowView(columns: Columns): RowView {
  const resource = JSON.parse(textAt(columns, "resource") ?? "{}") as JsonObject;
  return {
    calendarId: textAt(columns, "calendarId") ?? "",
    isRemoved: columns["removedAt"] !== undefined,
    generation: Number(columns["generation"]),
    sequence: Number(columns["sequence"]),
    resource,
    text: contentText(resource),
  };
}

/** Long text goes on in `name_2`, `name_3` and so on. */
export function textAt(columns: Columns, name: string): string | null {
  const first = columns[name];
  if (typeof first !== "string") return null;
  let text = first;
  for (let number = 2; ; number++) {
    const more = columns[`${name}_${number}`];
    if (typeof more !== "string") return text;
    text += more;
  }
}

function timeAt(columns: Columns, name: string): number | null {
  const value = columns[name];
  return value instanceof Date ? value.getTime() : null;
}

/** A calendar's contents as text, whatever the order of its properties, without what OData says about them. */
export function contentText(resource: JsonObject): string {
  const names = Object.keys(resource)
    .filter((name) => !name.startsWith("@"))
    .sort();
  return names.map((name) => `${name}=${sortedJson(resource[name] ?? null)}`).join("\n");
}

function sortedJson(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(sortedJson).join()}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${sortedJson(value[name] ?? null)}`).join()}}`;
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
