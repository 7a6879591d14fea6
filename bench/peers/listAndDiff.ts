import { setTimeout as sleep } from "node:timers/promises";
import {
  type CalendarEntity,
  entityOf,
  type GraphCalendar,
  type Peer,
  type PeerParts,
  pageSize,
  readRows,
} from "./peer.js";

type ListPage = { readonly value: readonly GraphCalendar[]; readonly "@odata.nextLink"?: string };

/** What Keeper, Nango, Corso and evolution-ews do: list all calendars each time, and write what differs. */
export function listAndDiffPeer({ graphUrl, token, table }: PeerParts): Peer {
  return {
    async round(mailboxId) {
      const listed = new Map<string, CalendarEntity>();
      let url: string | undefined = `${graphUrl}/beta/users/${mailboxId}/calendars?$top=${pageSize}`;
      while (url !== undefined) {
        const page: ListPage = await getPage(url, token);
        for (const calendar of page.value) {
          const entity = entityOf(mailboxId, calendar);
          listed.set(entity.rowKey, entity);
        }
        url = page["@odata.nextLink"];
      }
      const held = await readRows(table, mailboxId);
      for (const [rowKey, entity] of listed) {
        if (held.get(rowKey) !== entity.json) await table.upsertEntity(entity, "Replace");
      }
      for (const rowKey of held.keys()) if (!listed.has(rowKey)) await table.deleteEntity(mailboxId, rowKey);
    },
  };
}

async function getPage(url: string, token: string): Promise<ListPage> {
  for (;;) {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    if (response.ok) return (await response.json()) as ListPage;
    await response.arrayBuffer();
    if (response.status !== 429) throw new Error(`Graph answered ${response.status}.`);
    await sleep(Number(response.headers.get("retry-after") ?? 3) * 1000);
  }
}
