import { StorageError } from "../store/store.js";
import type { ActionNote } from "../sync/operatorAction.js";
import { within } from "../within.js";
import { actorOf } from "./actor.js";
import type { HttpPorts } from "./handler.js";

type Done = Pick<ActionNote, "action"> & Partial<Omit<ActionNote, "action" | "atMs" | "actor">>;
type Asked = Parameters<typeof actorOf>[0];

/** Our choice: so long an operator waits for the note of what is already done. */
const noteMsMax = 5_000;

/**
 * Notes in the log of actions who has done what, after it was done. It never throws because of the storage: what could not be
 * noted is in the log of the app.
 * @param done What `ActionNote` says, of which all that does not apply may be left out.
 */
export async function noteAction(request: Asked, ports: HttpPorts, done: Done): Promise<void> {
  const { store, log, nowMs, isSignInOn } = ports;
  const actor = actorOf(request, isSignInOn);
  const nothing = { mailboxId: null, subject: null, count: null };
  const note: ActionNote = { ...nothing, ...done, atMs: nowMs(), actor };
  const late = () => new StorageError("note action", "", null, "timeout");
  try {
    await within(noteMsMax, late, () => store.noteAction(note));
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    log("error", "action not noted", { action: note.action, mailbox: note.mailboxId ?? "", why: error.message });
  }
}
