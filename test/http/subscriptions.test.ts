import { describe, expect, test } from "vitest";
import { allCalendarsRoute, betaRoute, meRoute, subscriptionsRoute, userRoute } from "../../shared/http/beta/beta.js";
import { origin, routesOver } from "../worlds/http.js";
import { mailboxId } from "../worlds/mailbox.js";
import { dayMs } from "../worlds/parts.js";
import { subscriptionRoutes } from "../worlds/subscriptionRoutes.js";
import { subscriptionOf } from "../worlds/subscriptions.js";

const context = `${origin}/api/beta/$metadata#subscriptions`;

describe("a subscription is created as Graph documents it", () => {
  test("and is answered whole, with its signing secret, and without clientState", async () => {
    const { world, send, wanted, asked, logged } = await subscriptionRoutes();
    const { status, headers, body } = await send("POST", "", wanted());
    expect(headers["location"]).toBe(`${origin}/api/beta/subscriptions/${body["id"]}`);
    expect([status, body]).toEqual([
      201,
      {
        "@odata.context": `${context}/$entity`,
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        resource: `users/${mailboxId}/calendars`,
        changeType: "created,updated",
        clientState: null,
        notificationUrl: "https://receiver.example/hook?code=secret-code",
        lifecycleNotificationUrl: null,
        expirationDateTime: new Date(world.clock.ms + dayMs).toISOString(),
        latestSupportedTlsVersion: "v1_2",
        notificationContentType: "application/json",
        ...{ applicationId: null, creatorId: null, includeResourceData: null, notificationQueryOptions: null },
        ...{ encryptionCertificate: null, encryptionCertificateId: null, notificationUrlAppId: null },
        "@calendarMirror.signingSecret": `whsec_${Buffer.alloc(32, 5).toString("base64")}`,
      },
    ]);
    expect(asked).toEqual(["graph https://receiver.example/hook?code=secret-code"]);
    expect(logged.join()).toContain("receiver.example");
    expect(logged.join()).not.toMatch(/secret/);
    const held = await world.store.readSubscription(String(body["id"]));
    expect(held?.subscription).toMatchObject({ mailboxId, clientState: "secret-state", format: "graph" });
  });

  test.each([
    ["users/getAllCalendars", null],
    ["/users/getAllCalendars()", null],
    ["/USERS/GetAllCalendars/", null],
    [`/users/${mailboxId}/calendars`, mailboxId],
    [`users('${mailboxId}')/calendars`, mailboxId],
    [`Users/${mailboxId}/Calendars`, mailboxId],
  ])("resource %s", async (resource, expected) => {
    const { world, send, created } = await subscriptionRoutes();
    const id = await created({ resource });
    expect((await world.store.readSubscription(id))?.subscription.mailboxId).toBe(expected);
    expect((await send("GET", `/${id}`)).body).toMatchObject({ resource });
  });

  test("begins at the ends of the logs: what was before is not told", async () => {
    const { world, created } = await subscriptionRoutes();
    const row = { run: null, log: { number: 7, nudgedNumber: 7 } };
    const stored = await world.store.readShardRow("00");
    await world.store.writeShardRow({ shard: "00", row, etag: stored?.etag ?? null });
    const position = { "00": { number: 7, entries: 0, sent: 0 } };
    for (const resource of ["users/getAllCalendars", `users/${mailboxId}/calendars`]) {
      const id = await created({ resource });
      expect((await world.store.readSubscription(id))?.subscription.position).toEqual(position);
    }
  });

  test("asks both addresses, once each, by the handshake of the format", async () => {
    const { created, asked } = await subscriptionRoutes();
    const life = "https://life.example";
    await created({ lifecycleNotificationUrl: life, notificationContentType: "application/cloudevents+json" });
    await created({ lifecycleNotificationUrl: "https://receiver.example/hook?code=secret-code" });
    expect(asked).toEqual([
      "cloudEvents https://receiver.example/hook?code=secret-code",
      `cloudEvents ${life}`,
      "graph https://receiver.example/hook?code=secret-code",
    ]);
  });

  test("what clients of Graph send beside it, null or annotations, means nothing", async () => {
    const { created } = await subscriptionRoutes();
    await created({
      "@odata.type": "#microsoft.graph.subscription",
      includeResourceData: false,
      encryptionCertificate: null,
      encryptionCertificateId: "", // As Graph shows it.
    });
  });

  test("who asks does not choose what is ours to say: OData has us ignore it", async () => {
    const { world, created } = await subscriptionRoutes();
    const theirs = "3f0c0000-0000-4000-8000-0000000000d9";
    const id = await created({ id: theirs, applicationId: theirs, creatorId: theirs });
    expect(id).not.toBe(theirs);
    expect(await world.store.readSubscription(theirs)).toBeNull();
  });

  test("seven days ahead are taken, also from a clock that is ahead by minutes", async () => {
    const { created, inMs } = await subscriptionRoutes();
    await created({ expirationDateTime: inMs(7 * dayMs + 60_000) });
  });
});

