import { mailboxIdOf } from "../sync/mailboxId.js";
import { type CalendarRow, isJsonObject, type Json, type JsonObject } from "../sync/types.js";
import { mailboxView } from "../views/mailbox.js";
import { answer, type Route, refusal } from "./handler.js";
import { queryMistake } from "./requests.js";

/**
 * `GET /api/mailboxes/{id}/calendars`: the calendars of one mailbox for operators, with what the Graph-shaped reads leave
 * out: when each last changed, and what was removed. Also before the first round has ended.
 */
export const mailboxCalendarsRoute: Route = async (request, { store, isTrial }) => {
  const named = mailboxIdOf(request.params["id"] ?? "", isTrial);
  if ("mistake" in named) return refusal(400, "invalidRequest", named.mistake);
  const mistake = queryMistake(request, []);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const held = await store.readMailbox(named.id);
  if (held === null) {
    return refusal(404, "itemNotFound", `The mailbox ${named.id} is not on the roster. PUT it to add it.`);
  }
  const rows = await store.readCalendars(named.id);
  return answer(200, { mailbox: mailboxView(held.checkpoint), value: [...rows].sort(inOrder).map(calendarView) });
};

/** Living ones by name, then removed ones, the latest first. */
function inOrder(one: CalendarRow, other: CalendarRow): number {
  if (one.removedMs !== null || other.removedMs !== null) {
    return (other.removedMs ?? Number.POSITIVE_INFINITY) - (one.removedMs ?? Number.POSITIVE_INFINITY) || 0;
  }
  const [first, second] = [text(one.resource["name"]) ?? "", text(other.resource["name"]) ?? ""];
  return first === second ? 0 : first < second ? -1 : 1;
}

function calendarView({ calendarId, resource, sequence, changedMs, removedMs }: CalendarRow) {
  const owner = objectOrEmpty(resource["owner"]);
  return {
    id: calendarId,
    name: text(resource["name"]),
    color: text(resource["color"]),
    hexColor: text(resource["hexColor"]),
    ownerName: text(owner["name"]),
    ownerAddress: text(owner["address"]),
    isDefaultCalendar: resource["isDefaultCalendar"] === true,
    sequence,
    changed: new Date(changedMs).toISOString(),
    removed: removedMs === null ? null : new Date(removedMs).toISOString(),
  };
}

function text(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function objectOrEmpty(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
