import type { DiscoverMessage } from "../messages.js";
import type { DirectoryHeld } from "../store/store.js";
import { throttledUntilMs } from "../sync/brake.js";
import {
  afterCount,
  afterFailure,
  afterPage,
  afterReset,
  afterSweep,
  type DirectoryState,
  newDirectory,
  opened,
} from "../sync/directory.js";
import { namesOf } from "../sync/mailboxKind.js";
import { applyUsers } from "./applyUsers.js";
import type { KindsTold } from "./askKinds.js";
import { type DiscoverPorts, sourceName } from "./ports.js";
import { countShard, purgeSuspended, sweepShard } from "./sweep.js";

/** How an invocation of discovery ended. `continuation`: the message for the next one, null where there is none. */
export type DiscoverEnd = {
  readonly kind: "manual" | "done" | "held" | "waiting" | "unfinished" | "superseded" | "finished";
  readonly continuation: DiscoverMessage | null;
};

/**
 * Follows the directory, or a group's members: users who appear are put on the roster, those who leave are suspended, and
 * those who return are resumed. A page's rows are written before the checkpoint, so that a crash repeats a page and loses
 * nothing. Bounded in time. Of two invocations at once the later one wins: each write of the checkpoint is fenced (I2).
 * @throws StorageError, and Error when rows were lost to others again and again: the message comes again.
 */
export async function discoverMailboxes(message: DiscoverMessage, ports: DiscoverPorts): Promise<DiscoverEnd> {
  const untilMs = ports.clock.nowMs() + ports.limits.runMsMax;
  const isTimeUp = () => ports.clock.nowMs() >= untilMs;
  const end = ports.source === null ? ended("manual") : await discover(message, ports, untilMs);
  if (end.kind === "superseded" || end.kind === "unfinished") return end;
  const purged = await purgeSuspended(ports, isTimeUp);
  if (purged > 0) ports.log("info", "suspended mailboxes purged", { purged });
  return end;
}

async function discover(message: DiscoverMessage, ports: DiscoverPorts, untilMs: number): Promise<DiscoverEnd> {
  const { store, clock, source } = ports;
  if (source === null) return ended("manual");
  const before = await store.readDirectory();
  if (before?.state.pass === message.discover && before.state.phase === "idle") return ended("finished");
  const name = sourceName(source);
  const aims = { source: name, kinds: namesOf(ports.kinds), auditMs: ports.auditMs };
  const state = opened(before?.state ?? newDirectory(name), aims, message.discover, clock.nowMs());
  const held = await store.writeDirectory({ ...state, step: state.step + 1 }, before?.etag ?? null);
  if (held === "superseded") return ended("superseded");
  return new Discovery(held, ports, untilMs).run();
}

class Discovery {
  #waits = 0;
  readonly #kindsTold: KindsTold = { answered: new Map(), witness: undefined };

  constructor(
    private held: DirectoryHeld,
    private readonly ports: DiscoverPorts,
    private readonly untilMs: number,
  ) {}

  async run(): Promise<DiscoverEnd> {
    const { clock, log } = this.ports;
    for (;;) {
      const { state } = this.held;
      if (state.phase === "idle") break;
      if (clock.nowMs() >= this.untilMs) return { kind: "unfinished", continuation: { discover: state.pass } };
      const end = await this.#step(state);
      if (end !== null) return end;
    }
    const { state } = this.held;
    const kind = state.failuresInARow > 0 ? "waiting" : state.hold !== null ? "held" : "done";
    const { isFull, pages, seen, untold, added, resumed, suspended, leaving, discovered, lastErrorCode } = state;
    const { kindRequests, kindProbe, leftOut } = state;
    const level = kind === "held" ? "error" : lastErrorCode === null ? "info" : "warn";
    const figures = { isFull, pages, seen, untold, added, resumed, suspended, leaving, discovered };
    const grant = kindProbe === null ? {} : { grant: "MailboxSettings.Read" };
    const asked = { kindRequests, notLookedAt: leftOut?.notLookedAt ?? 0, ...grant };
    log(level, `roster ${kind}`, { ...figures, ...asked, code: lastErrorCode });
    return ended(kind);
  }

  /** One page, or one shard. Null: the next step follows. */
  async #step(state: DirectoryState): Promise<DiscoverEnd | null> {
    if (state.phase === "walking") return this.#walk(state);
    const { clock, shards } = this.ports;
    const shard = shards[state.sweepShard];
    if (shard === undefined) throw new Error("The roster's checkpoint names a shard that does not exist.");
    if (state.phase === "counting") {
      const count = await countShard(shard, state, this.ports);
      return this.#move(afterCount(state, count, shards.length, clock.nowMs()));
    }
    const swept = await sweepShard(shard, state, this.ports, () => clock.nowMs() >= this.untilMs);
    if (swept.kind === "superseded") return ended("superseded");
    if (swept.kind === "done") return this.#move(afterSweep(state, swept.suspended, shards.length, clock.nowMs()));
    return this.#move({ ...state, suspended: state.suspended + swept.suspended });
  }

  async #walk(state: DirectoryState): Promise<DiscoverEnd | null> {
    const { clock, directory, source } = this.ports;
    if (source === null) return ended("manual");
    const mayAsk = await this.#waited(state);
    if (!mayAsk) return ended("waiting");
    const outcome = await directory.page(source, state.link);
    if (outcome.kind === "failed") return this.#failed(state, outcome.code, outcome.retryAfterMs);
    if (outcome.kind === "resetSync") return this.#move(afterReset(state, outcome.code, clock.nowMs()));
    const applied = await applyUsers(outcome.items, state, this.ports, this.#kindsTold);
    if (applied.kind === "superseded") return ended("superseded");
    if (applied.kind === "failed") {
      const counted = { ...state, kindRequests: state.kindRequests + applied.requests };
      return this.#failed(counted, applied.code, applied.retryAfterMs);
    }
    this.#waits = 0;
    this.#kindsTold.answered.clear();
    return this.#move(afterPage(state, outcome, applied.tally, clock.nowMs()));
  }

  #failed(state: DirectoryState, code: string, retryAfterMs: number | null): Promise<DiscoverEnd | null> {
    const moment = { nowMs: this.ports.clock.nowMs(), jitter: this.ports.random.next() };
    return this.#move(afterFailure(state, code, retryAfterMs, moment));
  }

  /** Waits out a short wait or throttle. False: it is too long for this invocation. */
  async #waited({ notBeforeMs }: DirectoryState): Promise<boolean> {
    const { clock, store, limits } = this.ports;
    const brakeMs = throttledUntilMs(await store.readBrake(), clock.nowMs());
    const waitMs = Math.max(notBeforeMs ?? 0, brakeMs) - clock.nowMs();
    if (waitMs <= 0) return true;
    if (waitMs > limits.waitMsMax || this.#waits >= limits.waitsMax) return false;
    this.#waits += 1;
    await clock.sleep(waitMs);
    return true;
  }

  async #move(next: DirectoryState): Promise<DiscoverEnd | null> {
    const moved = await this.ports.store.writeDirectory({ ...next, step: next.step + 1 }, this.held.etag);
    if (moved === "superseded") return ended("superseded");
    this.held = moved;
    return null;
  }
}

function ended(kind: DiscoverEnd["kind"]): DiscoverEnd {
  return { kind, continuation: null };
}
