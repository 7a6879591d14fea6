import { createHttpHeaders, type HttpClient, type PipelineRequest } from "@azure/core-rest-pipeline";
import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { createGraphClient } from "../../shared/graph/client.js";
import { trialToken } from "../../shared/graph/token.js";
import { createTransport } from "../../shared/graph/transport.js";
import type { AloneMessage, PageMessage, RoundsMessage } from "../../shared/messages.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { type Ports, runLimits } from "../../shared/rounds/ports.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { createStore, type Store } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import type { After } from "../../shared/timer.js";
import { countingIds, graphSettings, keptLog, runPorts } from "./parts.js";

/** Time that goes on to the next thing that is due, once all that could happen before it has happened. */
class VirtualTime {
  ms = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<{ readonly atMs: number; readonly call: () => void }>();

  readonly after: After = (ms, call) => {
    const timer = { atMs: this.ms + ms, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  };

  readonly clock: Ports["clock"] = {
    nowMs: () => this.ms,
    sleep: (ms) => new Promise((resolve) => void this.after(ms, resolve)),
    after: this.after,
  };

  async pass(ms: number): Promise<void> {
    const untilMs = this.ms + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...this.#timers].sort((one, other) => one.atMs - other.atMs);
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.delete(next);
      this.ms = Math.max(this.ms, next.atMs);
      next.call();
    }
    this.ms = untilMs;
  }

  /** What is still to come: nothing may be left behind. */
  get waiting(): number {
    return this.#timers.size;
  }
}

export type SlowWorld = Awaited<ReturnType<typeof slowWorld>>;

/**
 * One shard in virtual time. Real: the drivers, the store, and Graph's client and transport. Fake: the table in memory, and
 * the simulator under the transport's HTTP client, which takes `delayMs` to answer for each mailbox.
 */
export async function slowWorld(
  mailboxes: number,
  delayMs: (mailboxId: string) => number,
  limits: Partial<Ports["limits"]> = {},
  batchSize = 20,
) {
  const time = new VirtualTime();
  const { clock } = time;
  const root = "https://graph.microsoft.com";
  const graph = createGraph({ clock, random: randomFrom(7), mailboxes, calendars: 2, publicRoot: root });
  const newId = countingIds();
  const real = createStore({ table: memoryTable(), shards: 1, newCommitId: newId });
  let hung = "";
  const forEver = new Promise<never>(() => undefined);
  const store: Store = {
    ...real,
    readCalendars: (id) => (id === hung ? forEver : real.readCalendars(id)),
    readCalendarsOf: (ids) => (ids.includes(hung) ? forEver : real.readCalendarsOf(ids)),
  };
  await store.open();
  for (const id of graph.mailboxes.ids()) await addMailbox(id, {}, store, newId);
  const calls: { readonly items: number; readonly atMs: number }[] = [];
  const httpClient = slowly(graph, time, delayMs, (items) => calls.push({ items, atMs: time.ms }));
  const { logged, log } = keptLog();
  const transport = createTransport({ root, token: trialToken("t"), newId, httpClient, after: time.after });
  const settings = { ...graphSettings(root), batchSize };
  const ports = runPorts({
    clock,
    newId,
    graph: createGraphClient({ settings, transport, clock, log }),
    store,
    log,
    limits: { ...runLimits, ...limits },
    batchSize,
  });
  const running = new Set<Promise<unknown>>();
  const faults: unknown[] = [];
  /** As the host does: an invocation for each message, and its outputs once it has ended. */
  const start = (work: () => Promise<void>) => {
    const one = work().catch((error: unknown) => faults.push(error));
    running.add(one);
    void one.finally(() => running.delete(one));
  };
  const page = (message: PageMessage | AloneMessage) =>
    start(async () => {
      const { next } = await applyPage(message, ports);
      if (next !== null) page(next);
    });
  const round = (message: RoundsMessage) =>
    start(async () => {
      const end = await runRounds(message, ports);
      for (const one of end.pages) page(one);
      if (end.continuation !== null) round(end.continuation);
    });
  return {
    time,
    graph,
    store,
    ports,
    calls,
    logged,
    faults,
    round,
    /** From now on the table does not answer for this mailbox's rows. */
    hang: (id: string) => {
      hung = id;
    },
    running: () => running.size,
    ids: graph.mailboxes.ids(),
    checkpoint: async (id: string) => {
      const held = await store.readMailbox(id);
      if (held === null) throw new Error(`no mailbox ${id}`);
      return held.checkpoint;
    },
  };
}

/** Answers a batch when its slowest item has answered, as Graph does. A call that was given up ends at once. */
function slowly(
  graph: GraphSimulator,
  time: VirtualTime,
  delayMs: (mailboxId: string) => number,
  asked: (items: number) => void,
): HttpClient {
  return {
    sendRequest: async (request) => {
      const target = String(request.requestOverrides?.["path"] ?? "");
      const text = typeof request.body === "string" ? request.body : undefined;
      const items = itemsOf(target, text);
      asked(items.length);
      await answered(request, time, Math.max(...items.map(delayMs)));
      const headers = Object.fromEntries([...request.headers].map(([name, value]) => [name.toLowerCase(), value]));
      const sent = { method: request.method, url: target, headers };
      const answer = graph.handle(text === undefined ? sent : { ...sent, body: text });
      return {
        request,
        status: answer.status,
        headers: createHttpHeaders(answer.headers),
        readableStreamBody: [Buffer.from(answer.body)] as unknown as NodeJS.ReadableStream,
      };
    },
  };
}

function itemsOf(target: string, body: string | undefined): readonly string[] {
  const urls =
    body === undefined
      ? [target]
      : (JSON.parse(body) as { requests: { url: string }[] }).requests.map(({ url }) => url);
  return urls.map((url) => /[0-9a-f]{8}-[0-9a-f-]{27}/i.exec(url)?.[0] ?? "");
}

function answered({ abortSignal }: PipelineRequest, time: VirtualTime, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = Number.isFinite(ms) ? time.after(ms, resolve) : () => undefined;
    abortSignal?.addEventListener("abort", () => {
      callOff();
      reject(new Error("given up"));
    });
  });
}
