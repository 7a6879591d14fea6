import { actOnMailbox, type MailboxAction, mailboxActions } from "../actions/mailbox.js";
import type { SyncMessage } from "../messages.js";
import { stateOf } from "../sync/state.js";
import { mailboxView } from "../views/mailbox.js";
import { mailboxOfPath } from "./askedMailbox.js";
import { answer, type Route, refusal } from "./handler.js";
import { noteAction } from "./noteAction.js";
import { mistakeOfEmptyRequest } from "./requests.js";

/**
 * `POST /api/mailboxes/{id}/sync`, `…/resync`, `…/release`: what an operator asks of one mailbox. All are idempotent.
 * @param start Sends the message that starts the round.
 */
export function mailboxActionRoute(start: (message: SyncMessage) => void): Route {
  return async (request, ports) => {
    const { store, newId } = ports;
    const action = mailboxActions.find((one): one is MailboxAction => one === request.params["action"]);
    if (action === undefined) return refusal(404, "itemNotFound", `A mailbox takes ${mailboxActions.join(", ")}.`);
    const named = await mailboxOfPath(request, ports);
    if ("refusal" in named) return named.refusal;
    const mistake = await mistakeOfEmptyRequest(request);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const end = await actOnMailbox(named.id, action, store, newId);
    switch (end.kind) {
      case "unknown":
        return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
      case "leaving": {
        const state = stateOf(end.checkpoint);
        const remedy =
          state === "suspended"
            ? 'Its user has left the roster. PUT it with {"source": "manual"} to mirror it by hand.'
            : "It is being removed.";
        return refusal(409, "conflict", `The mailbox ${named.id} is ${state}. ${remedy}`);
      }
      case "accepted":
        start(end.message);
        await noteAction(request, ports, { action, mailboxId: named.id });
        return answer(202, mailboxView(end.checkpoint));
    }
  };
}
