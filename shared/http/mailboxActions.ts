import { type CareAction, careActions, careFor } from "../actions/mailbox.js";
import type { SyncMessage } from "../messages.js";
import { mailboxIdOf } from "../sync/mailboxId.js";
import { stateOf } from "../sync/state.js";
import { mailboxView } from "../views/mailbox.js";
import { answer, type Route, refusal } from "./handler.js";
import { strangerIn } from "./requests.js";

/**
 * `POST /api/mailboxes/{id}/sync`, `…/resync`, `…/release`: an operator sees to one mailbox. All are idempotent.
 * @param start Sends the message that starts the round.
 */
export function careRoute(start: (message: SyncMessage) => void): Route {
  return async (request, { store, newId, isTrial }) => {
    const action = careActions.find((one): one is CareAction => one === request.params["action"]);
    if (action === undefined) return refusal(404, "itemNotFound", `A mailbox takes ${careActions.join(", ")}.`);
    const named = mailboxIdOf(request.params["id"] ?? "", isTrial);
    if ("mistake" in named) return refusal(400, "invalidRequest", named.mistake);
    const mistake = await strangerIn(request);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const end = await careFor(named.id, action, store, newId);
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
        return answer(202, mailboxView(end.checkpoint));
    }
  };
}
