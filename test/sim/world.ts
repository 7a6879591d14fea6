import { createGraph, type GraphSimulator } from "../../local/graph/graph.js";
import { below, type Random, randomFrom } from "../../local/graph/random.js";
import { liftBrake } from "../../shared/actions/brake.js";
import { actOnMailbox, type MailboxAction } from "../../shared/actions/mailbox.js";
import type { Log } from "../../shared/log.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { runLimits } from "../../shared/rounds/ports.js";
import { applyRetention } from "../../shared/rounds/retention.js";
import { startRounds } from "../../shared/rounds/startRounds.js";
import { shardNames } from "../../shared/store/keys.js";
import { StorageError } from "../../shared/table/errors.js";
import { type MemoryTable, memoryTable } from "../../shared/table/memoryTable.js";
import type { Action, Table, Transacted } from "../../shared/table/table.js";
import { Dice } from "./dice.js";
import { faultyTable, shortKey } from "./faultyTable.js";
import { handle } from "./handlers.js";
import { Host, QueueFault } from "./host.js";
import { Oracle } from "./oracle.js";
import type { Plan } from "./plan.js";
import { type Invocation, openedStore, type Process, portsOf, type Wiring } from "./process.js";
import { jsonOrText, type Message, QUEUE_NAMES, Queues } from "./queues.js";
import type { Reader } from "./readers.js";
import { type CallKind, type Fate, type Mortal, Scheduler, settled } from "./scheduler.js";
import { wireOf } from "./wire.js";
import type { WorldOptions } from "./worldOptions.js";

const root = "https://graph.microsoft.com";
const token = "the-only-token";
const startMs = Date.UTC(2026, 0, 5);
const tickMs = 5 * 60_000;
/** Our choice: more at once would only make the order of things less likely to be an extreme one. */
const invocationsMax = 6;

/** The whole world of one seed: Graph, table, queues, host processes, and the oracle that looks on. */
export class World {
  readonly random: Random;
  readonly dice: Dice;
  readonly scheduler: Scheduler;
  readonly queues = new Queues();
  readonly graph: GraphSimulator;
  readonly oracle: Oracle;
  readonly readers: readonly Reader[];
  readonly processes: Process[] = [];
  /** Whether each mailbox is wanted on the roster, by the last word of an operator. */
  readonly wanted = new Map<string, boolean>();
  asks = new Map<string, number>();
  /** The mailbox whose rows the table does not take. */
  refusedMailbox: string | null = null;
  /**
   * Ticks come so quickly that they and page messages walk the same rounds. Graph keeps few generations of links, so the
   * two may lose each other's, and then the list takes over as it should.
   */
  areTicksQuick = false;
  /** The mailbox whose pages of delta have no link of any kind. */
  malformedMailbox: string | null = null;
  /** How long Graph takes to answer for a mailbox, and so for each batch that it is in. Milliseconds. */
  readonly slow = new Map<string, number>();
  readonly #inHand = new Set<string>();
  /** Read by the table at each query. */
  readonly #tableOptions = { pageSize: 1000, emptyPages: false };
  readonly #table: MemoryTable;
  readonly #limits: { -readonly [name in keyof Plan["limits"]]: Plan["limits"][name] };
  readonly #host: Host;
  readonly #wiring: Wiring;
  readonly #trace: ((line: string) => void) | undefined;
  #lives = 0;
  #ids = 0;
  #tickets = 0;

