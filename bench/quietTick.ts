import { randomUUID } from "node:crypto";
import { createHttpHeaders, type HttpClient } from "@azure/core-rest-pipeline";
import { createGraph, type GraphSimulator } from "../local/graph/graph.js";
import { randomFrom } from "../local/graph/random.js";
import { createGraphClient } from "../shared/graph/client.js";
import { trialToken } from "../shared/graph/token.js";
import { createTransport } from "../shared/graph/transport.js";
import type { RoundsMessage } from "../shared/messages.js";
import { addMailbox } from "../shared/roster/byHand.js";
import { createMailboxNames } from "../shared/roster/mailboxNames.js";
import { applyPage } from "../shared/rounds/applyPage.js";
import { type Ports, runLimits } from "../shared/rounds/ports.js";
import { runRounds } from "../shared/rounds/runRounds.js";
import { startRounds } from "../shared/rounds/startRounds.js";
import { shardNames } from "../shared/store/keys.js";
import { newRosterRow } from "../shared/store/rosterRows.js";
import { createStore } from "../shared/store/store.js";
import { newCheckpoint } from "../shared/sync/checkpoint.js";
import { newDirectory } from "../shared/sync/directory.js";
import { stateOf } from "../shared/sync/state.js";
import { memoryTable } from "../shared/table/memoryTable.js";
import type { Columns, Table } from "../shared/table/table.js";

/**
 * What one tick asks of Graph, table, queue and host. Counted, not timed: the same on every machine. All of it runs in
 * this process, over the in-memory table and the simulator's core.
 */
export type TickCounts = {
  readonly mailboxes: number;
  /** Whether every mailbox was fresh after the tick. */
  readonly isFresh: boolean;
  readonly graphRequests: number;
  /** Of the requests to Graph, headers too, without links' and access tokens: the simulator's are shorter than Graph's. */
  readonly graphBytesSent: number;
  /** Links' tokens in them. */
  readonly graphLinksSent: number;
  /** Table requests by kind. */
  readonly queries: number;
  readonly pointReads: number;
  readonly transactions: number;
  readonly tableRequests: number;
  /** Columns of rows that went to the table or came from it, as JSON: about what OData makes of them. */
  readonly tableBytes: number;
  readonly executions: number;
  /** Messages put, received and deleted, with one receive that finds the queue empty. */
  readonly queueOperations: number;
};

export type CountedWorld = {
  /** Ticks once, and counts. */
  tick(): Promise<TickCounts>;
  advance(ms: number): void;
};

/** As host.json has it: messages that one receive takes. */
const messagesPerReceive = 16;
const firstTicksMax = 5;
const tickMs = 5 * 60_000;

/** A world whose mailboxes have had their first full sync. */
export async function countedWorld(size: {
  readonly mailboxes: number;
  readonly calendars: number;
  readonly shards: number;
}): Promise<CountedWorld> {
  let nowMs = Date.UTC(2026, 0, 1);
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
    after: () => () => undefined, // All is answered at once.
  };
  const graph = createGraph({ clock, random: randomFrom(1), mailboxes: size.mailboxes, calendars: size.calendars });
  const counts = { queries: 0, pointReads: 0, transactions: 0, tableBytes: 0 };
  const table = countingTable(memoryTable(), counts);
  const sent = { bytes: 0, links: 0 };
  const ports = portsOf(graph, table, clock, size.shards, sent);
  await ports.store.open();
  for (const id of graph.mailboxes.ids()) await addMailbox(id, {}, ports.store, ports.newId);

  const tick = async (): Promise<TickCounts> => {
    nowMs += tickMs;
    Object.assign(counts, { queries: 0, pointReads: 0, transactions: 0, tableBytes: 0 });
    Object.assign(sent, { bytes: 0, links: 0 });
    graph.resetStats();
    const messages: RoundsMessage[] = [];
    const started = await startRounds({
      ...ports,
      shards: size.shards,
      nextFireMs: (afterMs) => afterMs + tickMs,
      send: async (message) => void messages.push(message),
    });
    messages.unshift(...started.atOnce);
    let executions = 1;
    let queued = messages.length;
    const pages = [];
    for (const message of messages) {
      for (let next: typeof message | null = message; next !== null; executions++) {
        const end = await runRounds(next, ports);
        pages.push(...end.pages);
        next = end.continuation;
        if (next !== null) queued++;
      }
    }
    for (const page of pages) {
      for (let next: typeof page | null = page; next !== null; queued++, executions++) {
        next = (await applyPage(next, ports)).next;
      }
    }
    const { queries, pointReads, transactions, tableBytes } = counts;
    return {
      mailboxes: size.mailboxes,
      isFresh: await areAllFresh(ports, size.shards),
      graphRequests: graph.stats().httpRequests,
      ...{ graphBytesSent: sent.bytes, graphLinksSent: sent.links },
      ...{ queries, pointReads, transactions, tableRequests: queries + pointReads + transactions },
      tableBytes,
      executions,
      queueOperations: 2 * queued + Math.ceil(queued / messagesPerReceive) + 1,
    };
  };

  for (let first = 0; !(await tick()).isFresh; first++) {
    if (first === firstTicksMax) throw new Error("The mailboxes do not become fresh.");
  }
  return {
    tick,
    advance: (ms) => {
      nowMs += ms;
    },
  };
}

