import type { Log } from "../log.js";
import type { Ask, Outcome } from "../sync/types.js";
import { codeChain, requestOf, traceOf } from "./answer.js";
import { type BatchItem, batchBody, batchGate, isForSingleCall, parseBatch } from "./batch.js";
import { classify } from "./classify.js";
import { type GraphLimits, graphLimits } from "./limits.js";
import { checkLink, parseRoot, startUrl } from "./links.js";
import { parsePage } from "./page.js";
import { answersSlowly } from "./policies.js";
import type { Answer, Clock, Failure, Sent, Transport } from "./ports.js";
import { retryAfterMs } from "./retryAfter.js";

/** The whole application is throttled. `retryAfterMs`: null when Graph named no time. */
export type Brake = { readonly retryAfterMs: number | null; readonly code: string };

/** The result of one `ask`. */
export type Asked = {
  /** One for each ask, in the order of the asks. */
  readonly outcomes: readonly Outcome[];
  /** HTTP requests made. */
  readonly requests: number;
  /** Throttled answers. A refused batch counts once. */
  readonly throttles: number;
  readonly brake: Brake | null;
};

/** Asks Graph for pages of mailboxes' calendars. */
export type GraphClient = {
  /**
   * Asks Graph for one page for each mailbox.
   * @param hurry Passed by a run over many mailboxes, which must not wait for one. A batch, and then each single call, is
   *   cut off after a few seconds; a mailbox without an answer by then has the outcome `transient`, code `answersSlowly`.
   * @throws Error for more asks than a batch may hold, or a mailbox that is asked twice: mistakes in the program. Never
   *   for anything that Graph or the network does.
   */
  ask(asks: readonly Ask[], hurry?: Hurry): Promise<Asked>;
};

/**
 * `onPage` gets each page as soon as it has arrived: others of the batch may take longer. `onCall` is called when a call
 * has ended, answered or cut off: a sign of progress.
 */
type Hurry = { readonly onPage: (ask: Ask, outcome: Outcome) => void; readonly onCall: () => void };

/** What the client is made of. `settings` are those of the app; `limits` replace single bounds. */
export type GraphClientOptions = {
  readonly settings: {
    readonly root: string;
    readonly version: string;
    readonly pageSize: number;
    readonly batchSize: number;
  };
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<GraphLimits>;
};

/** An ask that may be sent. `batchUrl`: null when it must be a single call. */
type Route = { readonly ask: Ask; readonly rawTarget: string; readonly batchUrl: string | null };
type BatchRoute = Route & { readonly batchUrl: string };

/** The state of one `ask`. */
type Tally = {
  readonly outcomes: Map<Ask, Outcome>;
  readonly hurry: Hurry | null;
  requests: number;
  throttles: number;
  brake: Brake | null;
  isBatchCut: boolean;
  /** No batches are sent at all. */
  isSingly: boolean;
  /** How a batch failed, be it for one of its items, because it is a batch, or because Graph is down. */
  batchFault: Failure | null;
  /** Single calls that have failed as `transient` too. */
  failed: number;
  /** Whether a single call had another outcome: Graph is up. */
  isAnswered: boolean;
};

/** A client for one invocation. @throws Error when the root may not see a token, or the batch size is out of range. */
export function createGraphClient(options: GraphClientOptions): GraphClient {
  return new Client(options);
}

class Client implements GraphClient {
  readonly #options: GraphClientOptions;
  readonly #limits: GraphLimits;
  readonly #gate: ReturnType<typeof batchGate>;
  readonly #prefer: string;
  readonly #logged = new Set<string>();

