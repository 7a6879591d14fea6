import type { TransactionAction } from "@azure/data-tables";
import {
  DefaultHeaders,
  DefaultInit,
  GraphCollection,
  type GraphFI,
  graphfi,
  type IPagedResult,
  Paged,
} from "@pnp/graph";
import type { IUsers } from "@pnp/graph/users/index.js";
import "@pnp/graph/users/index.js";
import { BrowserFetchWithRetry, DefaultParse, InjectHeaders } from "@pnp/queryable";
import {
  entityOf,
  type GraphCalendar,
  linkEntity,
  type Peer,
  type PeerParts,
  preferPageSize,
  readLink,
  readRows,
} from "./peer.js";

/**
 * The delta path composed with @pnp/graph, which has none for calendars, and a mailbox's rows with its link in one
 * transaction: the strongest that we could write with a client library.
 */
export function pnpPeer({ graphUrl, token, table }: PeerParts): Peer {
  const graph = graphfi().using(
    DefaultInit(`${graphUrl}/beta`),
    DefaultHeaders(),
    InjectHeaders({ Authorization: `Bearer ${token}`, ...preferPageSize }),
    BrowserFetchWithRetry(),
    DefaultParse(),
  ) as GraphFI & { readonly users: IUsers }; // Its own types for that are lost under Node's resolution of modules.
  const follow = (link: string): Promise<IPagedResult<GraphCalendar>> =>
    GraphCollection([graph.users, link]).using(Paged())();
  const start = (mailboxId: string): Promise<IPagedResult<GraphCalendar>> =>
    GraphCollection(graph.users.getById(mailboxId), "calendars/delta").using(Paged())();
  const walk = async (first: IPagedResult<GraphCalendar>) => {
    const found = [...(first.value ?? [])];
    let page = first;
    while (page.hasNext) {
      page = await follow(page.nextLink);
      found.push(...(page.value ?? []));
    }
    return { found, link: page.deltaLink };
  };
  return {
    async round(mailboxId) {
      const saved = await readLink(table, mailboxId);
      const first = saved === null ? null : await follow(saved).catch(nullIfGone);
      const { found, link } = await walk(first ?? (await start(mailboxId)));
      const stale = saved !== null && first === null ? await readRows(table, mailboxId) : new Map<string, string>();
      const actions: TransactionAction[] = [["upsert", linkEntity(mailboxId, link), "Replace"]];
      for (const calendar of found) {
        const entity = entityOf(mailboxId, calendar);
        stale.delete(entity.rowKey);
        actions.push(calendar["@removed"] === undefined ? ["upsert", entity, "Replace"] : ["delete", entity]);
      }
      for (const rowKey of stale.keys()) actions.push(["delete", { partitionKey: mailboxId, rowKey }]);
      for (let at = 0; at < actions.length; at += 100) await table.submitTransaction(actions.slice(at, at + 100));
    },
  };
}

function nullIfGone(error: { readonly status?: number }): null {
  if (error.status === 410) return null;
  throw error;
}
