import { goesBy } from "../store/rosterRows.js";
import type { Store } from "../store/store.js";
import { foldedName } from "../sync/mailboxId.js";

/**
 * Whose mailbox a userPrincipalName is. `unknown`: nobody's whom discovery follows. `several`: of more than one mailbox, so of
 * none. `notFollowed`: the roster is kept by hand, and knows no names.
 */
export type NamedMailbox =
  | { readonly kind: "mailbox"; readonly mailboxId: string }
  | { readonly kind: "unknown" | "several" | "notFollowed" };

/** The part of the store that is asked. */
type NamesStore = Pick<Store, "readDirectory"> & { readonly roster: Pick<Store["roster"], "read" | "named"> };

/** Finds mailboxes by name. One for each process: what it remembers saves requests, and is believed as far as rows say the same. */
export type MailboxNames = {
  /** @throws StorageError where a shard cannot be asked, RowError where a row with this name cannot be read. */
  find(userPrincipalName: string, store: NamesStore): Promise<NamedMailbox>;
};

/** Our choice: 3 MB at most. */
const hintsMax = 10_000;

/** The mailbox that was found by a name, and the step of discovery up to which that was so. */
type Hint = { readonly mailboxId: string; readonly step: number };

/**
 * The roster's names. All shards are asked for a name that is new to the process. Once it was found, two point reads tell whether
 * it still is: the mailbox's roster row must go by it, and discovery must have written nothing since, as it may have given the
 * name to a second user.
 * @param isFollowed Whether discovery follows anybody: else names of the past are nobody's.
 */
export function createMailboxNames({ isFollowed }: { readonly isFollowed: boolean }, max = hintsMax): MailboxNames {
  const hints = new Map<string, Hint>(); // The one that was used last comes last.
  const looks = new Map<string, Promise<NamedMailbox>>();

  const remember = (name: string, hint: Hint | null) => {
    hints.delete(name);
    if (hint === null) return;
    hints.set(name, hint);
    const [oldest] = hints.keys();
    if (hints.size > max && oldest !== undefined) hints.delete(oldest);
  };

  const look = async (name: string, asGiven: string, step: number, store: NamesStore): Promise<NamedMailbox> => {
    const [first, second] = await store.roster.named(asGiven);
    const isOnes = first !== undefined && second === undefined;
    remember(name, isOnes ? { mailboxId: first.row.mailboxId, step } : null);
    if (isOnes) return { kind: "mailbox", mailboxId: first.row.mailboxId };
    return { kind: first === undefined ? "unknown" : "several" };
  };

  const find = async (asGiven: string, store: NamesStore): Promise<NamedMailbox> => {
    if (!isFollowed) return { kind: "notFollowed" };
    const name = foldedName(asGiven);
    const hint = hints.get(name);
    const [directory, held] = await Promise.all([
      store.readDirectory(),
      hint === undefined ? null : store.roster.read(hint.mailboxId),
    ]);
    if (directory === null) return { kind: "unknown" }; // Nobody was ever discovered.
    const { step } = directory.state;
    if (hint?.step === step && held !== null && goesBy(name, held.row)) {
      remember(name, hint);
      return { kind: "mailbox", mailboxId: hint.mailboxId };
    }
    // Who asks for the same name meanwhile shares the look: a batch of Graph's asks for one user 20 times.
    const key = JSON.stringify([step, asGiven]);
    const shared = looks.get(key) ?? look(name, asGiven, step, store).finally(() => looks.delete(key));
    looks.set(key, shared);
    return shared;
  };

  return { find };
}