  constructor(options: GraphClientOptions) {
    const { batchSize, pageSize, root } = options.settings;
    this.#options = options;
    this.#limits = { ...graphLimits, ...options.limits };
    parseRoot(root);
    if (!(batchSize >= 1 && batchSize <= this.#limits.itemsPerBatchMax)) throw new Error("The batch size is 1 to 20.");
    this.#gate = batchGate(options.transport.batchHealth, options.clock, this.#limits);
    this.#prefer = `odata.maxpagesize=${pageSize}`; // Not inside the links: sent with each call of a round.
  }

  async ask(asks: readonly Ask[], hurry: Hurry | null = null): Promise<Asked> {
    const { batchSize } = this.#options.settings;
    if (asks.length > batchSize) throw new Error(`${asks.length} asks, and a batch takes ${batchSize}.`);
    if (new Set(asks.map((ask) => ask.mailboxId)).size < asks.length) throw new Error("A mailbox is asked twice.");
    const counts = { requests: 0, throttles: 0, brake: null, failed: 0 };
    const isSingly = batchSize === 1 || !this.#gate.isOpen();
    const seen = { isBatchCut: false, isSingly, batchFault: null, isAnswered: false };
    const tally: Tally = { outcomes: new Map(), hurry, ...counts, ...seen };
    const routes = asks.flatMap((ask) => this.#routeOf(ask, tally));
    const batched = routes.filter((route): route is BatchRoute => route.batchUrl !== null);
    if (batched.length > 1 && !isSingly) await this.#askBatch(batched, tally);
    await this.#askSingly(routes, tally);
    if (tally.batchFault !== null && tally.isAnswered) this.#gate.refused();
    tally.brake ??= this.#brakeOfMany(tally);
    if (tally.isBatchCut) this.#learnPatience(tally);
    const { requests, throttles, brake } = tally;
    return { outcomes: asks.map((ask) => outcomeOf(tally, ask)), requests, throttles, brake };
  }

  /** Where an ask goes. Nothing, and its outcome is set, when it must not be sent (I8). */
  #routeOf(ask: Ask, { outcomes }: Tally): readonly Route[] {
    const { mailboxId, strategy, link } = ask;
    const { root, version } = this.#options.settings;
    if (link === null) {
      const url = startUrl(mailboxId, strategy);
      if (url !== null) return [{ ask, rawTarget: `/${version}${url}`, batchUrl: url }];
      outcomes.set(ask, { kind: "noMailbox", code: "invalidMailboxId" });
      return [];
    }
    const checked = checkLink(link, { root, version, mailboxId, strategy });
    if (checked.ok) return [{ ask, rawTarget: checked.rawTarget, batchUrl: checked.batchUrl }];
    const code = `linkRefused:${checked.why}`;
    this.#options.log("error", "A stored link may not be asked", { mailbox: mailboxId, code });
    outcomes.set(ask, { kind: "linkRefused", code });
    return [];
  }

  /** Asks many mailboxes in one HTTP request. Asks that it sets no outcome for are left to single calls. */
  async #askBatch(routes: readonly BatchRoute[], tally: Tally): Promise<void> {
    const { settings, transport, clock } = this.#options;
    const startedMs = clock.nowMs();
    const requests = routes.map(({ batchUrl }) => ({ url: batchUrl, clientRequestId: transport.nextRequestId() }));
    const sent = await transport.send({
      method: "POST",
      rawTarget: `/${settings.version}/$batch`,
      headers: { Prefer: this.#prefer },
      body: batchBody(requests, this.#prefer),
      ...this.#patience(tally),
    });
    tally.requests += sent.requests;
    tally.hurry?.onCall();
    if (sent.kind === "fault" && sent.failure.code === answersSlowly) {
      tally.isBatchCut = true; // Graph answers a batch when all items are done: single calls show which mailbox is slow.
      return;
    }
    const items =
      sent.kind === "answer" && sent.answer.status === 200 ? parseBatch(sent.answer.body, routes.length) : null;
    if (items === null) return this.#settleWholeBatch(routes, sent, tally);
    this.#gate.accepted();
    if (tally.hurry !== null && clock.nowMs() - startedMs <= this.#limits.patienceMs)
      transport.batchHealth.patienceMs = null;
    const settling = routes.map((route, index) =>
      this.#settleItem(route, sent, items[index] ?? "missing", requests[index]?.clientRequestId ?? null, tally),
    );
    await Promise.all(settling);
  }

  /** Sets outcomes for a batch whose answer holds no items. */
  #settleWholeBatch(routes: readonly Route[], sent: Sent, tally: Tally): void {
    const failure = this.#failureOf(null, sent);
    const status = sent.kind === "answer" ? sent.answer.status : null;
    const settleAll = (outcome: Failure) => {
      for (const { ask } of routes) tally.outcomes.set(ask, outcome);
    };
    const waitMs = "retryAfterMs" in failure ? failure.retryAfterMs : null;
    // A 503 without Retry-After is a failing server, not a throttle.
    if (failure.kind === "throttled" || (status === 503 && waitMs !== null)) {
      tally.brake = { retryAfterMs: waitMs, code: failure.code };
      tally.throttles += 1;
      settleAll({ ...failure, kind: "throttled", retryAfterMs: waitMs });
    } else if (status !== null && isBatchRefusal(status)) {
      this.#gate.refused();
    } else if (failure.kind === "transient") {
      tally.batchFault = failure; // Single calls show what caused it (I10).
    } else {
      settleAll(failure);
    }
  }

  async #settleItem(
    route: Route,
    sent: Sent,
    item: BatchItem,
    clientRequestId: string | null,
    tally: Tally,
  ): Promise<void> {
    const { log, transport } = this.#options;
    if (typeof item === "string") {
      log("warn", "A batch answer lacks an item", { mailbox: route.ask.mailboxId, code: `batchItem:${item}` });
      return;
    }
    const outcome = this.#outcomeOf(route.ask, item, clientRequestId);
    if (isForSingleCall(item)) return;
    // When the identity has another token than the refused one, a single call may succeed with it.
    const isTokenRefused = item.status === 401 && outcome.kind === "authConfig";
    if (isTokenRefused && (await transport.hasOtherToken(sent, item))) return;
    this.#settle(route.ask, outcome, tally);
  }

  /**
   * Asks what has no outcome yet, a few at a time. Sends nothing more after a brake, which would refuse it too; nor after
   * a failed batch once a few calls have failed like it and none was answered.
   */
  async #askSingly(routes: readonly Route[], tally: Tally): Promise<void> {
    const waiting = routes.filter(({ ask }) => !tally.outcomes.has(ask)).values();
    const lane = async () => {
      for (const route of waiting) {
        const { batchFault, isAnswered, failed } = tally;
        const isAway = !isAnswered && failed >= this.#limits.failedCallsMax;
        if (tally.brake !== null) tally.outcomes.set(route.ask, { kind: "throttled", ...tally.brake });
        else if (batchFault !== null && isAway) tally.outcomes.set(route.ask, batchFault);
        else await this.#askOne(route, tally);
      }
    };
    await Promise.all(Array.from({ length: this.#limits.singleCallsAtOnceMax }, lane));
  }

  async #askOne({ ask, rawTarget }: Route, tally: Tally): Promise<void> {
    const headers = { Prefer: this.#prefer };
    const { mailboxId } = ask;
    const startedMs = this.#options.clock.nowMs();
    const sent = await this.#options.transport.send({
      method: "GET",
      rawTarget,
      headers,
      body: null,
      mailboxId,
      ...this.#patience(tally),
    });
    tally.requests += sent.requests;
    tally.hurry?.onCall();
    if (tally.hurry !== null && tally.isSingly) this.#learnFromCall(sent, startedMs);
    const outcome =
      sent.kind === "answer" ? this.#outcomeOf(ask, sent.answer, sent.clientRequestId) : this.#failureOf(ask, sent);
    if (outcome.kind === "transient") tally.failed += 1;
    else tally.isAnswered = true;
    this.#settle(ask, outcome, tally);
  }

  #settle(ask: Ask, outcome: Outcome, tally: Tally): void {
    tally.outcomes.set(ask, outcome);
    if (outcome.kind === "throttled") tally.throttles += 1;
    if (outcome.kind === "page" || outcome.kind === "lastPage") tally.hurry?.onPage(ask, outcome);
  }

  #patience({ hurry }: Tally): { readonly patienceMs?: number } {
    if (hurry === null) return {};
    return { patienceMs: this.#options.transport.batchHealth.patienceMs ?? this.#limits.patienceMs };
  }

  /**
   * When none or most mailboxes of a batch that was cut off are slow, Graph is slow: later batches get more time. If the
   * most time does not help, and single calls are answered, `$batch` is at fault: it counts as refused.
   */
  #learnPatience({ outcomes }: Tally): void {
    const isPatient = this.#options.transport.batchHealth.patienceMs === this.#limits.patienceMsMax;
    const slow = [...outcomes.values()].filter((outcome) => isSlow(outcome)).length;
    if (slow > 0 && slow * 2 <= outcomes.size) return;
    if (slow === 0 && isPatient) this.#gate.refused();
    this.#bePatient();
  }

