import { type Random, randomFrom } from "../local/graph/random.js";
import { createGraphClient } from "../shared/graph/client.js";
import { graphLimits } from "../shared/graph/limits.js";
import type { Answer, Transport } from "../shared/graph/ports.js";
import type { RoundsMessage } from "../shared/messages.js";
import { addMailbox } from "../shared/roster/byHand.js";
import { type Ports, runLimits } from "../shared/rounds/ports.js";
import { runRounds } from "../shared/rounds/runRounds.js";
import { startRounds } from "../shared/rounds/startRounds.js";
import { mailboxKey, shardOf } from "../shared/store/keys.js";
import { createStore } from "../shared/store/store.js";
import { memoryTable } from "../shared/table/memoryTable.js";
import type { Action, Columns, Entity, KeyRange, Table } from "../shared/table/table.js";
import { assumed } from "./prices.js";

/**
 * One tick of a large mirror in virtual time. Real: what starts a tick, runs, the store, and Graph's client with its brake.
 * Fake: time, the queue and the hosts that take from it, the table, which makes quiet checkpoints up as they are read, and
 * Graph, which takes its time for each item and allows an application so many requests in 10 s.
 */
export type PaceOptions = {
  readonly mailboxes: number;
  readonly shards: number;
  readonly instances: number;
  /** Whether messages are seen when they should be, or all at once. */
  readonly isPaced: boolean;
  readonly graphMsPerItem: number;
  readonly tickMs: number;
  /**
   * How many mailboxes one stands for: so many fewer are in a batch, and are allowed by the limit. A batch takes the same
   * time, and a shard has the same number of batches: all ratios of load, time and limit stay. 1, 2, 4, 5 or 10.
   */
  readonly standsFor: number;
  /** Decides when hosts look at the queue. 1 by default. */
  readonly seed?: number;
};

export type PaceResult = {
  /** When Graph first throttled the application, which ends the simulation; null: never. Virtual seconds from the start. */
  readonly throttledAfterSeconds: number | null;
  /** Mailboxes that Graph has answered for, with all that they stand for. */
  readonly answered: number;
  /** Runs that got round their shard. */
  readonly runsDone: number;
  /** The most requests in any 10 s, as a share of the limit. */
  readonly peakShare: number;
  /** From the start of the tick to the end of its last run, virtual seconds. */
  readonly seconds: number;
  /** Time in which an instance had a run in hand, of all instances, virtual seconds: what is paid for. */
  readonly instanceSeconds: number;
};

/** @see https://learn.microsoft.com/graph/throttling-limits */
const applicationLimit = { requests: 130_000, windowMs: 10_000 };
/** `host.json`. The time between two looks at the queue is drawn: hosts do not keep step. */
const host = { batchSize: 16, newBatchThreshold: 16, pollMsMin: 100, pollMsMax: 2_000 };
const tableMs = { page: 20, other: 10 };
const root = "https://graph.microsoft.com";
const startMs = Date.UTC(2026, 0, 1);

/** Resolves when all microtasks have run: nothing here waits for a real timer or the network. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass from one call to the next; between two of them all that follows from the first has happened. */
class VirtualTime {
  nowMs = startMs;
  readonly #due = new Map<number, (() => void)[]>();

  readonly after = (ms: number, call: () => void): (() => void) => {
    let isOff = false;
    const dueMs = this.nowMs + Math.max(0, Math.ceil(ms));
    const calls = this.#due.get(dueMs) ?? [];
    this.#due.set(dueMs, calls);
    calls.push(() => isOff || call());
    return () => {
      isOff = true;
    };
  };

  readonly sleep = (ms: number): Promise<void> => new Promise((resolve) => this.after(ms, resolve));

  async passUntil(endMs: number, isOver: () => boolean): Promise<void> {
    await settled(); // What has begun before this.
    for (; this.nowMs < endMs && !isOver(); this.nowMs++) {
      for (let calls = this.#due.get(this.nowMs); calls !== undefined; calls = this.#due.get(this.nowMs)) {
        this.#due.delete(this.nowMs);
        for (const call of calls) call();
        await settled();
      }
    }
  }
}

