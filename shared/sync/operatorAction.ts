/** What operators have done, and who they were. Pure data. */

/** Every action that an operator has. Those of one mailbox first. */
export const operatorActions = [
  "sync",
  "resync",
  "release",
  "add",
  "remove",
  "releaseMany",
  "releaseBrake",
  "discover",
  "releaseRoster",
  "pauseSubscription",
  "resumeSubscription",
  "replaySubscription",
] as const;
type OperatorAction = (typeof operatorActions)[number];

/**
 * Who asked. `user`: App Service Authentication has signed them in, and `name` is what it calls them. `key`: whoever holds a
 * function key, of which `name` is the fingerprint. `nobody`: neither was given, as on a developer's machine.
 */
export const actorKinds = ["user", "key", "nobody"] as const;
export type Actor = { readonly kind: (typeof actorKinds)[number]; readonly name: string | null };

/** One action that was done, or accepted. */
export type ActionNote = {
  readonly atMs: number;
  readonly action: OperatorAction;
  readonly actor: Actor;
  /** The mailbox that it was about, by its id alone: who is erased leaves no name here. Null: several, or none. */
  readonly mailboxId: string | null;
  /** What else it was about: the reason of a release of many, or the id of a subscription. */
  readonly subject: string | null;
  /** How many mailboxes it has released; null for what is not counted. */
  readonly count: number | null;
};
