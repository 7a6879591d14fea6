import type { FaultKind } from "./faults.js";
import type { Mailbox, MailboxState } from "./mailbox.js";
import { VERSIONS, type Version } from "./types.js";
import type { World } from "./world.js";

/** What a simulator is told to do wrong. All of it empty, and granted: it answers as Graph does. */
export type Broken = {
  /** How many rules are in force, by kind. Those that were used up are not among them. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** How many mailboxes are not in the state `normal`, by state. */
  readonly mailboxes: Readonly<Partial<Record<MailboxState["kind"], number>>>;
  /** Where calendar delta is not offered. */
  readonly withoutDelta: readonly Version[];
  /** Whether the application has `MailboxSettings.Read`. */
  readonly isMailboxSettingsGranted: boolean;
};

/** What is broken of a simulator, in figures: there may be a million mailboxes. */
export function brokenOf(world: World): Broken {
  const { faults, switches } = world;
  return {
    faults: countsOf(faults.rules().flatMap(({ kind, left }) => (left === 0 ? [] : [kind]))),
    mailboxes: countsOf(mailboxesOutOfOrder(world).map(({ state }) => state.kind)),
    withoutDelta: VERSIONS.filter((version) => switches.delta[version] !== "available"),
    isMailboxSettingsGranted: switches.isMailboxSettingsGranted,
  };
}

/** Ends all of it. What has happened by it stays, such as links that were forgotten. */
export function mend(world: World): void {
  world.faults.clear();
  for (const mailbox of mailboxesOutOfOrder(world)) mailbox.state = { kind: "normal" };
  for (const version of VERSIONS) world.switches.delta[version] = "available";
  world.switches.isMailboxSettingsGranted = true;
}

function mailboxesOutOfOrder({ mailboxes }: World): readonly Mailbox[] {
  const found: Mailbox[] = [];
  for (let index = 0; index < mailboxes.size(); index++) {
    const mailbox = mailboxes.at(index);
    if (mailbox !== null && mailbox.state.kind !== "normal") found.push(mailbox);
  }
  return found;
}

function countsOf<Name extends string>(names: readonly Name[]): Partial<Record<Name, number>> {
  const counts: Partial<Record<Name, number>> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
