import type { DirectoryItem, UserOutcome } from "../graph/directory.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterRow } from "../store/store.js";
import { type DirectoryState, propertiesHidden } from "../sync/directory.js";
import { leaveReasonOf } from "../sync/mailboxKind.js";
import type { DiscoverPorts } from "./ports.js";

/**
 * What is known of one user of a page. `described`: its properties, as far as they decide. `hidden`: that it is listed,
 * and nothing more. `unknown`: it is listed, but Graph does not find it by its id.
 */
export type PageUser =
  | { readonly kind: "described"; readonly item: DirectoryItem }
  | { readonly kind: "hidden" | "unknown"; readonly id: string };

/** Why a page must be asked again. `retryAfterMs`: the wait that Graph asked for; null: it named none. */
export type UserFailure = {
  readonly kind: "failed";
  readonly code: string;
  readonly retryAfterMs: number | null;
};

/** A page of which every user is described, hidden or unknown; or why it must be asked again. */
export type CompletedPage = { readonly kind: "completed"; readonly users: readonly PageUser[] } | UserFailure;

/**
 * Completes a page: a user described in part is looked up where the missing properties decide. Absence of information is
 * no information (I3): a user without properties stays as it is, and a page that describes nobody is not believed.
 * @see https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
 */
export async function completedPage(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<CompletedPage> {
  const isAnybodyDescribed = state.seen > state.untold || items.some(isDescribed);
  if (items.length > 0 && state.isFull && !isAnybodyDescribed) return hiddenPage(ports);
  // A user whose lookup always fails must not hold up the others (I10).
  const isPatient = state.failuresInARow < ports.limits.waitsMax;
  const found = new Lookups(state, ports, isPatient);
  const users = await mapAtOnce(items, ports.limits.lookupsAtOnceMax, (item) => found.completed(item));
  if (isPatient && found.failed !== null) return found.failed;
  const isNobodyDescribed =
    users.some(({ kind }) => kind === "hidden") && !users.some(({ kind }) => kind === "described");
  if (isPatient && !state.isFull && isNobodyDescribed) return hiddenPage(ports);
  const hidden = users.filter(({ kind }) => kind === "hidden").length;
  if (found.failed !== null) {
    ports.log("error", "users left out: they could not be looked up", { code: found.failed.code });
  } else if (hidden > 0) {
    ports.log("error", "users left as they were: their properties were not told", { users: hidden });
  }
  return { kind: "completed", users };
}

function hiddenPage({ log }: DiscoverPorts): CompletedPage {
  log("error", "a page of users without their properties was not believed", { code: propertiesHidden });
  return { kind: "failed", code: propertiesHidden, retryAfterMs: null };
}

/** A living user always has a principal name. */
function isDescribed(item: DirectoryItem): boolean {
  return item.removed !== null || item.userPrincipalName !== null;
}

/**
 * Looks up single users of one page. After many lookups without a result the rest of the page is not looked up; nor after
 * the first failure, where that asks for the whole page again: a throttle must not be answered with hundreds of calls.
 */
class Lookups {
  failed: UserFailure | null = null;
  #inVain = 0;

  constructor(
    private readonly state: DirectoryState,
    private readonly ports: DiscoverPorts,
    private readonly isAskedAgain: boolean,
  ) {}

  async completed(item: DirectoryItem): Promise<PageUser> {
    const { directory, limits } = this.ports;
    if (item.isWhole || item.removed !== null || !(await this.#decides(item))) return { kind: "described", item };
    const isEnough = this.#inVain >= limits.lookupsInVainMax || (this.isAskedAgain && this.failed !== null);
    if (isEnough) return { kind: "hidden", id: item.id };
    const looked = await directory.user(item.id);
    if (looked.kind === "user" && isDescribed(looked.item)) return { kind: "described", item: looked.item };
    return this.#undescribed(item.id, looked);
  }

  #undescribed(id: string, looked: UserOutcome): PageUser {
    if (looked.kind === "failed") this.failed ??= looked;
    this.#inVain += 1;
    // Gone since: a later page will say so, with the reason.
    return { kind: looked.kind === "unknown" ? "unknown" : "hidden", id };
  }

  /** Whether the missing properties may change what is known. Full rounds leave out properties that are null. */
  async #decides(item: DirectoryItem): Promise<boolean> {
    if (!this.state.isFull || !isDescribed(item)) return true;
    const held = await this.ports.store.roster.read(item.id);
    if (held === null) return false;
    return isDecisive(item, leaveReasonOf(item, held.row.mailboxKind, this.ports.kinds), held.row, this.state);
  }
}

function isDecisive(item: DirectoryItem, leaveReason: string | null, row: RosterRow, state: DirectoryState): boolean {
  if (row.source === manualSource) return false;
  const isLeaving = row.state === "suspended" || (row.leaveReason !== null && row.generation < state.generation);
  // Without an address nobody asks what the mailbox is for, and it would leave unasked.
  const isUnasked = row.state === "active" && leaveReason === "disabled" && item.mail === null;
  return isUnasked || (isLeaving ? leaveReason === null : leaveReason === "noMail");
}