  constructor(
    readonly plan: Plan,
    options: WorldOptions = {},
  ) {
    const { seed } = plan;
    this.random = randomFrom(seed * 7 + 3);
    this.dice = new Dice(plan);
    this.#trace = options.trace;
    this.readers = options.readers ?? [];
    const fateOf = (kind: CallKind, owner: Mortal): Fate => {
      const drawn = this.dice.fateOf(kind);
      return options.fateRule?.(kind, owner, drawn) ?? drawn;
    };
    this.scheduler = new Scheduler(startMs, randomFrom(seed * 13 + 7), fateOf, (line) => this.tell(line));
    this.oracle = new Oracle(
      root,
      () => this.scheduler.steps,
      () => this.#lookOn(),
    );
    this.#table = memoryTable(this.#tableOptions);
    this.#tableOptions.pageSize = plan.tablePageSize;
    this.#tableOptions.emptyPages = plan.hasEmptyTablePages;
    this.graph = createGraph({
      clock: { nowMs: () => this.scheduler.nowMs },
      random: randomFrom(seed * 17 + 9),
      seed,
      mailboxes: plan.mailboxes,
      calendars: plan.calendars,
      publicRoot: root,
      token,
      me: null,
      generationsKept: plan.generationsKept,
      tokenStyle: plan.tokenStyle,
      linkStyle: plan.linkStyle,
    });
    if (plan.largeMailbox > 0) this.graph.mailboxes.add(1, plan.largeMailbox);
    this.#limits = { ...plan.limits };
    this.#host = new Host(this);
    this.#wiring = this.#wire();
    for (let count = 0; count < plan.processes; count++) this.#spawn();
  }

