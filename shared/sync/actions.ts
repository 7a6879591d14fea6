import { startOver } from "./checkpoint.js";
import type { Checkpoint } from "./types.js";

/** What operators and the roster do to a mailbox. Pure; each is harmless when done again. */

const healthy = {
  notBeforeMs: null,
  failuresInARow: 0,
  resetsInARow: 0,
  loopsInARow: 0,
  lastErrorCode: null,
  failingSinceMs: null,
  lastRequestId: null,
  parkedReason: null,
} as const;

/**
 * The mailbox after its user has left the roster. Its rows stay and its link goes: a worker in mid-round loses its fence,
 * and if the user comes back, a full round finds out what happened meanwhile.
 * @param why Kept as the last error code, for people.
 */
export function suspended(checkpoint: Checkpoint, why: string): Checkpoint {
  return {
    ...startOver(checkpoint, "reset"),
    ...healthy,
    lifecycle: "suspended",
    heldRemovals: null,
    lastErrorCode: why,
  };
}

/** The mailbox after its user has come back: a full round is due, paced like a new mailbox's. */
export function resumed(checkpoint: Checkpoint): Checkpoint {
  return { ...startOver(checkpoint, "reset"), ...healthy, lifecycle: "active", lastTick: null };
}

/** The mailbox under the name, the address and the kind that the roster has for it; itself where it has them. */
export function described(checkpoint: Checkpoint, roster: Described): Checkpoint {
  const { displayName, userPrincipalName, mailboxKind } = roster;
  const isSame =
    checkpoint.displayName === displayName &&
    checkpoint.userPrincipalName === userPrincipalName &&
    checkpoint.mailboxKind === mailboxKind;
  return isSame ? checkpoint : { ...checkpoint, displayName, userPrincipalName, mailboxKind };
}
type Described = Pick<Checkpoint, "displayName" | "userPrincipalName" | "mailboxKind">;

/** The mailbox as the next tick may ask it, whatever it waited for. A held removal still needs its second round. */
export function released(checkpoint: Checkpoint): Checkpoint {
  return { ...checkpoint, ...healthy, resetsInARow: checkpoint.resetsInARow };
}

/** The mailbox with a full round ahead. Readers keep what they have (I4). */
export function resynced(checkpoint: Checkpoint): Checkpoint {
  return released(startOver(checkpoint, checkpoint.heldRemovals === null ? "reset" : "confirm"));
}

/**
 * The mailbox as an operator releases it by itself. Where Graph has refused it, that may have been its link alone, whatever
 * the code says: the link is dropped, and the start's answer decides. When many are released at once each keeps its link,
 * for so many refusals were no matter of links.
 */
export function releasedAlone(checkpoint: Checkpoint): Checkpoint {
  const isRefused = checkpoint.link !== null && /^(denied|noMailbox):/.test(checkpoint.parkedReason ?? "");
  return isRefused ? resynced(checkpoint) : released(checkpoint);
}
