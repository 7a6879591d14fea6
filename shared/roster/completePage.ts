import type { DirectoryItem, UserOutcome } from "../graph/directory.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { manualSource, type RosterRow } from "../store/store.js";
import { type DirectoryState, propertiesHidden } from "../sync/directory.js";
import type { DiscoverPorts } from "./ports.js";

/** What a page says of one user. `hidden`: that there is one, and nothing more. `unknown`: Graph does not know it by its id. */
export type Told =
  | { readonly kind: "told"; readonly item: DirectoryItem }
  | { readonly kind: "hidden" | "unknown"; readonly id: string };

/** Why a page must be asked again. `retryAfterMs`: for how long Graph asked to be left alone; null: it did not say. */
export type UserFailure = {
  readonly kind: "failed";
  readonly code: string;
  readonly retryAfterMs: number | null;
};

export type Completed = { readonly kind: "completed"; readonly users: readonly Told[] } | UserFailure;

/** Why a user is not mirrored, or null. What was not told counts for the user: only evidence takes anybody away. */
export function leaveReasonOf(item: DirectoryItem): string | null {
  if (item.removed !== null) return item.removed === "deleted" ? "deleted" : "softDeleted";
  if (item.accountEnabled === false) return "disabled";
  if (item.userType?.toLowerCase() === "guest") return "guest";
  return item.mail === null || item.mail === "" ? "noMail" : null;
}

/**
 * Completes a page: a user told in part is looked up where what was left out decides. Absence of information is no
 * information (I3): who cannot be told stays as it is, and a page that tells of nobody is not believed at all.
 * @see https://learn.microsoft.com/graph/permissions-overview#limited-information-returned-for-inaccessible-member-objects
 */
export async function completedPage(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
): Promise<Completed> {
  const isAnybodyTold = state.seen > state.untold || items.some(isTold);
  if (items.length > 0 && state.isFull && !isAnybodyTold) return hiddenPage(ports);
  // One user that fails for ever must not hold the others up (I10).
  const isPatient = state.failuresInARow < ports.limits.waitsMax;
  const found = new Lookups(state, ports, isPatient);
  const users = await mapAtOnce(items, ports.limits.lookupsAtOnceMax, (item) => found.completed(item));
  if (isPatient && found.failed !== null) return found.failed;
  const isNobodyTold = users.some(({ kind }) => kind === "hidden") && !users.some(({ kind }) => kind === "told");
  if (isPatient && !state.isFull && isNobodyTold) return hiddenPage(ports);
  const hidden = users.filter(({ kind }) => kind === "hidden").length;
  if (found.failed !== null) {
    ports.log("error", "users left out: they could not be looked up", { code: found.failed.code });
  } else if (hidden > 0) {
    ports.log("error", "users left as they were: their properties were not told", { users: hidden });
  }
  return { kind: "completed", users };
}

function hiddenPage({ log }: DiscoverPorts): Completed {
  log("error", "a page of users without their properties was not believed", { code: propertiesHidden });
  return { kind: "failed", code: propertiesHidden, retryAfterMs: null };
}

/** A living user always has a principal name. */
function isTold(item: DirectoryItem): boolean {
  return item.removed !== null || item.userPrincipalName !== null;
}

/**
 * Single users of one page, looked up. Once many cannot be told, the others of the page are not asked for; nor after the
 * first failure where the whole page is asked again for it: a throttle must not be answered with hundreds of calls.
 */
class Lookups {
  failed: UserFailure | null = null;
  #inVain = 0;

  constructor(
    private readonly state: DirectoryState,
    private readonly ports: DiscoverPorts,
    private readonly isAskedAgain: boolean,
  ) {}

  async completed(item: DirectoryItem): Promise<Told> {
    const { directory, limits } = this.ports;
    if (item.isWhole || item.removed !== null || !(await this.#decides(item))) return { kind: "told", item };
    const isEnough = this.#inVain >= limits.lookupsInVainMax || (this.isAskedAgain && this.failed !== null);
    if (isEnough) return { kind: "hidden", id: item.id };
    const looked = await directory.user(item.id);
    if (looked.kind === "user" && isTold(looked.item)) return { kind: "told", item: looked.item };
    return this.#untold(item.id, looked);
  }

  #untold(id: string, looked: UserOutcome): Told {
    if (looked.kind === "failed") this.failed ??= looked;
    this.#inVain += 1;
    // Not there any more: the directory will say so itself, with its reason.
    return { kind: looked.kind === "unknown" ? "unknown" : "hidden", id };
  }

  /** Whether what was left out may change what is known. A full round tells most users so, where null is left out. */
  async #decides(item: DirectoryItem): Promise<boolean> {
    if (!this.state.isFull || !isTold(item)) return true;
    const held = await this.ports.store.roster.read(item.id);
    return held !== null && isDecisive(leaveReasonOf(item), held.row, this.state);
  }
}

function isDecisive(leaveReason: string | null, row: RosterRow, state: DirectoryState): boolean {
  if (row.source === manualSource) return false;
  const isLeaving = row.state === "suspended" || (row.leaveReason !== null && row.generation < state.generation);
  return isLeaving ? leaveReason === null : leaveReason === "noMail";
}