  tell(line: () => string): void {
    if (this.#trace === undefined) return;
    const { steps, nowMs } = this.scheduler;
    this.#trace(`${String(steps).padStart(5)} ${new Date(nowMs).toISOString().slice(5, 23)} ${line()}`);
  }

  /** From now on queries are answered in whole pages, and runs have their real time: a storm's limits starve audits. */
  easeLimits(): void {
    this.#tableOptions.pageSize = 1000;
    this.#tableOptions.emptyPages = false;
    this.#limits.runMsMax = runLimits.runMsMax;
  }

  get nudges(): number {
    return this.#host.nudges;
  }

  /** The highest sequence that was nudged in each mailbox's present epoch. */
  get nudged(): Host["nudged"] {
    return this.#host.nudged;
  }

  get invocations(): number {
    return this.processes.reduce((sum, process) => sum + process.invocations.size, 0);
  }

  /** Lets one thing happen. False when nothing can before time goes on. */
  async step(): Promise<boolean> {
    const ready = this.scheduler.ready();
    const visible = this.invocations < invocationsMax ? this.queues.visible(this.scheduler.nowMs) : 0;
    if (ready + visible === 0) return false;
    const pick = below(this.random, ready + visible);
    if (pick < ready) await this.scheduler.open(pick);
    else await this.#deliver();
    return true;
  }

  /** When something will be able to happen again. */
  nextMs(): number {
    return Math.min(this.scheduler.nextDueMs(), this.queues.nextVisibleMs(this.scheduler.nowMs));
  }

  /** The timer fires. */
  async tick(): Promise<void> {
    await this.#invoke("startRounds", null, null, async (invocation) => {
      const { atOnce } = await startRounds({
        clock: { nowMs: () => this.scheduler.nowMs + invocation.process.offsetMs },
        newId: this.#wiring.newId,
        shards: this.plan.shards,
        nextFireMs: (afterMs) => afterMs + tickMs,
        send: (message, delaySeconds) => this.#host.sendLater(invocation, "rounds", message, delaySeconds),
      });
      await this.#host.send(invocation, [{ queue: "rounds", bodies: atOnce.map((each) => JSON.stringify(each)) }]);
    });
  }

  /** An operator puts a mailbox on the roster, or takes it off. One request at a time for each. */
  async request(mailboxId: string, isWanted: boolean): Promise<void> {
    if (this.#inHand.has(mailboxId)) return;
    this.#inHand.add(mailboxId);
    this.wanted.set(mailboxId, isWanted);
    await this.#invoke(`${isWanted ? "add" : "purge"} ${mailboxId}`, null, null, async (invocation) => {
      const store = await openedStore(invocation.process, this.#wiring);
      if (isWanted) await addMailbox(mailboxId, { source: "manual" }, store, this.#wiring.newId);
      else await store.purgeMailbox(mailboxId);
    });
  }

  /** An operator sees to a mailbox: what he changes is written before the message for its round goes out. */
  async act(mailboxId: string, action: MailboxAction): Promise<void> {
    await this.#invoke(`${action} ${mailboxId}`, null, null, async (invocation) => {
      const store = await openedStore(invocation.process, this.#wiring);
      const end = await actOnMailbox(mailboxId, action, store, this.#wiring.newId);
      const bodies = end.kind === "accepted" ? [JSON.stringify(end.message)] : [];
      await this.#host.send(invocation, [{ queue: "pages", bodies }]);
    });
  }

  async liftBrake(): Promise<void> {
    await this.#invoke("lift brake", null, null, async (invocation) => {
      const { store, log, clock } = await portsOf(invocation, this.#wiring);
      await liftBrake(store, log, clock.nowMs());
    });
  }

  async retire(tombstoneMs: number): Promise<void> {
    await this.#invoke("retire", null, null, async (invocation) => {
      // Retention counts on whole transactions: with small ones its units would be torn, as they never are.
      const ports = await portsOf(invocation, { ...this.#wiring, operationsMax: 100 });
      const spans = { tombstoneMs, historyMs: 2 * tombstoneMs, runMsMax: runLimits.runMsMax };
      await applyRetention({ ...ports, ...spans, shards: shardNames(this.plan.shards) });
    });
  }

  kill(process: Process): void {
    this.tell(() => `${process.name} dies`);
    this.scheduler.kill(process);
    for (const invocation of process.invocations) this.#abandon(invocation);
    this.processes.splice(this.processes.indexOf(process), 1);
    this.#spawn();
  }

  /** Lets go of all that is still under way when something was found: its timers would keep us alive. */
  end(): void {
    for (const process of this.processes) this.scheduler.kill(process);
  }

  anyProcess(): Process {
    const process = this.processes[below(this.random, this.processes.length)];
    if (process === undefined) throw new Error("The world has no process.");
    return process;
  }

  /** The table as one that may die sees it. */
  tableFor(mortal: Mortal, die: () => void): Table {
    return faultyTable(this.#table, mortal, this.scheduler, {
      applied: ({ name }, partitionKey, actions) => this.oracle.applied(name, partitionKey, actions),
      refusalOf: (actions) => this.#refusalOf(actions),
      hidesIndex: () => this.dice.injects("tableHidesIndex"),
      die,
    });
  }

  #spawn(): void {
    this.#lives += 1;
    const mortal: Mortal = { name: `p${this.#lives}`, isDead: false };
    const process: Process = Object.assign(mortal, {
      offsetMs: 0,
      table: this.tableFor(mortal, () => this.kill(process)),
      batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
      invocations: new Set<Invocation>(),
    });
    this.processes.push(process);
  }

  #wire(): Wiring {
    const { plan, scheduler } = this;
    const newId = () => {
      this.#ids += 1;
      return `id-${this.#ids}`;
    };
    const draws = randomFrom(plan.seed * 19 + 11);
    const log: Log = (level, message, fields = {}) => {
      this.tell(() => `  ${level} ${message} ${JSON.stringify(fields)}`);
      const leak = Object.values(fields).find((value) => typeof value === "string" && /token=/i.test(value));
      if (leak !== undefined) this.oracle.report("I8", "a link in a log line", "no link", message);
    };
    return {
      root,
      pageSize: plan.pageSize,
      batchSize: plan.batchSize,
      shards: plan.shards,
      operationsMax: plan.operationsMax,
      limits: this.#limits,
      auditMs: plan.auditMs,
      newId,
      nowMs: () => this.scheduler.nowMs,
      sleep: (process, ms) => this.#sleep(process, ms),
      after: (process, ms, call) => scheduler.timer(process, () => `${ms} ms`, scheduler.nowMs + ms, call),
      draw: () => draws.next(),
      token: async () => {
        if (this.dice.injects("identityFails")) throw new Error("The identity is away.");
        return token;
      },
      wire: wireOf({
        graph: this.graph,
        oracle: this.oracle,
        scheduler: this.scheduler,
        root,
        die: ({ process }) => this.kill(process),
        isWithoutLinks: (mailboxId) => mailboxId === this.malformedMailbox,
        distortNow: () => (this.dice.injects("malformedPage") ? this.random.next() : null),
        isTokenOurs: (authorization) => authorization === `Bearer ${token}`,
        tickets: () => ++this.#tickets,
        delayMsOf: (mailboxId) => this.slow.get(mailboxId) ?? 0,
        asked: (mailboxId) => this.asks.set(mailboxId, (this.asks.get(mailboxId) ?? 0) + 1),
      }),
      nudge: plan.hasNudges ? (process, mailboxId, sequence) => this.#host.nudge(process, mailboxId, sequence) : null,
      log,
    };
  }

  async #sleep(process: Process, ms: number): Promise<void> {
    const dueMs = this.scheduler.nowMs + ms;
    const fate = await this.scheduler.gate(process, "sleep", () => `${ms} ms`, dueMs);
    if (fate === "crashBefore") await this.die(process);
  }

  die(process: Process): Promise<never> {
    this.kill(process);
    return new Promise<never>(() => undefined);
  }

  /** A message reaches one of the processes. */
  async #deliver(): Promise<void> {
    const isTwice = this.dice.injects("duplicateDelivery");
    const message = this.queues.take(this.scheduler.nowMs, this.random, isTwice);
    if (message === null) return;
    const body = jsonOrText(message.body);
    const tick =
      message.queue === "rounds" && typeof body === "object" ? String((body as { tick?: string } | null)?.tick) : null;
    await this.#invoke(`${message.queue}#${message.id}`, message, tick, async (invocation) => {
      await this.#host.send(invocation, await handle(message.queue, body, invocation, this.#wiring));
      await this.#host.complete(invocation, message);
    });
  }

  async #invoke(
    name: string,
    message: Message | null,
    tick: string | null,
    work: (invocation: Invocation) => Promise<void>,
  ): Promise<void> {
    const process = this.anyProcess();
    const { mailboxes, brake } = this.oracle;
    const startedStep = this.scheduler.steps;
    const checkpoints = new Map(mailboxes);
    const invocation: Invocation = {
      process,
      name,
      message,
      tick,
      startedStep,
      checkpoints,
      brake,
      waits: new Map(),
      hasLostTime: false,
    };
    process.invocations.add(invocation);
    this.tell(() => `${process.name} starts ${name} ${message?.body ?? ""}`);
    // Not awaited: it goes on whenever the scheduler opens one of its gates.
    void work(invocation).then(
      () => this.#ended(invocation),
      (error: unknown) => this.#failed(invocation, error),
    );
    await settled();
  }

  #ended(invocation: Invocation): void {
    if (invocation.process.isDead) return;
    this.tell(() => `${invocation.process.name} ends ${invocation.name}`);
    this.#letGo(invocation);
  }

  #failed(invocation: Invocation, error: unknown): void {
    if (invocation.process.isDead) return;
    this.tell(() => `${invocation.process.name} fails ${invocation.name}: ${String(error)}`);
    const isForeign = error instanceof Error && error.message.includes("not written by calendar-mirror");
    if (!(error instanceof StorageError) && !(error instanceof QueueFault) && !isForeign) {
      this.oracle.report(
        "I7",
        `${invocation.name} threw`,
        "a StorageError at most",
        error instanceof Error ? String(error.stack) : String(error),
      );
    }
    if (invocation.message !== null) this.queues.release(invocation.message, this.scheduler.nowMs);
    this.#letGo(invocation);
  }

  #letGo(invocation: Invocation): void {
    invocation.process.invocations.delete(invocation);
    this.#inHandDone(invocation);
  }

  #abandon(invocation: Invocation): void {
    if (invocation.message !== null) this.queues.abandon(invocation.message, this.scheduler.nowMs);
    this.#inHandDone(invocation);
  }

  #inHandDone({ name }: Invocation): void {
    if (!/^(add|purge) /.test(name)) return;
    for (const mailboxId of this.#inHand) if (name.endsWith(mailboxId)) this.#inHand.delete(mailboxId);
  }

  #refusalOf(actions: readonly Action[]): Transacted | null {
    const { refusedMailbox } = this;
    if (refusedMailbox === null) return null;
    const index = actions.findIndex(({ kind, rowKey }) => kind === "upsert" && rowKey.includes(refusedMailbox));
    return index < 0 ? null : { kind: "refused", index, reason: "tooLarge", code: "EntityTooLarge" };
  }

  #lookOn(): void {
    for (const reader of this.readers) reader.check(this);
  }

  /** Messages that are left, for reports. */
  leftMessages(): readonly string[] {
    return QUEUE_NAMES.flatMap((queue) => this.queues.bodies(queue).map((body) => `${queue} ${shortKey(body)}`));
  }
}
