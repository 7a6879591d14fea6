import type { DirectoryItem } from "../graph/directory.js";
import { graphLimits } from "../graph/limits.js";
import type { KindAnswer } from "../graph/mailboxKinds.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterHeld, type RosterRow } from "../store/store.js";
import type { DirectoryState, KindTally } from "../sync/directory.js";
import { isKindOfInterest, leaveReasonOf } from "../sync/mailboxKind.js";
import type { PageUser, UserFailure } from "./completePage.js";
import type { DiscoverPorts } from "./ports.js";

/** A user of a page, with what was read and asked before it is decided. */
export type LookedUser = {
  readonly user: PageUser;
  /** Its roster row; undefined: nobody has read it. */
  readonly held: RosterHeld | null | undefined;
  /** What came of asking for the kind; null: nobody needed to ask. `denied` also where one denied stood for all. */
  readonly answer: KindAnswer | null;
};

/** A page with all kinds that it takes; or why it must be asked again. `requests`: what that has cost. */
export type LookedPage =
  | { readonly kind: "looked"; readonly users: readonly LookedUser[]; readonly asked: KindTally }
  | (UserFailure & { readonly requests: number });

/** What an invocation of discovery was told of kinds. */
export type KindsTold = {
  /** Of the page in hand: an account that has answered is not asked again in another attempt at it. */
  readonly answered: Map<string, KindAnswer>;
  /** An account whose kind was told, lately or once; null: there is none; undefined: nobody has looked for one. */
  witness: string | null | undefined;
};

/**
 * Asks for the kinds of mailboxes that a page brings and that may decide: of those who are new, whose account has changed,
 * or whose kind is known for longer than an audit takes to come. A failure has the page asked again; after some of them
 * the accounts stay as they are, for it is no reason to lose anybody (I3).
 */
export async function askedKinds(
  users: readonly PageUser[],
  state: DirectoryState,
  ports: DiscoverPorts,
  told: KindsTold,
): Promise<LookedPage> {
  const { answered } = told;
  const held = await mapAtOnce(users, ports.limits.readsAtOnceMax, (user) => heldOf(user, state, ports));
  const isDueAt = users.map((user, index) => user.kind === "described" && isDue(user.item, held[index], state, ports));
  const due = users.flatMap((user, index) => (user.kind === "described" && isDueAt[index] ? [user.item] : []));
  const asking = new Asking(state, ports, told);
  const { asked, otherwise } = await asking.all(due);
  if (asking.isPatient && asking.failed !== null) return { ...asking.failed, requests: asked.requests };
  if (asking.failed !== null) {
    ports.log("error", "users left out: they could not be looked up", { code: asking.failed.code });
  }
  const looked = users.map((user, index): LookedUser => {
    const answer = user.kind === "described" && isDueAt[index] ? (answered.get(user.item.id) ?? otherwise) : null;
    // Denied among others that answer, it is out of our reach: where the kind decides nothing, no pass needs to ask again.
    const isOutOfReach = answer?.kind === "denied" && asked.probe === null && !isDisabled(user);
    return { user, held: held[index], answer: isOutOfReach ? { kind: "none", code: answer.code } : answer };
  });
  const areKindsLeft = looked.some(({ user, answer }) => answer?.kind === "failed" && isDisabled(user));
  return { kind: "looked", users: looked, asked: { ...asked, areKindsLeft } };
}

function isDisabled(user: PageUser): boolean {
  return user.kind === "described" && user.item.accountEnabled === false;
}

/** The very first round meets hardly anybody: it asks about all without reading. */
async function heldOf(user: PageUser, state: DirectoryState, { store }: DiscoverPorts) {
  const isUnread =
    user.kind !== "described" || !isKindOfInterest(user.item) || (state.isFull && state.generation === 1);
  return isUnread ? undefined : store.roster.read(user.item.id);
}

function isDue(
  item: DirectoryItem,
  held: RosterHeld | null | undefined,
  state: DirectoryState,
  { clock, auditMs, kinds }: DiscoverPorts,
): boolean {
  if (!isKindOfInterest(item)) return false;
  if (held === null || held === undefined) return true;
  const { row } = held;
  if (row.source === manualSource) return false;
  const isOld = row.kindAskedMs === null || clock.nowMs() - row.kindAskedMs >= auditMs;
  // News of a disabled account may be all that is ever told of its mailbox's conversion.
  const isNews = !state.isFull && item.accountEnabled === false;
  // Nobody leaves by an answer of yesterday: what is held may have been converted since.
  const isLeaving = row.state === "active" && leaveReasonOf(item, row.mailboxKind, kinds) === "disabled";
  return isOld || isNews || isLeaving || hasChanged(item, row);
}

function hasChanged({ accountEnabled }: DirectoryItem, row: RosterRow): boolean {
  return accountEnabled === false
    ? row.accountEnabled !== false
    : accountEnabled === true && row.accountEnabled === false;
}

/** What the asking itself came to. */
type AskTally = Omit<KindTally, "areKindsLeft">;

/**
 * Asks in batches, some at a time. While the permission is missing it asks about a few accounts, in one request for a page.
 * A kind that is told shows that the permission is there. No other answer does: without it Graph may still say of some
 * accounts that they have no mailbox, and with it access policies may keep some of them from us.
 */
class Asking {
  failed: UserFailure | null = null;
  /** An account that always fails must not hold up the others (I10). */
  readonly isPatient: boolean;
  #requests = 0;

  constructor(
    private readonly state: DirectoryState,
    private readonly ports: DiscoverPorts,
    private readonly told: KindsTold,
  ) {
    this.isPatient = state.failuresInARow < ports.limits.waitsMax;
  }

