import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { ActionView } from "./actionSchema.js";
import { mailboxNamed } from "./history.js";

/** What is asked for. `mailboxId` null: of all. `after`: where a page ended; null: the newest. */
export type ActionLogQuery = { readonly mailboxId: string | null; readonly top: number; readonly after: string | null };

/** Our choice. */
export const actionLogLimits = { topDefault: 50, topMax: 200, queriesAtOnce: 16 } as const;

/**
 * A page of what operators have done, newest first, with what their mailboxes are called by now. A page may hold fewer than asked
 * for, even none, and still have a next one. @throws StorageError
 */
export async function readActionLog(
  { mailboxId, top, after }: ActionLogQuery,
  store: Pick<Store, "readActions" | "readMailbox">,
): Promise<{ readonly actions: ActionView[]; readonly next: string | null }> {
  const { notes, next } = await store.readActions({ mailboxId, top, after });
  const ids = [...new Set(notes.flatMap((note) => note.mailboxId ?? []))];
  const mailboxes = await mapAtOnce(ids, actionLogLimits.queriesAtOnce, (id) => mailboxNamed(id, store));
  const byId = new Map(mailboxes.map((mailbox) => [mailbox.id, mailbox]));
  const actions = notes.map(
    ({ atMs, action, actor, subject, count, ...note }): ActionView => ({
      time: new Date(atMs).toISOString(),
      action,
      actor,
      mailbox: note.mailboxId === null ? null : (byId.get(note.mailboxId) ?? null),
      subject,
      count,
    }),
  );
  return { actions, next };
}
