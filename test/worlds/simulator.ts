import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import type { GraphOptions, GraphResponse } from "../../local/graph/types.js";
import { sameJson } from "../../shared/sync/merge.js";
import type { CalendarRow, JsonObject } from "../../shared/sync/types.js";
import { clockAt, startMs } from "./parts.js";

export type Row = {
  readonly id: string;
  readonly "@removed"?: { readonly reason: string };
  readonly [name: string]: unknown;
};
export type Page = {
  readonly value: readonly Row[];
  readonly "@odata.context": string;
  readonly "@odata.nextLink"?: string;
  readonly "@odata.deltaLink"?: string;
};
type BatchItem = {
  readonly id: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Page & { readonly error?: { readonly code: string } };
};

const JSON_HEADERS = { authorization: "Bearer fake", "content-type": "application/json" };

/**
 * The Graph simulator alone, with short ways to ask it and a clock in the test's hand. Nothing of the app is in it: what the
 * simulator answers is what is tested.
 */
export function simulator(options: Partial<GraphOptions> = {}) {
  const clock = clockAt(startMs);
  const graph = createGraph({ clock, random: randomFrom(7), ...options });
  const mailboxId = graph.mailboxes.idAt(0);
  const start = `/beta/users/${mailboxId}/calendars/delta`;
  return { graph, clock, mailboxId, start, ...asking(graph) };
}

function asking(graph: GraphSimulator) {
  const ask = (url: string, headers: Record<string, string> = {}): GraphResponse =>
    graph.handle({ method: "GET", url, headers: { authorization: "Bearer fake", ...headers } });
  const send = (method: string, url: string, body: unknown): GraphResponse =>
    graph.handle({ method, url, headers: JSON_HEADERS, body: JSON.stringify(body) });
  const page = (url: string, size?: number): Page => {
    const response = ask(url, size === undefined ? {} : { prefer: `odata.maxpagesize=${size}` });
    if (response.status !== 200) throw new Error(`${response.status} ${response.body}`);
    return JSON.parse(response.body) as Page;
  };
  /** Follows links to the end of a round; all rows in the order in which they came. */
  const round = (url: string, size?: number) => {
    const rows: Row[] = [];
    let pages = 0;
    for (let next: string | undefined = url; next !== undefined && pages < 1000; pages++) {
      const answer = page(next, size);
      rows.push(...answer.value);
      next = answer["@odata.nextLink"];
      if (answer["@odata.deltaLink"] !== undefined) return { rows, pages: pages + 1, link: answer["@odata.deltaLink"] };
    }
    throw new Error("The round did not end.");
  };
  /** Items by id, whatever their order. */
  const batch = (requests: readonly Record<string, unknown>[]): ReadonlyMap<string, BatchItem> => {
    const response = send("POST", "/beta/$batch", { requests });
    const { responses } = JSON.parse(response.body) as { responses: BatchItem[] };
    return new Map(responses.map((item) => [item.id, item]));
  };
  return { ask, send, page, round, batch };
}

/** Whether stored rows are what Graph has of a mailbox: the same calendars, with all their properties. */
export function isMirrored(
  graph: GraphSimulator,
  mailboxId: string,
  rows: readonly Pick<CalendarRow, "calendarId" | "removedMs" | "resource">[],
): boolean {
  const alive = rows.filter(({ removedMs }) => removedMs === null);
  const mirrored = new Map(alive.map(({ calendarId, resource }) => [calendarId, resource]));
  const truth = graph.truth(mailboxId) as unknown as readonly JsonObject[];
  const isSame = truth.every((calendar) => {
    const { "@odata.type": _type, ...resource } = mirrored.get(String(calendar["id"])) ?? {};
    return sameJson(resource, calendar);
  });
  return isSame && mirrored.size === truth.length;
}

/** Status and error code, as `410 SyncStateNotFound`; the status alone where there is no error body. */
export function verdict(response: { readonly status: number; readonly body: string }): string {
  const body = response.body === "" ? {} : (JSON.parse(response.body) as { error?: { code: string } });
  return body.error === undefined ? String(response.status) : `${response.status} ${body.error.code}`;
}

/** Applies rows as a careful client does: merges what is present, removes what is marked. */
export function applied(rows: readonly Row[], held: ReadonlyMap<string, Row> = new Map()): Map<string, Row> {
  const now = new Map(held);
  for (const { "@odata.type": _type, ...row } of rows) {
    if (row["@removed"] !== undefined) now.delete(row.id);
    else now.set(row.id, { ...now.get(row.id), ...row } as Row);
  }
  return now;
}

export function tokenOf(link: string): string {
  return link.slice(link.indexOf("token=") + "token=".length);
}