describe("what cannot be created is told in Graph's words", () => {
  test.each<[string, object, string, RegExp]>([
    [
      "no changeType",
      { changeType: undefined },
      "InvalidRequest",
      /^changeType is a required property for subscription creation\.$/,
    ],
    ["no expiration", { expirationDateTime: null }, "InvalidRequest", /^expirationDateTime is a required property/],
    ["no address", { notificationUrl: "" }, "InvalidRequest", /^notificationUrl is a required property/],
    [
      "an unknown change type",
      { changeType: "created,moved" },
      "InvalidRequest",
      /^Invalid 'changeType' attribute: 'moved'\./,
    ],
    ["a time without offset", { expirationDateTime: "2026-10-20T12:00:00" }, "InvalidRequest", /with its offset/],
    ["a time that has been", { expirationDateTime: "2020-10-20T12:00:00Z" }, "InvalidRequest", /in the future/],
    [
      "too long a life",
      { expirationDateTime: "2026-12-20T12:00:00Z" },
      "ExtensionError",
      /^Subscription expiration can only be 10080 minutes in the future\.$/,
    ],
    [
      "another resource",
      { resource: "users/a/messages" },
      "InvalidRequest",
      /^resource must be users\/\{id\}\/calendars/,
    ],
    ["me", { resource: "me/calendars" }, "InvalidRequest", /^resource must be/],
    ["no URL", { notificationUrl: "receiver.example" }, "InvalidRequest", /^notificationUrl must be an https URL/],
    [
      "a file",
      { lifecycleNotificationUrl: "file:///etc/passwd" },
      "InvalidRequest",
      /^lifecycleNotificationUrl must be/,
    ],
    ["a long URL", { notificationUrl: `https://a.example/${"x".repeat(2_048)}` }, "InvalidRequest", /2048 characters/],
    ["a long clientState", { clientState: "x".repeat(256) }, "InvalidRequest", /^clientState must have 255/],
    ["an old TLS", { latestSupportedTlsVersion: "v1_1" }, "InvalidRequest", /v1_2 or v1_3/],
    [
      "another format",
      { notificationContentType: "text/xml" },
      "InvalidRequest",
      /^notificationContentType must be application\/json/,
    ],
    [
      "a misspelt property",
      { clientstate: "x" },
      "InvalidRequest",
      /^Could not process subscription creation payload\. Are all property names spelled and camelCased properly\? "clientstate" is not known/,
    ],
    [
      "resource data",
      { includeResourceData: true },
      "InvalidRequest",
      /^includeResourceData is not supported here: notifications name ids alone/,
    ],
    [
      "encryption",
      { encryptionCertificate: "MII=", encryptionCertificateId: "mine" },
      "InvalidRequest",
      /^encryptionCertificate is not supported here/,
    ],
    [
      "a query",
      { notificationQueryOptions: "$filter=x" },
      "InvalidRequest",
      /^notificationQueryOptions is not supported here: all changes/,
    ],
    [
      "another sign of who sends",
      { notificationUrlAppId: "x" },
      "InvalidRequest",
      /^notificationUrlAppId is not supported here: notifications are signed/,
    ],
    ["a number for text", { clientState: 5 }, "InvalidRequest", /"clientState" must be a string/],
  ])("%s", async (_what, more, code, message) => {
    const { send, wanted, asked } = await subscriptionRoutes();
    const { status, body } = await send("POST", "", wanted(more));
    expect([status, body.error.code]).toEqual([400, code]);
    expect(body.error.message).toMatch(message);
    expect(asked).toEqual([]);
  });

  test.each(["", "[]", "5", "{", "null"])("the body %j", async (text) => {
    const { send } = await subscriptionRoutes();
    const { status, body } = await send("POST", "", text);
    expect([status, body.error.code]).toEqual([400, "InvalidRequest"]);
  });

  test("a mailbox that is not mirrored", async () => {
    const { send, wanted } = await subscriptionRoutes();
    const resource = "users/3f0c0000-0000-4000-8000-0000000000ff/calendars";
    const { status, body } = await send("POST", "", wanted({ resource }));
    expect([status, body.error.code]).toEqual([404, "ResourceNotFound"]);
  });

  test("an address that does not consent: nothing is stored", async () => {
    const why = "Subscription validation request timed out.";
    const base = (await subscriptionRoutes()).world;
    const { ports } = routesOver(base.store, () => base.clock.ms);
    const subscribers = { ...ports.subscribers, consentOf: async () => ({ kind: "withheld", why }) as const };
    const { send, wanted, world } = await subscriptionRoutes({ subscribers });
    const { status, body } = await send("POST", "", wanted());
    expect([status, body.error.code, body.error.message]).toEqual([400, "ValidationError", why]);
    expect(await world.store.readSubscriptions()).toEqual([]);
  });

  test("one more than there may be; those that have expired do not count", async () => {
    const { world, send, wanted } = await subscriptionRoutes();
    const idOf = (index: number) => `3f0c0000-0000-4000-8000-${String(index).padStart(12, "0")}`;
    for (let index = 0; index < 200; index++) {
      const expiresMs = world.clock.ms + dayMs;
      await world.store.writeSubscription(subscriptionOf({ subscriptionId: idOf(index), expiresMs }), null);
    }
    const { status, body } = await send("POST", "", wanted());
    expect([status, body.error.code]).toEqual([403, "Forbidden"]);
    await world.store.deleteSubscription(idOf(7), "*");
    await world.store.writeSubscription(subscriptionOf({ subscriptionId: idOf(7), expiresMs: world.clock.ms }), null);
    expect((await send("POST", "", wanted())).status).toBe(201);
  });
});

