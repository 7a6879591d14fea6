import { actOnRoster, type RosterAction, rosterActions } from "../actions/roster.js";
import type { DiscoverMessage } from "../messages.js";
import { isoOrNull } from "../sync/time.js";
import { type RosterView, rosterView } from "../views/roster.js";
import { answer, type Route, refusal } from "./handler.js";
import { noteAction } from "./noteAction.js";
import { mistakeOfEmptyRequest } from "./requests.js";

/**
 * `POST /api/roster/discover`, `POST /api/roster/release`: what an operator asks of the roster. Both are idempotent.
 * @param source The source of the roster by name; null where mailboxes are put there by hand alone.
 * @param start Sends the message that starts discovery, or carries it on.
 */
export function rosterActionRoute(source: string | null, start: (message: DiscoverMessage) => void): Route {
  return async (request, ports) => {
    const { store, newId, nowMs } = ports;
    const action = rosterActions.find((one): one is RosterAction => one === request.params["action"]);
    if (action === undefined) return refusal(404, "itemNotFound", `The roster takes ${rosterActions.join(", ")}.`);
    const mistake = await mistakeOfEmptyRequest(request);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    if (source === null) {
      return refusal(
        409,
        "conflict",
        "ROSTER is manual: there is nothing to discover. Set it to directory or group:<id>.",
      );
    }
    const end = await actOnRoster(action, store, newId, nowMs());
    switch (end.kind) {
      case "notHeld":
        return refusal(409, "conflict", "Nothing is held: there is no shrink to apply.");
      case "underWay":
        return refusal(409, "conflict", "A full pass of discovery is under way. Look again when it has ended.");
      case "accepted":
        start(end.message);
        await noteAction(request, ports, { action: action === "release" ? "releaseRoster" : action });
        return answer(202, {
          ...rosterView(source, end.state),
          notBefore: isoOrNull(end.notBeforeMs),
        } satisfies RosterView);
    }
  };
}