  /** The same where no batches are sent: many calls cut off in a row mean that Graph is slow. */
  #learnFromCall(sent: Sent, startedMs: number): void {
    const { batchHealth } = this.#options.transport;
    if (sent.kind === "answer") {
      batchHealth.cutInARow = 0;
      if (this.#options.clock.nowMs() - startedMs <= this.#limits.patienceMs) batchHealth.patienceMs = null;
    } else if (sent.failure.code === answersSlowly) {
      batchHealth.cutInARow += 1;
      if (batchHealth.cutInARow < this.#limits.cutCallsMax) return;
      batchHealth.cutInARow = 0;
      this.#bePatient();
    }
  }

  #bePatient(): void {
    const { batchHealth } = this.#options.transport;
    const patienceMs = batchHealth.patienceMs ?? this.#limits.patienceMs;
    batchHealth.patienceMs = Math.min(2 * patienceMs, this.#limits.patienceMsMax);
  }

  /** What one answer means for its mailbox. */
  #outcomeOf(ask: Ask, answer: Answer, clientRequestId: string | null): Outcome {
    if (answer.status !== 200) return this.#refusalOf(ask, answer, clientRequestId);
    const outcome = parsePage(answer.body.shape === "json" ? answer.body.value : null, ask.strategy);
    if (outcome.kind === "page" || outcome.kind === "lastPage") return outcome;
    this.#logFailure(ask, answer, outcome, clientRequestId);
    return { ...outcome, ...requestOf(answer) };
  }