describe("a subscription that stands", () => {
  test("is read and listed without secrets", async () => {
    const { send, created } = await subscriptionRoutes();
    const [one, other] = [await created(), await created({ changeType: "deleted" })];
    const { status, body } = await send("GET", `/${one}`);
    expect([status, body]).toMatchObject([200, { "@odata.context": `${context}/$entity`, id: one, clientState: null }]);
    const listed = await send("GET");
    expect(listed.body["@odata.context"]).toBe(context);
    expect(listed.body.value.map((each) => each["id"])).toEqual([one, other]);
    expect(JSON.stringify([body, listed.body])).not.toMatch(/whsec|secret-state|signingSecret|BQUF/);
    expect((await send("GET", `('${one.toUpperCase()}')`)).body).toMatchObject({ id: one });
  });

  test("is renewed by PATCH", async () => {
    const { world, send, created, inMs, asked } = await subscriptionRoutes();
    const id = await created();
    const { status, body } = await send("PATCH", `/${id}`, { expirationDateTime: inMs(6 * dayMs) });
    expect([status, body]).toMatchObject([200, { id, expirationDateTime: inMs(6 * dayMs), clientState: null }]);
    expect((await world.store.readSubscription(id))?.subscription.renewedMs).toBe(world.clock.ms);
    expect(asked).toHaveLength(1);
  });

  test("moves to another address only once that has consented", async () => {
    const { world, send, created, asked } = await subscriptionRoutes();
    const id = await created();
    const notificationUrl = "https://moved.example";
    expect((await send("PATCH", `/${id}`, { notificationUrl })).body).toMatchObject({ notificationUrl });
    expect(asked.at(-1)).toBe(`graph ${notificationUrl}`);
    expect((await world.store.readSubscription(id))?.subscription.notificationUrl).toBe(notificationUrl);
  });

  test("is sent back whole by clients that hold it, with another time", async () => {
    const { world, send, created, inMs, asked } = await subscriptionRoutes();
    const id = await created({ latestSupportedTlsVersion: "v1_3" });
    const { body: shown } = await send("GET", `/${id}`);
    const expirationDateTime = inMs(3 * dayMs);
    const { status, body } = await send("PATCH", `/${id}`, { ...shown, expirationDateTime });
    expect([status, body]).toEqual([200, { ...shown, expirationDateTime }]);
    expect((await world.store.readSubscription(id))?.subscription.clientState).toBe("secret-state");
    expect(asked).toHaveLength(1); // The address has consented, and is the same.
    expect((await send("PATCH", `/${id}`, { ...shown, changeType: "deleted" })).status).toBe(400);
  });

  test.each<[object, RegExp]>([
    [{}, /must be provided with the update/],
    [{ expirationDateTime: "2027-12-20T12:00:00Z" }, /can only be 10080 minutes/],
    [{ resource: "users/getAllCalendars" }, /update payload.*"resource" is not known/],
    [{ notificationUrl: "ftp://a.example" }, /must be an https URL/],
  ])("%j changes nothing", async (body, message) => {
    const { send, created } = await subscriptionRoutes();
    const answer = await send("PATCH", `/${await created()}`, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.message).toMatch(message);
  });

  test("a renewal beside a delivery that writes its position keeps both", async () => {
    const { world, created, inMs, send } = await subscriptionRoutes();
    const id = await created();
    let isFirst = true;
    const store = {
      ...world.store,
      writeSubscription: async (...written: Parameters<typeof world.store.writeSubscription>) => {
        if (isFirst) {
          isFirst = false;
          const held = await world.store.readSubscription(id);
          const position = { "00": { number: 77, entries: 0, sent: 0 } };
          if (held !== null) await world.store.writeSubscription({ ...held.subscription, position }, held.etag);
        }
        return world.store.writeSubscription(...written);
      },
    };
    const routes = routesOver(store, () => world.clock.ms);
    const text = JSON.stringify({ expirationDateTime: inMs(5 * dayMs) });
    const url = `${origin}/api/beta/subscriptions/${id}`;
    expect((await routes.through(subscriptionsRoute, url, { method: "PATCH", text })).status).toBe(200);
    expect((await world.store.readSubscription(id))?.subscription).toMatchObject({
      position: { "00": { number: 77 } },
      expiresMs: world.clock.ms + 5 * dayMs,
    });
    expect((await send("GET", `/${id}`)).status).toBe(200);
  });

  test("is deleted once, and reauthorized for as long as it is there", async () => {
    const { send, created } = await subscriptionRoutes();
    const id = await created();
    expect((await send("POST", `/${id}/reauthorize`)).status).toBe(204);
    expect((await send("POST", `/${id}/microsoft.graph.reauthorize()`)).status).toBe(204);
    expect((await send("DELETE", `/${id}`)).status).toBe(204);
    expect((await send("POST", `/${id}/reauthorize`)).status).toBe(404);
    const { status, body } = await send("DELETE", `/${id}`);
    expect([status, body.error.code, body.error.message]).toEqual([
      404,
      "ResourceNotFound",
      "The object was not found.",
    ]);
  });

  test("has gone when it has expired, before anybody has deleted it", async () => {
    const { world, send, created, inMs } = await subscriptionRoutes();
    const id = await created();
    world.clock.ms += dayMs;
    expect((await send("GET", `/${id}`)).status).toBe(404);
    expect((await send("PATCH", `/${id}`, { expirationDateTime: inMs(dayMs) })).status).toBe(404);
    expect((await send("DELETE", `/${id}`)).status).toBe(404);
    expect((await send("GET")).body.value).toEqual([]);
  });

  test.each(["x", "../brake", "3f0c0000-0000-4000-8000-0000000000d1", "%00"])("%s is nobody's id", async (id) => {
    const { send } = await subscriptionRoutes();
    expect((await send("GET", `/${encodeURIComponent(id)}`)).status).toBe(404);
  });
});