  /** `otherwise`: what stands for those that got no answer. */
  async all(due: readonly DirectoryItem[]): Promise<{ readonly asked: AskTally; readonly otherwise: KindAnswer }> {
    const { kindProbe, pages, isFull } = this.state;
    const tried = kindProbe === null ? [] : await this.#triedOf(kindProbe, due);
    await this.#sendAll(tried);
    const isKnown = this.#first(tried, "known") !== null;
    const denied = this.#first(tried, "denied");
    // The mailbox that was tried is gone: without another one in its place, all are asked.
    const isGone = kindProbe !== null && denied === null && this.told.answered.get(kindProbe)?.kind === "none";
    const isAnswered = isKnown || isGone;
    if (kindProbe !== null && !isAnswered) return this.#ended(denied ?? kindProbe, false, this.#unasked(denied));
    await this.#sendAll(due.map(({ id }) => id));
    // The first page of a full round passes over nobody: it had asked about nobody before.
    const isFullDue = isAnswered && !(isFull && pages === 0);
    return this.#ended(isKnown ? null : await this.#probeOf(due), isFullDue, this.#unasked(null));
  }

  #ended(probe: string | null, isFullDue: boolean, otherwise: KindAnswer) {
    return { asked: { requests: this.#requests, probe, isFullDue }, otherwise };
  }

  /** What stands for accounts that were not asked: what the one that stands for them was told, else the failure. */
  #unasked(denied: string | null): KindAnswer {
    const answer = denied === null ? undefined : this.told.answered.get(denied);
    if (answer !== undefined) return answer;
    const code = this.failed?.code ?? "notAsked";
    return this.failed === null ? { kind: "denied", code } : { kind: "failed", code, retryAfterMs: null };
  }

  /**
   * Who shows whether the permission is there: the account denied before, one known once, and one that is due; between
   * full rounds as many as one request takes.
   */
  async #triedOf(kindProbe: string, due: readonly DirectoryItem[]): Promise<readonly string[]> {
    const { pages, isFull } = this.state;
    if (pages > 0 && due.length === 0) return [];
    const probe = pages === 0 ? kindProbe : null;
    // News comes once: an account that is out of our reach must not stand for the others.
    const some = isFull ? [this.#oneOf(due)] : due.map(({ id }) => id);
    const ids = [probe, await this.#witness(), ...some].filter((id) => id !== null);
    return [...new Set(ids)].slice(0, graphLimits.itemsPerBatchMax);
  }

  /** Of many, another one in each round. */
  #oneOf(due: readonly DirectoryItem[]): string | null {
    const disabled = due.filter(({ accountEnabled }) => accountEnabled === false);
    const from = disabled.length > 0 ? disabled : due;
    return from[this.state.generation % from.length]?.id ?? null;
  }

  /** Denied too, the permission is missing. */
  async #witness(): Promise<string | null> {
    const { told, state, ports } = this;
    if (told.witness === undefined) told.witness = await knownOnce(state, ports);
    return told.witness;
  }

  #first(ids: readonly string[], kind: KindAnswer["kind"]): string | null {
    return ids.find((id) => this.told.answered.get(id)?.kind === kind) ?? null;
  }

  /** Where some were denied and no kind was told, not of one known once either, the permission is missing. */
  async #probeOf(due: readonly DirectoryItem[]): Promise<string | null> {
    const ids = due.map(({ id }) => id);
    if (this.#first(ids, "denied") === null || this.#first(ids, "known") !== null) return null;
    const witness = await this.#witness();
    if (witness !== null) await this.#sendAll([witness]);
    if (witness !== null && this.told.answered.get(witness)?.kind === "known") return null;
    return this.#oneOf(due.filter(({ id }) => this.told.answered.get(id)?.kind === "denied"));
  }

  async #sendAll(ids: readonly string[]): Promise<void> {
    const left = ids.filter((id) => !this.told.answered.has(id));
    const size = graphLimits.itemsPerBatchMax;
    const batches = Array.from({ length: Math.ceil(left.length / size) }, (_, at) =>
      left.slice(at * size, (at + 1) * size),
    );
    await mapAtOnce(batches, this.ports.limits.lookupsAtOnceMax, (batch) => this.#send(batch));
  }

  /** After the first failure nothing more is sent where that asks for the whole page again: it may be a throttle. */
  async #send(ids: readonly string[]): Promise<void> {
    if (this.isPatient && this.failed !== null) return;
    this.#requests += 1;
    const answers = await this.ports.mailboxKinds.kindsOf(ids);
    for (const [index, id] of ids.entries()) {
      const answer = answers[index];
      if (answer?.kind === "failed") this.failed = worse(this.failed, answer);
      else if (answer !== undefined) this.told.answered.set(id, answer);
      if (answer?.kind === "known") this.told.witness = id;
    }
  }
}

/** The failure with the longer wait: all are asked again together. */
function worse(before: UserFailure | null, now: UserFailure): UserFailure {
  return before === null || (now.retryAfterMs ?? 0) > (before.retryAfterMs ?? 0) ? now : before;
}

/** Our choice: among so many rows there is one whose kind was told, if it was told of more than a few. */
const rowsForWitnessMax = 1_000;

/** A mailbox of the roster whose kind was told once, another one in each full round; null: none is found. */
async function knownOnce({ generation }: DirectoryState, { store, shards }: DiscoverPorts): Promise<string | null> {
  let rows = 0;
  for (const shard of shards) {
    for await (const page of store.roster.pages(shard)) {
      const known = page.filter(({ row }) => row.state === "active" && row.mailboxKind !== "unknown");
      const witness = known[generation % known.length];
      if (witness !== undefined) return witness.row.mailboxId;
      rows += page.length;
      if (rows >= rowsForWitnessMax) return null;
    }
  }
  return null;
}