/** Counts requests in windows that slide: the strictest reading of the limit. */
class Limiter {
  throttledMs: number | null = null;
  answered = 0;
  peak = 0;
  #inWindow = 0;
  readonly #asked: { readonly atMs: number; readonly items: number }[] = [];
  #oldest = 0;

  constructor(
    private readonly time: VirtualTime,
    readonly requestsMax: number,
  ) {}

  /** How many of the items are answered; the others are throttled, which counts as a request, too. */
  take(items: number): number {
    for (let first = this.#asked[this.#oldest]; first !== undefined; first = this.#asked[this.#oldest]) {
      if (first.atMs > this.time.nowMs - applicationLimit.windowMs) break;
      this.#inWindow -= first.items;
      this.#oldest += 1;
    }
    const taken = Math.max(0, Math.min(items, this.requestsMax - this.#inWindow));
    this.#asked.push({ atMs: this.time.nowMs, items });
    this.#inWindow += items;
    this.peak = Math.max(this.peak, this.#inWindow);
    this.answered += taken;
    if (taken < items) this.throttledMs ??= this.time.nowMs;
    return taken;
  }
}

type Speed = Pick<PaceOptions, "graphMsPerItem" | "standsFor">;

/** Graph behind the connections of one instance. */
function transportOf(time: VirtualTime, limiter: Limiter, { graphMsPerItem, standsFor }: Speed): Transport {
  let free: number = graphLimits.socketsMax;
  const waiting: (() => void)[] = [];
  const connection = async (): Promise<void> => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const letGo = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  const batchMs = (items: number) => Math.ceil((items * standsFor) / assumed.itemsAtOnce) * graphMsPerItem;
  return {
    send: async ({ body, rawTarget, patienceMs }) => {
      const askedMs = time.nowMs;
      await connection();
      const urls = body === null ? [rawTarget] : urlsOf(body);
      const taken = limiter.take(urls.length);
      await time.sleep(batchMs(urls.length));
      letGo();
      if (time.nowMs - askedMs > (patienceMs ?? Number.POSITIVE_INFINITY)) throw new Error("A call would be cut off.");
      const items = urls.map((url, index) => (index < taken ? quietPage(url) : throttledAnswer));
      const record = { requests: 1, clientRequestId: null, kind: "answer" } as const;
      if (body === null) return { ...record, answer: items[0] ?? throttledAnswer };
      const responses = items.map(({ status, headers, body: page }, index) => ({
        ...{ id: String(index + 1), status, headers: Object.fromEntries(headers) },
        body: page.shape === "json" ? page.value : null,
      }));
      return { ...record, answer: { ...answerOf({ responses }), status: 200 } };
    },
    hasOtherToken: async () => false,
    nextRequestId: () => "request",
    batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
    close: () => undefined,
  };
}

const answerOf = (value: unknown): Answer => ({ status: 200, headers: new Map(), body: { shape: "json", value } });
const throttledAnswer: Answer = {
  ...answerOf({ error: { code: "TooManyRequests", message: "" } }),
  status: 429,
  headers: new Map([["retry-after", "10"]]),
};

function urlsOf(body: object): readonly string[] {
  return (body as { readonly requests: readonly { readonly url: string }[] }).requests.map(({ url }) => url);
}

/** Nothing new. */
function quietPage(url: string): Answer {
  const [path = ""] = url.replace(/^\/beta/, "").split("?");
  return answerOf({ value: [], "@odata.deltaLink": `${root}/beta${path}?$deltatoken=quiet` });
}

/** The mailboxes of each shard that is there, in the order of their keys. */
function mailboxesByShard({ mailboxes, shards, standsFor }: PaceOptions): ReadonlyMap<string, readonly string[]> {
  const byShard = new Map<string, string[]>();
  for (let number = 0; number < mailboxes / standsFor; number++) {
    const id = idOf(number);
    const shard = shardOf(id, shards);
    const known = byShard.get(shard);
    if (known === undefined) byShard.set(shard, [id]);
    else known.push(id);
  }
  return byShard;
}

const idOf = (number: number) => `m${String(number).padStart(8, "0")}`;

/** A table that holds quiet checkpoints without storing them: commits of mailboxes are taken and forgotten. */
function tableOf(time: VirtualTime, ids: ReadonlyMap<string, readonly string[]>, quiet: Columns, small: Table): Table {
  const sample = String(quiet["mailboxId"]);
  const checkpointOf = (partitionKey: string, id: string): Entity => ({
    ...{ partitionKey, rowKey: mailboxKey(id), etag: "quiet" },
    columns: { ...quiet, mailboxId: id, link: String(quiet["link"]).replace(sample, id) },
  });
  const isKept = ({ rowKey }: Action) => !rowKey.startsWith("mailbox|");
  return {
    createIfMissing: () => small.createIfMissing(),
    get: async (...key) => {
      await time.sleep(tableMs.other);
      return small.get(...key);
    },
    async *pages(partitionKey, range, pageSize, options) {
      const isOfMailboxes = range.after.startsWith("mailbox|");
      if (!isOfMailboxes) yield* small.pages(partitionKey, range, pageSize, options);
      else {
        const all = (ids.get(partitionKey) ?? []).filter((id) => isIn(range, mailboxKey(id)));
        for (let next = 0; next < all.length; next += pageSize) {
          await time.sleep(tableMs.page);
          yield all.slice(next, next + pageSize).map((id) => checkpointOf(partitionKey, id));
        }
      }
    },
    transact: async (partitionKey, actions) => {
      await time.sleep(tableMs.other);
      const kept = actions.filter(isKept);
      const done = kept.length === 0 ? null : await small.transact(partitionKey, kept);
      if (done?.kind === "refused") return done;
      const etags = (done?.etags ?? []).values();
      return { kind: "done", etags: actions.map((action) => (isKept(action) ? (etags.next().value ?? "") : "quiet")) };
    },
  };
}

const isIn = ({ after, upTo }: KeyRange, key: string) => key > after && key <= upTo;

const fixed = {
  newId: () => "id",
  log: () => undefined,
  random: { next: () => 0.5 },
  nudge: null,
  limits: runLimits,
  auditMs: Number.MAX_SAFE_INTEGER,
};
type PortsParts = {
  readonly time: VirtualTime;
  readonly table: Table;
  readonly transport: Transport;
  readonly batchSize: number;
};

let lastId = 0;
/** Ports of one invocation. */
function portsOf({ time, table, transport, batchSize }: PortsParts, shards: number): Ports {
  const clock = { nowMs: () => time.nowMs, sleep: time.sleep, after: time.after };
  const newId = () => `id-${++lastId}`;
  const settings = { root, version: "beta", pageSize: 50, batchSize };
  const graph = createGraphClient({ settings, transport, clock, log: fixed.log });
  return { ...fixed, batchSize, clock, newId, graph, store: createStore({ table, shards, newCommitId: newId }) };
}

/** The columns of a mailbox whose first round is over and that has nothing new: as the product itself has written them. */
async function quietColumns(): Promise<Columns> {
  const time = new VirtualTime();
  time.nowMs -= 60 * 60_000;
  const table = memoryTable();
  const transport = transportOf(time, new Limiter(time, Number.POSITIVE_INFINITY), { graphMsPerItem: 0, standsFor: 1 });
  const ports = portsOf({ time, table, transport, batchSize: 1 }, 1);
  await ports.store.open();
  const id = idOf(0);
  await addMailbox(id, {}, ports.store, ports.newId);
  let isOver = false;
  const run = runRounds({ shard: "00", tick: "first" }, ports).finally(() => {
    isOver = true;
  });
  await Promise.all([run, time.passUntil(startMs, () => isOver)]);
  const row = await table.get("00", mailboxKey(id));
  if (row === null) throw new Error("The sample has no checkpoint.");
  return row.columns;
}

type Seen = { readonly visibleMs: number; readonly message: RoundsMessage };

/** An instance of `runRounds`: looks at the queue from time to time, and works on what it gets. */
class Instance {
  inHand = 0;
  busyMs = 0;
  #sinceMs = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly queue: Seen[],
    private readonly random: Random,
    private readonly work: (message: RoundsMessage) => Promise<void>,
  ) {}

  readonly look = (): void => {
    if (this.inHand <= host.newBatchThreshold) {
      for (const message of takeVisible(this.queue, this.time.nowMs)) void this.#run(message);
    }
    this.lookLater();
  };

  lookLater(): void {
    const { pollMsMin, pollMsMax } = host;
    this.time.after(pollMsMin + this.random.next() * (pollMsMax - pollMsMin), this.look);
  }

  async #run(message: RoundsMessage): Promise<void> {
    if (this.inHand === 0) this.#sinceMs = this.time.nowMs;
    this.inHand += 1;
    await this.work(message);
    this.inHand -= 1;
    if (this.inHand === 0) this.busyMs += this.time.nowMs - this.#sinceMs;
  }
}

/** Ticks once. @throws what a run has thrown. */
export async function paceTick(options: PaceOptions): Promise<PaceResult> {
  const { shards, standsFor, tickMs } = options;
  const batchSize = assumed.itemsPerBatch / standsFor;
  const time = new VirtualTime();
  const small = memoryTable();
  await small.createIfMissing();
  const table = tableOf(time, mailboxesByShard(options), await quietColumns(), small);
  const limiter = new Limiter(time, applicationLimit.requests / standsFor);
  const queue = await messagesOf(time, options);
  const ends = { done: 0, lastMs: startMs, fault: null as unknown };
  const random = randomFrom(options.seed ?? 1);
  const instances = Array.from({ length: options.instances }, () => {
    const transport = transportOf(time, limiter, options);
    const work = async (message: RoundsMessage): Promise<void> => {
      const { kind, continuation } = await runRounds(message, portsOf({ time, table, transport, batchSize }, shards));
      if (continuation !== null) return work(continuation);
      if (kind === "done") ends.done += 1;
      ends.lastMs = time.nowMs;
    };
    return new Instance(time, queue, random, (message) =>
      work(message).catch((error: unknown) => {
        ends.fault ??= error;
      }),
    );
  });
  for (const instance of instances) instance.lookLater();
  const isOver = () => ends.done === shards || ends.fault !== null || limiter.throttledMs !== null;
  await time.passUntil(startMs + 10 * tickMs, isOver);
  if (ends.fault !== null) throw ends.fault;
  const { throttledMs, answered, peak, requestsMax } = limiter;
  return {
    throttledAfterSeconds: throttledMs === null ? null : (throttledMs - startMs) / 1000,
    answered: answered * standsFor,
    runsDone: ends.done,
    peakShare: peak / requestsMax,
    seconds: (ends.lastMs - startMs) / 1000,
    instanceSeconds: instances.reduce((sum, { busyMs }) => sum + busyMs, 0) / 1000,
  };
}

/** What the timer puts on the queue. */
async function messagesOf(time: VirtualTime, { shards, isPaced, tickMs }: PaceOptions): Promise<Seen[]> {
  const later: Seen[] = [];
  const { atOnce } = await startRounds({
    clock: { nowMs: () => time.nowMs },
    newId: () => "tick",
    shards,
    nextFireMs: (afterMs) => (Math.floor(afterMs / tickMs) + 1) * tickMs,
    send: async (message, delaySeconds) => {
      later.push({ visibleMs: time.nowMs + (isPaced ? delaySeconds * 1000 : 0), message });
    },
  });
  return [...atOnce.map((message) => ({ visibleMs: time.nowMs, message })), ...later];
}

/** One receive of a host: as many messages as it takes at once. */
function takeVisible(queue: Seen[], nowMs: number): readonly RoundsMessage[] {
  const taken = queue.filter(({ visibleMs }) => visibleMs <= nowMs).slice(0, host.batchSize);
  for (const one of taken) queue.splice(queue.indexOf(one), 1);
  return taken.map(({ message }) => message);
}
