import type { HttpRequest } from "@azure/functions";
import * as z from "zod";
import { actOnSubscriber, type SubscriberAsk, subscriberActions } from "../actions/subscriber.js";
import type { DeliverMessage } from "../messages.js";
import { LogTimes } from "../push/behind.js";
import { isGuid } from "../sync/mailboxId.js";
import { isoOrNull } from "../sync/time.js";
import type { ReplayedView, SubscribersView } from "../views/subscriberSchema.js";
import { listSubscribers, viewsOf } from "../views/subscribers.js";
import { answer, type Route, refusal } from "./handler.js";
import { noteAction } from "./noteAction.js";
import { bodyOf, mistakeOfEmptyRequest, queryMistake } from "./requests.js";

/** What a process has met of the logs serves all answers. */
const times = new LogTimes();

/** `GET /api/subscribers`: all subscribers, and how each stands. */
export const subscribersRoute: Route = async (request, { store, nowMs }) => {
  const mistake = queryMistake(request, []);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const value = [...(await listSubscribers(store, times, nowMs()))];
  return answer(200, { value } satisfies SubscribersView);
};

/**
 * `POST /api/subscribers/{id}/pause`, `…/resume`, `…/replay?since=`: what an operator asks of one subscriber. All are idempotent.
 * @param start Sends the message that starts a delivery.
 */
export function subscriberActionRoute(start: (message: DeliverMessage) => void): Route {
  return async (request, ports) => {
    const { store, log, nowMs } = ports;
    const asked = await askOf(request, nowMs());
    if ("refusal" in asked) return asked.refusal;
    const { ask } = asked;
    const id = (request.params["id"] ?? "").toLowerCase();
    const end = isGuid(id) ? await actOnSubscriber(id, ask, store, nowMs()) : null;
    if (end === null) {
      return refusal(
        404,
        "itemNotFound",
        "There is no such subscription, or it has expired. GET subscribers lists them.",
      );
    }
    log("warn", `subscriber asked by hand to ${ask.action}`, { subscription: id });
    await noteAction(request, ports, { action: `${ask.action}Subscription`, subject: id });
    if (ask.action !== "pause") start({ subscriptions: [id] });
    const [subscriber] = await viewsOf([end.subscription], store, times, nowMs());
    if (subscriber === undefined || ask.action !== "replay") return answer(202, subscriber);
    return answer(202, { subscriber, goesBackTo: isoOrNull(end.goesBackToMs) } satisfies ReplayedView);
  };
}

const timeShape = z.iso.datetime({ offset: true });
const nothing = z.strictObject({});

async function askOf(
  request: HttpRequest,
  nowMs: number,
): Promise<{ readonly ask: SubscriberAsk } | { readonly refusal: ReturnType<typeof refusal> }> {
  const action = subscriberActions.find((one) => one === request.params["action"]);
  if (action === undefined) {
    return { refusal: refusal(404, "itemNotFound", `A subscriber takes ${subscriberActions.join(", ")}.`) };
  }
  const bad = (mistake: string) => ({ refusal: refusal(400, "invalidRequest", mistake) });
  if (action !== "replay") {
    const mistake = await mistakeOfEmptyRequest(request);
    return mistake === null ? { ask: { action } } : bad(mistake);
  }
  const mistake = queryMistake(request, ["since"]);
  if (mistake !== null) return bad(mistake);
  const body = await bodyOf(request, nothing, "empty or {}");
  if ("mistake" in body) return bad(body.mistake);
  const since = new URL(request.url).searchParams.get("since") ?? "";
  const sinceMs = timeShape.safeParse(since).success ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(sinceMs)) {
    return bad("since must be a time in ISO 8601 with its zone, such as 2026-11-28T06:00:00Z. A + is written %2B.");
  }
  if (sinceMs > nowMs) return bad("since must not be in the future: from then on there is nothing to tell again.");
  return { ask: { action, sinceMs } };
}
