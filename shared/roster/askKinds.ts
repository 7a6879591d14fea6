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

/**
 * Asks for the kinds of mailboxes that a page brings and that may decide: of those who are new, whose account has changed,
 * or whose kind is known for longer than an audit takes to come. A failure has the page asked again; after some of them
 * the accounts stay as they are, for it is no reason to lose anybody (I3).
 * @param answered Answers of an earlier attempt at this page within this invocation: those are not asked again.
 */
export async function askedKinds(
  users: readonly PageUser[],
  state: DirectoryState,
  ports: DiscoverPorts,
  answered: Map<string, KindAnswer>,
): Promise<LookedPage> {
  const held = await mapAtOnce(users, ports.limits.readsAtOnceMax, (user) => heldOf(user, state, ports));
  const isDueAt = users.map((user, index) => user.kind === "described" && isDue(user.item, held[index], state, ports));
  const due = users.flatMap((user, index) => (user.kind === "described" && isDueAt[index] ? [user.item] : []));
  const asking = new Asking(state, ports, answered);
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
  const isLeft = looked.some(({ user, answer }) => answer?.kind === "failed" && isDisabled(user));
  return { kind: "looked", users: looked, asked: { ...asked, isFullDue: asked.isFullDue || isLeft } };
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

/** Asks in batches, some at a time. While the permission is missing it asks about one account alone. */
class Asking {
  failed: UserFailure | null = null;
  /** An account that always fails must not hold up the others (I10). */
  readonly isPatient: boolean;
  #requests = 0;

  constructor(
    private readonly state: DirectoryState,
    private readonly ports: DiscoverPorts,
    private readonly answered: Map<string, KindAnswer>,
  ) {
    this.isPatient = state.failuresInARow < ports.limits.waitsMax;
  }

  /** `otherwise`: what stands for those that got no answer. */
  async all(due: readonly DirectoryItem[]): Promise<{ readonly asked: KindTally; readonly otherwise: KindAnswer }> {
    const { kindProbe, pages, isFull } = this.state;
    const tried = kindProbe === null ? null : pages === 0 ? kindProbe : this.#oneOf(due);
    const answer = tried === null ? undefined : await this.#one(tried);
    const isAnswered = answer?.kind === "known" || answer?.kind === "none";
    if (kindProbe !== null && !isAnswered) return this.#ended(kindProbe, false, answer);
    const ids = due.map(({ id }) => id).filter((id) => !this.answered.has(id));
    const size = graphLimits.itemsPerBatchMax;
    const batches = Array.from({ length: Math.ceil(ids.length / size) }, (_, at) =>
      ids.slice(at * size, (at + 1) * size),
    );
    await mapAtOnce(batches, this.ports.limits.lookupsAtOnceMax, (batch) => this.#send(batch));
    // The first page of a full round passes over nobody: it had asked about nobody before.
    const isFullDue = isAnswered && !(isFull && pages === 0);
    return this.#ended(isAnswered ? null : this.#probeOf(due), isFullDue, undefined);
  }

  #ended(probe: string | null, isFullDue: boolean, answer: KindAnswer | undefined) {
    const otherwise = answer ?? { kind: "failed", code: this.failed?.code ?? "notAsked", retryAfterMs: null };
    return { asked: { requests: this.#requests, probe, isFullDue }, otherwise };
  }

  /** Of many, another one in each round. */
  #oneOf(due: readonly DirectoryItem[]): string | null {
    const disabled = due.filter(({ accountEnabled }) => accountEnabled === false);
    const from = disabled.length > 0 ? disabled : due;
    return from[this.state.generation % from.length]?.id ?? null;
  }

  async #one(id: string): Promise<KindAnswer | undefined> {
    if (!this.answered.has(id)) await this.#send([id]);
    return this.answered.get(id);
  }

  /** Where all that answered were denied, the permission is missing. */
  #probeOf(due: readonly DirectoryItem[]): string | null {
    const answers = due.flatMap(({ id }) => this.answered.get(id) ?? []);
    const isDenied = answers.length > 0 && answers.every(({ kind }) => kind === "denied");
    return isDenied ? this.#oneOf(due.filter(({ id }) => this.answered.has(id))) : null;
  }

  /** After the first failure nothing more is sent where that asks for the whole page again: it may be a throttle. */
  async #send(ids: readonly string[]): Promise<void> {
    if (this.isPatient && this.failed !== null) return;
    this.#requests += 1;
    const answers = await this.ports.mailboxKinds.kindsOf(ids);
    for (const [index, id] of ids.entries()) {
      const answer = answers[index];
      if (answer?.kind === "failed") this.failed = worse(this.failed, answer);
      else if (answer !== undefined) this.answered.set(id, answer);
    }
  }
}

/** The failure with the longer wait: all are asked again together. */
function worse(before: UserFailure | null, now: UserFailure): UserFailure {
  return before === null || (now.retryAfterMs ?? 0) > (before.retryAfterMs ?? 0) ? now : before;
}
