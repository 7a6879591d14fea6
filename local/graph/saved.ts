import type { Mailbox } from "./mailbox.js";
import type { MailboxStore, UserEntry } from "./mailboxes.js";

/** What people and Microsoft have changed of a simulated tenant, as JSON. Faults and switches are of a run, and not in it. */
export type SavedGraph = {
  readonly size: number;
  readonly directorySequence: number;
  readonly users: readonly (readonly [index: number, entry: UserEntry])[];
  readonly mailboxes: readonly (readonly [index: number, state: SavedMailbox])[];
};

/** All that does not follow from the seed; entries in their order. */
type SavedMailbox = Omit<Mailbox, "id" | "index" | "seed" | "entries"> & {
  readonly entries: readonly (readonly [slot: number, entry: Entry])[];
};
type Entry = NonNullable<Mailbox["entries"]> extends Map<number, infer One> ? One : never;

/** What differs from the tenant as it was made. Links that it has handed out stay good. */
export function savedOf(mailboxes: MailboxStore): SavedGraph {
  const changed: [number, SavedMailbox][] = [];
  for (let index = 0; index < mailboxes.size(); index++) {
    const mailbox = mailboxes.at(index);
    if (mailbox !== null && hasChanged(mailbox, mailboxes)) changed.push([index, savedMailbox(mailbox)]);
  }
  const { size, directorySequence: sequence } = mailboxes;
  return { size: size(), directorySequence: sequence(), users: mailboxes.userEntries(), mailboxes: changed };
}

/** Brings a tenant that was just made, with the same options, to where another one was. */
export function restore(mailboxes: MailboxStore, saved: SavedGraph): void {
  mailboxes.restoreUsers(saved.size, saved.directorySequence, saved.users);
  for (const [index, { entries, ...counters }] of saved.mailboxes) {
    const mailbox = mailboxes.at(index);
    if (mailbox === null) throw new Error(`There is no mailbox number ${index}.`);
    Object.assign(mailbox, counters, { entries: entries.length === 0 ? null : new Map(entries) });
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
