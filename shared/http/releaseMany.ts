import { releaseMany } from "../actions/releaseMany.js";
import { answer, type Route, refusal } from "./handler.js";
import { cursorOf, placeOf } from "./mailboxList.js";
import { noteAction } from "./noteAction.js";
import type { Released } from "./openapi/operators.js";
import { queryMistake } from "./requests.js";

/** Our choice: how long one request may release; its answer says where to go on. */
const releaseMsMax = 20_000;
const reasonMax = 256;

/** `POST /api/mailboxes/release?reason=&cursor=`: releases all that are parked or waiting for one reason. */
export function releaseManyRoute(shards: readonly string[]): Route {
  return async (request, ports) => {
    const { store, log, nowMs } = ports;
    const mistake = queryMistake(request, ["reason", "cursor"]);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    const given = new URL(request.url).searchParams;
    const reason = given.get("reason") ?? "";
    if (reason === "" || reason.length > reasonMax) {
      const expected = "a parked reason or a code, such as denied:ErrorAccessDenied, or the part before its colon";
      return refusal(400, "invalidRequest", `reason must be ${expected}. GET status names them under troubles.`);
    }
    const cursor = given.get("cursor") ?? "";
    const from = cursor === "" ? { shard: 0, after: null } : placeOf(cursor, shards.length);
    if (from === null) return refusal(400, "invalidRequest", "cursor must be one that this route gave, unchanged.");
    const untilMs = nowMs() + releaseMsMax;
    const { released, next } = await releaseMany(reason, from, store, shards, () => nowMs() >= untilMs);
    if (released > 0) {
      log("warn", "mailboxes retried by hand", { reason, released });
      await noteAction(request, ports, { action: "releaseMany", subject: reason, count: released });
    }
    return answer(200, { released, cursor: next === null ? null : cursorOf(next) } satisfies Released);
  };
}