describe("who may", () => {
  test("a function without a key of its own for it makes, shows and ends no subscription", async () => {
    const { world, send, wanted, created } = await subscriptionRoutes();
    const id = await created();
    for (const route of [userRoute, allCalendarsRoute, meRoute]) {
      expect((await send("POST", "", wanted(), route)).status).toBe(405);
      expect((await send("DELETE", `/${id}`, undefined, route)).status).toBe(405);
      expect((await send("GET", `/${id}`, undefined, route)).status).toBe(404);
    }
    expect(await world.store.readSubscriptions()).toHaveLength(1);
    expect((await send("GET", `/${id}`, undefined, betaRoute)).status).toBe(200);
  });

  test.each([
    ["PUT", "", "GET, HEAD, POST"],
    ["DELETE", "", "GET, HEAD, POST"],
    ["POST", "/x", "GET, HEAD, PATCH, DELETE"],
    ["GET", "/x/reauthorize", "POST"],
  ])("%s %s is not allowed, and the answer says what is", async (method, path, allow) => {
    const { send } = await subscriptionRoutes();
    const { status, headers } = await send(method, path);
    expect([status, headers["allow"]]).toEqual([405, allow]);
  });

  test("what nobody has below a subscription leads nowhere", async () => {
    const { send } = await subscriptionRoutes();
    expect((await send("GET", "/x/y")).status).toBe(404);
    expect((await send("GET", "/x/y/z")).status).toBe(404);
  });
});
