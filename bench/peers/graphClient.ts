import {
  AuthenticationHandler,
  Client,
  type Context,
  PageIterator,
  RetryHandler,
} from "@microsoft/microsoft-graph-client";
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

/** The root that Microsoft's client sends tokens to; the simulator writes it into its links. */
export const graphRoot = "https://graph.microsoft.com";

/**
 * What samples teach: Microsoft's client and its PageIterator, one upsert for each calendar, then the link. With what
 * careful users add: `@removed` deletes, and after a 410 what the new walk lacks is deleted.
 */
export function graphClientPeer({ graphUrl, token, table }: PeerParts): Peer {
  const client = clientOf(graphUrl, token);
  const walk = async (address: string) => {
    const found: GraphCalendar[] = [];
    const options = { headers: preferPageSize };
    const first = await client.api(address).version("beta").headers(preferPageSize).get();
    const pages = new PageIterator(client, first, (calendar) => found.push(calendar) > 0, options);
    await pages.iterate();
    return { found, link: pages.getDeltaLink() ?? "" };
  };
  const save = async (mailboxId: string, found: readonly GraphCalendar[]) => {
    for (const calendar of found) {
      const entity = entityOf(mailboxId, calendar);
      if (calendar["@removed"] === undefined) await table.upsertEntity(entity, "Replace");
      else await table.deleteEntity(mailboxId, entity.rowKey).catch(ignoreMissing);
    }
  };
  return {
    async round(mailboxId) {
      const saved = await readLink(table, mailboxId);
      const start = `/users/${mailboxId}/calendars/delta`;
      const pages = await walk(saved ?? start).catch((error: unknown) => {
        if (saved !== null && (error as { statusCode?: number }).statusCode === 410) return null;
        throw error;
      });
      const { found, link } = pages ?? (await walk(start));
      await save(mailboxId, found);
      if (pages === null) {
        const stale = await readRows(table, mailboxId);
        for (const calendar of found) stale.delete(entityOf(mailboxId, calendar).rowKey);
        for (const rowKey of stale.keys()) await table.deleteEntity(mailboxId, rowKey);
      }
      await table.upsertEntity(linkEntity(mailboxId, link), "Replace");
    },
  };
}

function clientOf(graphUrl: string, token: string): Client {
  const authentication = new AuthenticationHandler({ getAccessToken: async () => token });
  const retry = new RetryHandler();
  authentication.setNext(retry);
  retry.setNext({
    async execute(context: Context) {
      const { request } = context;
      const url = typeof request === "string" ? request : request.url;
      context.response = await fetch(url.replace(graphRoot, graphUrl), context.options as RequestInit);
    },
  });
  return Client.initWithMiddleware({ middleware: authentication });
}

function ignoreMissing(error: { statusCode?: number }): void {
  if (error.statusCode !== 404) throw error;
}