  #failureOf(ask: Ask | null, sent: Sent): Failure {
    if (sent.kind === "answer") return this.#refusalOf(ask, sent.answer, sent.clientRequestId);
    const { failure, detail, clientRequestId } = sent;
    if (detail !== null && this.#logged.has(detail)) return failure; // The same for each mailbox: once is enough.
    if (detail !== null) this.#logged.add(detail);
    this.#options.log(failure.kind === "authConfig" ? "error" : "warn", "Graph did not answer", {
      mailbox: ask?.mailboxId ?? null,
      code: failure.code,
      detail,
      clientRequestId,
    });
    return failure;
  }

  #refusalOf(ask: Ask | null, answer: Answer, clientRequestId: string | null): Failure {
    const failure = classify(answer, ask !== null && ask.link !== null, this.#options.clock.nowMs());
    this.#logFailure(ask, answer, failure, clientRequestId);
    return failure;
  }

  /** One line for each failed answer, with what Microsoft's support asks for. */
  #logFailure(ask: Ask | null, answer: Answer, { kind, code }: Failure, clientRequestId: string | null) {
    this.#options.log(kind === "authConfig" ? "error" : "warn", "Graph refused", {
      mailbox: ask?.mailboxId ?? null,
      outcome: kind,
      code,
      status: answer.status,
      codes: codeChain(answer).join("/"),
      retryAfterMs: retryAfterMs(answer, this.#options.clock.nowMs()),
      clientRequestId,
      ...traceOf(answer),
    });
  }

  /** When many mailboxes of one ask are throttled, it is the application that is. */
  #brakeOfMany({ outcomes }: Tally): Brake | null {
    const asked = [...outcomes.values()].filter(({ kind }) => kind !== "linkRefused");
    const throttled = asked.flatMap((outcome) => (outcome.kind === "throttled" ? [outcome] : []));
    const [first] = throttled;
    const isMany =
      asked.length >= this.#limits.brakeItemsMin && throttled.length >= asked.length * this.#limits.brakeShareMin;
    if (first === undefined || !isMany) return null;
    const waits = throttled.flatMap((outcome) => outcome.retryAfterMs ?? []);
    return { retryAfterMs: waits.length === 0 ? null : Math.max(...waits), code: first.code };
  }
}

/** Whether a mailbox was cut off: it may answer when it is asked alone and without hurry. */
export function isSlow(outcome: Outcome): boolean {
  return outcome.kind === "transient" && outcome.code === answersSlowly;
}

/** Whether an answer is about the batch and not about its mailboxes, as is a 200 without a batch answer. */
function isBatchRefusal(status: number): boolean {
  return status < 300 || (status >= 400 && status < 500 && status !== 401);
}

function outcomeOf({ outcomes }: Tally, ask: Ask): Outcome {
  const outcome = outcomes.get(ask);
  if (outcome === undefined) throw new Error("An ask was left without an outcome.");
  return outcome;
}
