import { HttpRequest } from "@azure/functions";
import { expect, test } from "vitest";
import { httpHandler, type Route } from "../../shared/http/handler.js";
import { historyRoute } from "../../shared/http/history.js";
import { mailboxRoute } from "../../shared/http/mailboxes.js";
import { mailboxListRoute } from "../../shared/http/mailboxList.js";
import { openapiRoute } from "../../shared/http/openapi.js";
import { healthAnswers } from "../../shared/http/status.js";
import { StorageError } from "../../shared/store/store.js";
import { context, origin, replyOf, routesOver } from "../worlds/http.js";
import { mailboxId, worldWith } from "../worlds/mailbox.js";

/** Every kind of answer that our routes give, by a name for it. */
async function everyAnswer() {
  const world = await worldWith({ a: "A" });
  const { ask, through } = routesOver(world.store, () => world.clock.ms);
  const calendars = `/users/${mailboxId}/calendars`;
  const list = await ask(calendars);
  const fleet = (route: Route, path: string, params = {}, method = "GET") =>
    through(route, `${origin}/api/${path}`, { params, method });
  const failing = async () => {
    throw new StorageError("get", "", 503, "ServerBusy");
  };
  const nowMs = () => world.clock.ms;
  const request = new HttpRequest({ method: "GET", url: `${origin}/api/mailboxes` });
  return {
    "a list": list,
    "a version that the caller holds": await ask(calendars, { "if-none-match": list.headers["etag"] ?? "" }),
    "a calendar": await ask(`${calendars}/a`),
    "a delta page": await ask(`${calendars}/delta`),
    "a wrong token": await ask(`${calendars}/delta?$deltatoken=x`),
    "a mailbox that is not there": await ask("/users/nobody/calendars"),
    "nobody signed in": await ask("/me/calendars"),
    "the roster": await fleet(mailboxListRoute(["00"]), "mailboxes"),
    "the history": await fleet(historyRoute(["00"]), "history"),
    "a mailbox": await fleet(mailboxRoute, `mailboxes/${mailboxId}`, { id: mailboxId }),
    "a removal": await fleet(mailboxRoute, "mailboxes/gone", { id: "gone" }, "DELETE"),
    "a wrong id": await fleet(mailboxRoute, "mailboxes/a%20b", { id: "a b" }),
    "the description": await fleet(openapiRoute, "openapi.json"),
    "storage that fails": replyOf(await httpHandler(mailboxRoute, failing, nowMs)(request, context)),
    "health, well": replyOf(await healthAnswers(["00"], nowMs)(async () => world.store)),
    "health, ill": replyOf(await healthAnswers(["00"], nowMs)(failing)),
  };
}

test("every answer forbids guessing at its type, says who may keep it, and names no software", async () => {
  for (const [name, { headers }] of Object.entries(await everyAnswer())) {
    expect({ name, sniffing: headers["x-content-type-options"] }).toEqual({ name, sniffing: "nosniff" });
    // Nothing is for shared caches: an answer is for whoever holds the key.
    expect(`${name}: ${headers["cache-control"]}`).toMatch(/: (no-store|private, no-cache)$/);
    expect(Object.keys(headers).filter((header) => /server|powered|version$/i.test(header))).toEqual(
      headers["odata-version"] === undefined ? [] : ["odata-version"],
    );
  }
});

test("no answer says what went wrong in the storage, or where Graph's links lead", async () => {
  const text = JSON.stringify(await everyAnswer());
  expect(text).not.toMatch(/graph\.example|ServerBusy|AccountKey/);
});
