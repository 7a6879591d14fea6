import { createGraphClient } from "../../shared/graph/client.js";
import type { Call, Transport } from "../../shared/graph/ports.js";
import type { Log } from "../../shared/log.js";
import type { Ask } from "../../shared/sync/types.js";
import { answer, scriptedTransport } from "./scriptedGraph.js";

export const root = "https://graph.microsoft.com";
export const lastPage = (mailboxId: string) => ({
  value: [{ id: `${mailboxId}-calendar` }],
  "@odata.deltaLink": `${root}/beta/users/${mailboxId}/calendars/delta?$deltatoken=next`,
});
export const ask = (mailboxId: string, link: string | null = null): Ask => ({ mailboxId, strategy: "delta", link });
export const asksFor = (count: number): Ask[] => Array.from({ length: count }, (_, index) => ask(`m${index}`));
export const mailboxOf = (url: string): string => /users\/(m\d+)\//.exec(url)?.[1] ?? "";

type Line = { level: string; message: string; fields: Readonly<Record<string, unknown>> };

export function open(
  transport: Transport,
  settings: Partial<Parameters<typeof createGraphClient>[0]["settings"]> = {},
) {
  const clock = { atMs: 0, nowMs: () => clock.atMs };
  const lines: Line[] = [];
  const log: Log = (level, message, fields = {}) => lines.push({ level, message, fields });
  const client = createGraphClient({
    settings: { root, version: "beta", pageSize: 50, batchSize: 20, ...settings },
    transport,
    clock,
    log,
  });
  return { client, clock, lines };
}

type BatchEntry = { id: string; url: string; method: string; headers: Record<string, string> };
export const entriesOf = (call: Call): BatchEntry[] => (call.body as unknown as { requests: BatchEntry[] }).requests;

/** Answers a batch item by item, in reverse order, and single calls as the same items would be. */
export function batchGraph(
  itemFor: (mailboxId: string) => { status: number; body?: unknown; headers?: Record<string, string> } | null,
) {
  return scriptedTransport((call) => {
    if (call.method === "GET") return answer(200, lastPage(mailboxOf(call.rawTarget)));
    const responses = entriesOf(call).flatMap(({ id, url }) => {
      const item = itemFor(mailboxOf(url));
      return item === null ? [] : [{ id, ...item }];
    });
    return answer(200, { responses: responses.reverse() });
  });
}