type SentToGraph = { bytes: number; links: number };

/** Table requests for whose mailbox a userPrincipalName is: of a name that is new to the process, and of one that it remembers. */
export async function namesAsked(shards: number): Promise<{ readonly first: number; readonly again: number }> {
  const table = memoryTable();
  const opened = () => createStore({ table, shards, newCommitId: randomUUID });
  const store = opened();
  await store.open();
  await store.writeDirectory(newDirectory("directory"), null);
  const userPrincipalName = "adele.vance@contoso.example";
  const row = { ...newRosterRow(randomUUID(), "directory"), userPrincipalName };
  const next = newCheckpoint(row.mailboxId, randomUUID(), null);
  await store.roster.commit([{ row, etag: null, checkpoint: { next, etag: null } }]);
  const names = createMailboxNames({ isFollowed: true });
  const requests = async () => {
    const asked = opened();
    await names.find(userPrincipalName, asked);
    return asked.transactions();
  };
  return { first: await requests(), again: await requests() };
}

function portsOf(
  graph: GraphSimulator,
  table: Table,
  clock: Ports["clock"],
  shards: number,
  counted: SentToGraph,
): Ports {
  const root = "http://127.0.0.1:1";
  graph.setPublicRoot(root);
  const transport = createTransport({
    root,
    token: trialToken("counted"),
    newId: randomUUID,
    httpClient: inProcess(graph, counted),
  });
  const log = () => undefined;
  const settings = { root, version: "beta", pageSize: 50, batchSize: 20 };
  return {
    clock,
    random: { next: () => 0.5 },
    newId: randomUUID,
    graph: createGraphClient({ settings, transport, clock, log }),
    store: createStore({ table, shards, newCommitId: randomUUID }),
    nudge: async () => undefined,
    log,
    limits: runLimits,
    batchSize: settings.batchSize,
    auditMs: 7 * 86_400_000,
  };
}

/** Stands where the network would. */
function inProcess(graph: GraphSimulator, counted: SentToGraph): HttpClient {
  return {
    sendRequest: async (request) => {
      const headers = Object.fromEntries([...request.headers].map(([name, value]) => [name.toLowerCase(), value]));
      const sent = { method: request.method, url: String(request.requestOverrides?.["path"] ?? ""), headers };
      countSent(sent, typeof request.body === "string" ? request.body : "", counted);
      const answer = graph.handle(typeof request.body === "string" ? { ...sent, body: request.body } : sent);
      return {
        request,
        status: answer.status,
        headers: createHttpHeaders(answer.headers),
        readableStreamBody: [Buffer.from(answer.body)] as unknown as NodeJS.ReadableStream,
      };
    },
  };
}

/** What goes on the wire, without what depends on who issued it. */
function countSent(
  { method, url, headers }: { readonly method: string; readonly url: string; readonly headers: Record<string, string> },
  body: string,
  counted: SentToGraph,
): void {
  const lines = Object.entries(headers).filter(([name]) => name !== "authorization");
  const head = [`${method} ${url} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), "", ""].join("\r\n");
  const text = head + body;
  const tokens = [...text.matchAll(/\$(?:delta|skip)token=([^"&\s]+)/g)].map(([, token = ""]) => token);
  counted.links += tokens.length;
  counted.bytes += Buffer.byteLength(text) - tokens.reduce((sum, token) => sum + token.length, 0);
}

type TableCounts = { queries: number; pointReads: number; transactions: number; tableBytes: number };

const bytesOf = (columns: Columns) =>
  JSON.stringify(columns, (_, value) => (typeof value === "bigint" ? String(value) : value)).length;

function countingTable(table: Table, counts: TableCounts): Table {
  return {
    createIfMissing: () => table.createIfMissing(),
    get: async (...asked) => {
      counts.pointReads++;
      const row = await table.get(...asked);
      counts.tableBytes += row === null ? 0 : bytesOf(row.columns);
      return row;
    },
    transact: (partitionKey, actions) => {
      counts.transactions++;
      for (const action of actions) if ("columns" in action) counts.tableBytes += bytesOf(action.columns);
      return table.transact(partitionKey, actions);
    },
    async *pages(...query) {
      for await (const page of table.pages(...query)) {
        counts.queries++;
        for (const { columns } of page) counts.tableBytes += bytesOf(columns);
        yield page;
      }
    },
  };
}

async function areAllFresh({ store }: Ports, shards: number): Promise<boolean> {
  for (const shard of shardNames(shards)) {
    for await (const page of store.readMailboxes(shard, { after: null, upTo: null })) {
      if (page.some(({ checkpoint }) => stateOf(checkpoint) !== "fresh")) return false;
    }
  }
  return true;
}
