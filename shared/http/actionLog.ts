import { isActionKey } from "../store/keys.js";
import { actionLogLimits, readActionLog } from "../views/actionLog.js";
import type { ActionPage, ActorView } from "../views/actionSchema.js";
import { actorOf } from "./actor.js";
import { mailboxAsked } from "./askedMailbox.js";
import { answer, type Route, refusal } from "./handler.js";
import { mistakeOfEmptyRequest, queryMistake } from "./requests.js";

const { topDefault, topMax } = actionLogLimits;

/** `GET /api/actions?mailbox=&top=&cursor=`: what operators have done, newest first. `mailbox`: an id, or a userPrincipalName. */
export const actionLogRoute: Route = async (request, ports) => {
  const mistake = queryMistake(request, ["mailbox", "top", "cursor"]);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const given = new URL(request.url).searchParams;
  const topText = given.get("top") ?? String(topDefault);
  const top = /^\d{1,4}$/.test(topText) ? Number(topText) : 0;
  if (top < 1 || top > topMax) {
    return refusal(400, "invalidRequest", `top must be a whole number from 1 to ${topMax}.`);
  }
  const cursor = given.get("cursor") ?? "";
  const after = cursor === "" ? null : keyOf(cursor);
  if (cursor !== "" && after === null) {
    return refusal(400, "invalidRequest", "cursor must be one that this log gave, unchanged.");
  }
  const user = given.get("mailbox") ?? "";
  const asked = user === "" ? null : await mailboxAsked(user, ports);
  if (asked !== null && "mistake" in asked) return refusal(400, "invalidRequest", asked.mistake);
  if (asked !== null && "unknown" in asked) return refusal(404, "itemNotFound", asked.unknown);
  const { actions, next } = await readActionLog({ mailboxId: asked?.id ?? null, top, after }, ports.store);
  return answer(200, { value: actions, cursor: next === null ? null : cursorOf(next) } satisfies ActionPage);
};

/**
 * `GET /api/operator`: who asks, as the log of actions would note it. A function of its own: a key that only reads does not open
 * it, by which the dashboard knows that it has nothing to offer but to read.
 */
export const operatorRoute: Route = async (request, { isSignInOn }) => {
  const mistake = await mistakeOfEmptyRequest(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  return answer(200, actorOf(request, isSignInOn) satisfies ActorView);
};

function cursorOf(key: string): string {
  return Buffer.from(key).toString("base64url");
}

/** The key that a cursor means; null for a text that is no cursor of ours. */
function keyOf(cursor: string): string | null {
  const key = Buffer.from(cursor, "base64url").toString("utf8");
  return isActionKey(key) ? key : null;
}
