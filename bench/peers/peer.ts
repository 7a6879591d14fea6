import type { TableClient } from "@azure/data-tables";

/** What a peer works with: a Graph, and a table of its own in which each mailbox has a partition. */
export type PeerParts = { readonly graphUrl: string; readonly token: string; readonly table: TableClient };

/** One program that mirrors calendar lists in another way than ours. */
export type Peer = {
  /** Reads one mailbox from Graph and brings its rows up to date. A throw is tried again, as a queue would. */
  round(mailboxId: string): Promise<void>;
};

/** Asked of Graph by everybody: with Graph's own page size, a list of 25 would take three requests. */
export const pageSize = 50;
export const preferPageSize = { Prefer: `odata.maxpagesize=${pageSize}` };

export type GraphCalendar = { readonly id: string; readonly [name: string]: unknown };
export type CalendarEntity = { partitionKey: string; rowKey: string; json: string };

/** The row in which a peer keeps its link. */
const linkRow = "!link";

export function entityOf(mailboxId: string, calendar: GraphCalendar): CalendarEntity {
  return { partitionKey: mailboxId, rowKey: encodeURIComponent(calendar.id), json: JSON.stringify(calendar) };
}

export function linkEntity(mailboxId: string, link: string) {
  return { partitionKey: mailboxId, rowKey: linkRow, link };
}

export async function readLink(table: TableClient, mailboxId: string): Promise<string | null> {
  try {
    return (await table.getEntity<{ link: string }>(mailboxId, linkRow)).link;
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return null;
    throw error;
  }
}

/** A mailbox's rows by key, without its link. */
export async function readRows(table: TableClient, mailboxId: string): Promise<Map<string, string>> {
  const filter = `PartitionKey eq '${mailboxId}'`;
  const rows = new Map<string, string>();
  for await (const { rowKey = "", json } of table.listEntities<{ json: string }>({ queryOptions: { filter } })) {
    if (rowKey !== linkRow) rows.set(rowKey, json);
  }
  return rows;
}
