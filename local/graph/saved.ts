import type { ActiveRule } from "./faults.js";
import type { Mailbox } from "./mailbox.js";
import type { MailboxStore, UserEntry } from "./mailboxes.js";
import type { DeltaAvailability, Version } from "./types.js";
import type { World } from "./world.js";

/** What was changed of a simulated tenant, and what it is told to do wrong, as JSON. Its root, its token and its figures are of a run, and not in it. */
export type SavedGraph = {
  readonly size: number;
  readonly directorySequence: number;
  readonly users: readonly (readonly [index: number, entry: UserEntry])[];
  readonly mailboxes: readonly (readonly [index: number, state: SavedMailbox])[];
  /** This and the ones below are absent from files of earlier releases, which kept none of it. */
  readonly faults?: readonly ActiveRule[];
  readonly delta?: Readonly<Record<Version, DeltaAvailability>>;
  readonly isMailboxSettingsGranted?: boolean;
  readonly groups?: readonly (readonly [id: string, members: "everybody" | readonly string[]])[];
};

/** All that does not follow from the seed; entries in their order. */
type SavedMailbox = Omit<Mailbox, "id" | "index" | "seed" | "entries"> & {
  readonly entries: readonly (readonly [slot: number, entry: Entry])[];
};
type Entry = NonNullable<Mailbox["entries"]> extends Map<number, infer One> ? One : never;

/** What differs from the tenant as it was made. Links that it has handed out stay good. */
export function savedOf({ mailboxes, faults, switches, groups }: World): SavedGraph {
  const changed: [number, SavedMailbox][] = [];
  for (let index = 0; index < mailboxes.size(); index++) {
    const mailbox = mailboxes.at(index);
    if (mailbox !== null && hasChanged(mailbox, mailboxes)) changed.push([index, savedMailbox(mailbox)]);
  }
  const { size, directorySequence: sequence } = mailboxes;
  return {
    size: size(),
    directorySequence: sequence(),
    users: mailboxes.userEntries(),
    mailboxes: changed,
    faults: faults.rules(),
    delta: { ...switches.delta },
    isMailboxSettingsGranted: switches.isMailboxSettingsGranted,
    groups: [...groups].map(([id, members]) => [id, members === "everybody" ? members : [...members]]),
  };
}

/** Brings a tenant that was just made, with the same options, to where another one was. */
export function restore(world: World, saved: SavedGraph): void {
  const { mailboxes, faults, switches, groups } = world;
  mailboxes.restoreUsers(saved.size, saved.directorySequence, saved.users);
  for (const [index, { entries, ...counters }] of saved.mailboxes) {
    const mailbox = mailboxes.at(index);
    if (mailbox === null) throw new Error(`There is no mailbox number ${index}.`);
    Object.assign(mailbox, counters, { entries: entries.length === 0 ? null : new Map(entries) });
  }
  faults.restore(saved.faults ?? []);
  Object.assign(switches.delta, saved.delta);
  switches.isMailboxSettingsGranted = saved.isMailboxSettingsGranted ?? true;
  for (const [id, members] of saved.groups ?? []) {
    groups.set(id, members === "everybody" ? members : new Set(members));
  }
}

/** The number of links handed out alone is no change: those of an earlier run are good until as many are handed out. */
function hasChanged(mailbox: Mailbox, mailboxes: MailboxStore): boolean {
  const { sequence, epoch, forgottenUpTo, refusedUpTo, state, purpose, index } = mailbox;
  const isCounted = sequence + epoch + forgottenUpTo + refusedUpTo > 0;
  return isCounted || state.kind !== "normal" || purpose !== mailboxes.firstPurpose(index) || mailboxes.isAdded(index);
}

function savedMailbox({ id: _id, index: _index, seed: _seed, entries, ...counters }: Mailbox): SavedMailbox {
  return { ...counters, entries: [...(entries ?? [])] };
}
