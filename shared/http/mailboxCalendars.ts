import { mailboxCalendarsView } from "../views/mailboxCalendars.js";
import { mailboxOfPath } from "./askedMailbox.js";
import { answer, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

/**
 * `GET /api/mailboxes/{id}/calendars`: the calendars of one mailbox for operators, with what the Graph-shaped reads leave
 * out: when each last changed, and what was removed. It answers before the first round has ended too.
 */
export const mailboxCalendarsRoute: Route = async (request, ports) => {
  const { store } = ports;
  const named = await mailboxOfPath(request, ports);
  if ("refusal" in named) return named.refusal;
  const mistake = queryMistake(request, []);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const held = await store.readMailbox(named.id);
  if (held === null) {
    return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
  }
  return answer(200, mailboxCalendarsView(held.checkpoint, await store.readCalendars(named.id)));
};
