import { setTimeout as sleep } from "node:timers/promises";
import { preferPageSize } from "./peer.js";

const itemsPerBatch = 20;

type Item = {
  readonly id: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: { readonly "@odata.nextLink"?: string; readonly "@odata.deltaLink"?: string };
};

/** No program at all: the Graph requests that ours makes, as fast as they go, and nothing is kept but links in memory. */
export function floorOf(graphUrl: string, token: string, inFlight: number) {
  const links = new Map<string, string>();
  let isThrottled = false;
  const start = (mailboxId: string) => `/users/${mailboxId}/calendars/delta`;

  /** Asks one batch. @returns the mailboxes that have to be asked again. */
  async function ask(mailboxIds: readonly string[]): Promise<readonly string[]> {
    const requests = mailboxIds.map((mailboxId, index) => {
      const url = links.get(mailboxId)?.replace(`${graphUrl}/beta`, "") ?? start(mailboxId);
      return { id: `${index}`, method: "GET", url, headers: preferPageSize };
    });
    const response = await fetch(`${graphUrl}/beta/$batch`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ requests }),
    });
    if (!response.ok) throw new Error(`Graph answered ${response.status}.`);
    const { responses } = (await response.json()) as { responses: readonly Item[] };
    const again: string[] = [];
    for (const { id, status, body } of responses) {
      const mailboxId = mailboxIds[Number(id)] ?? "";
      const link = status === 200 ? (body["@odata.nextLink"] ?? body["@odata.deltaLink"]) : undefined;
      if (link !== undefined) links.set(mailboxId, link);
      else if (status === 410) links.delete(mailboxId);
      if (status === 429) isThrottled = true;
      if (status !== 200 || body["@odata.nextLink"] !== undefined) again.push(mailboxId);
    }
    return again;
  }

  return {
    /** @param pauseMs Before those are asked again that were throttled. */
    async tick(mailboxIds: readonly string[], pauseMs: number): Promise<void> {
      for (let waiting = mailboxIds; waiting.length > 0; ) {
        const batches: string[][] = [];
        for (let at = 0; at < waiting.length; at += itemsPerBatch) batches.push(waiting.slice(at, at + itemsPerBatch));
        const again: string[] = [];
        const lane = async () => {
          for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) again.push(...(await ask(batch)));
        };
        await Promise.all(Array.from({ length: inFlight }, lane));
        if (isThrottled) await sleep(pauseMs);
        isThrottled = false;
        waiting = again;
      }
    },
  };
}
