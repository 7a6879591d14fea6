import type { Store } from "../store/store.js";
import { isGuid } from "../sync/mailboxId.js";
import { type MailboxKind, mailboxKinds } from "../sync/mailboxKind.js";
import { hasReason, type MailboxState, mailboxStates, stateOf } from "../sync/state.js";
import type { Checkpoint } from "../sync/types.js";
import { type MailboxView, mailboxView } from "./mailbox.js";

/** A place in the order of the table: after this mailbox of this shard (its index); null: at the start of the shard. */
export type ListPlace = { readonly shard: number; readonly after: string | null };

/** What is listed. */
export type ListQuery = {
  readonly state: MailboxState | null;
  readonly kind: MailboxKind | null;
  /** A parked reason or a code, or the part before its colon; null for any. */
  readonly reason: string | null;
  /** What was typed, as `searchOf` makes it; empty for all. */
  readonly search: string;
  /** Mailboxes on the page at most. */
  readonly top: number;
  readonly from: ListPlace;
};

/** `next`: where the next page starts; null after the last one. */
export type ListPage = { readonly mailboxes: MailboxView[]; readonly next: ListPlace | null };

/** Our choice. */
export const listLimits = { topDefault: 50, topMax: 500, searchMax: 128, reasonMax: 256 } as const;

/** Our choice: a page of the list reads so many checkpoints at most, however few of them match. */
const checkpointsPerPageMax = 20_000;

/** Whether a text of a request names a state. */
export function isMailboxState(text: string): text is MailboxState {
  return mailboxStates.some((state) => state === text);
}

/** Whether a text of a request names a kind. */
export function isMailboxKind(text: string): text is MailboxKind {
  return mailboxKinds.some((kind) => kind === text);
}

/** A text as it is compared: upper and lower case are alike, and so are letters with their marks apart or as one. */
export function searchOf(text: string): string {
  return text.trim().toLowerCase().normalize("NFC");
}

/**
 * One page of the roster's mailboxes, in the order of the table. Reads `checkpointsPerPageMax` checkpoints at most, so a
 * page may hold fewer mailboxes than asked for, even none, and still have a next one.
 * @throws StorageError
 */
export async function listMailboxes(query: ListQuery, store: Store, shards: readonly string[]): Promise<ListPage> {
  if (isGuid(query.search)) {
    const held = await store.readMailbox(query.search);
    const isFound = held !== null && matches(held.checkpoint, query);
    return { mailboxes: isFound ? [mailboxView(held.checkpoint)] : [], next: null };
  }
  const found: MailboxView[] = [];
  let read = 0;
  let place = query.from;
  for (; place.shard < shards.length; place = { shard: place.shard + 1, after: null }) {
    const range = { after: place.after, upTo: null };
    for await (const page of store.readMailboxes(shards[place.shard] ?? "", range)) {
      for (const { checkpoint } of page) {
        place = { shard: place.shard, after: checkpoint.mailboxId };
        if (!matches(checkpoint, query)) continue;
        found.push(mailboxView(checkpoint));
        if (found.length === query.top) return { mailboxes: found, next: place };
      }
      read += page.length;
      if (read >= checkpointsPerPageMax) return { mailboxes: found, next: place };
    }
  }
  return { mailboxes: found, next: null };
}

function matches(checkpoint: Checkpoint, { state, kind, reason, search }: ListQuery): boolean {
  if (state !== null && stateOf(checkpoint) !== state) return false;
  if (kind !== null && checkpoint.mailboxKind !== kind) return false;
  if (reason !== null && !hasReason(reason, checkpoint)) return false;
  if (search === "") return true;
  const { mailboxId, displayName, userPrincipalName } = checkpoint;
  const [id, name, address] = [mailboxId, displayName ?? "", userPrincipalName ?? ""].map(searchOf);
  return [id, name, address].some((text) => text?.startsWith(search)) || hasWords(`${name} ${address}`, search);
}

/**
 * Whether each word that was typed begins a word of a name or an address, in any order: `booth`, `booth sam` and `booth contoso` find
 * Samantha Booth, sam.booth@contoso.com.
 */
function hasWords(text: string, search: string): boolean {
  const typed = wordsOf(search);
  const words = wordsOf(text);
  return typed.length > 0 && typed.every((start) => words.some((word) => word.startsWith(start)));
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];
}
