import { createHash } from "node:crypto";
import { CloudEvent, HTTP } from "cloudevents";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Notification, Recipient } from "../../shared/push/notification.js";
import { lifecycleRequestOf, type PushRequest, requestLimits, requestsOf } from "../../shared/push/requests.js";
import { shownSecret, webhookId } from "../../shared/push/signature.js";
import { mailboxId, nowMs, recipient, sender, tenantId } from "../worlds/subscriber.js";

/** What goes over the wire: bodies, signatures, and how notifications are shared out among requests. */

const calendarId = "AAMkAGI2TG93AAA=";
const iso = new Date(nowMs).toISOString();
const expires = new Date(nowMs + 86_400_000).toISOString();

function notification(index: number, other: Partial<Notification> = {}): Notification {
  const subject = { kind: "calendar", mailboxId, calendarId } as const;
  return { id: `0-${index}`, changeType: "updated", subject, atMs: nowMs, ...other };
}

const bodies = (requests: Iterable<PushRequest>) => [...requests].map(({ body }) => JSON.parse(body) as unknown);

describe("Graph's format", () => {
  test("a changed calendar is told as Graph tells of an event", () => {
    const [request] = requestsOf(recipient(), [notification(1)], sender);
    expect(request).toMatchObject({
      url: "https://hooks.contoso.com/calendars",
      headers: { "content-type": "application/json" },
      count: 1,
    });
    expect(JSON.parse(request?.body ?? "")).toEqual({
      value: [
        {
          id: "0-1",
          subscriptionId: "5b5b0000-0000-4000-8000-0000000000c1",
          subscriptionExpirationDateTime: expires,
          clientState: "a secret of the subscriber",
          changeType: "updated",
          resource: `users/${mailboxId}/calendars/${calendarId}`,
          resourceData: {
            "@odata.type": "#Microsoft.Graph.Calendar",
            "@odata.id": `users/${mailboxId}/calendars/${calendarId}`,
            id: calendarId,
          },
          tenantId,
        },
      ],
    });
  });

  test("of a mailbox, and of its calendars as a whole, the user is told", () => {
    const user = { "@odata.type": "#Microsoft.Graph.User", "@odata.id": `users/${mailboxId}`, id: mailboxId };
    const told = bodies(
      requestsOf(
        recipient(),
        [
          notification(1, { changeType: "deleted", subject: { kind: "user", mailboxId } }),
          notification(2, { subject: { kind: "calendars", mailboxId } }),
        ],
        sender,
      ),
    );
    expect(told).toMatchObject([
      {
        value: [
          { changeType: "deleted", resource: `users/${mailboxId}`, resourceData: user },
          { changeType: "updated", resource: `users/${mailboxId}/calendars`, resourceData: user },
        ],
      },
    ]);
  });

  test("without a clientState there is none", () => {
    const [request] = requestsOf(recipient({ clientState: null }), [notification(1)], sender);
    expect(request?.body).not.toContain("clientState");
  });

  test("a tenant that is not known is the empty GUID", () => {
    const [body] = bodies(requestsOf(recipient(), [notification(1)], { ...sender, tenantId: null }));
    expect(body).toMatchObject({ value: [{ tenantId: "00000000-0000-0000-0000-000000000000" }] });
  });

  test("an id never becomes a part of the path's syntax, and stays as it is where it is an id", () => {
    const odd = "a/../b?c#d%2F é\ud800";
    const [body] = bodies(
      requestsOf(recipient(), [notification(1, { subject: { kind: "calendar", mailboxId, calendarId: odd } })], sender),
    );
    const resource = `users/${mailboxId}/calendars/a%2F..%2Fb%3Fc%23d%252F%20%C3%A9%EF%BF%BD`;
    expect(body).toMatchObject({ value: [{ resource, resourceData: { id: odd } }] });
  });

  test.each(["reauthorizationRequired", "missed"] as const)(
    "a lifecycle notification %s tells of no resource",
    (event) => {
      const request = lifecycleRequestOf(recipient(), { id: "missed-1", lifecycleEvent: event, atMs: nowMs }, sender);
      expect(request?.url).toBe("https://hooks.contoso.com/lifecycle");
      expect(JSON.parse(request?.body ?? "")).toEqual({
        value: [
          {
            subscriptionId: "5b5b0000-0000-4000-8000-0000000000c1",
            subscriptionExpirationDateTime: expires,
            tenantId,
            clientState: "a secret of the subscriber",
            lifecycleEvent: event,
          },
        ],
      });
    },
  );

  test("whoever gave no address for them gets no lifecycle notifications", () => {
    const silent = recipient({ lifecycleNotificationUrl: null });
    expect(lifecycleRequestOf(silent, { id: "1", lifecycleEvent: "missed", atMs: nowMs }, sender)).toBeNull();
  });
});

describe("shared out among requests", () => {
  const many = Array.from({ length: 250 }, (_, index) => notification(index));
  const idsOf = (request: PushRequest, format: Recipient["format"]): string[] => {
    const body = JSON.parse(request.body);
    const items = format === "graph" ? body.value : format === "cloudEvents" ? [body] : body;
    return items.map(({ id }: { id: string }) => id);
  };

  test.each([
    ["graph", [100, 100, 50]],
    ["cloudEventsBatch", [100, 100, 50]],
    ["cloudEvents", many.map(() => 1)],
  ] as const)("%s: at most a hundred, one where one is a request", (format, counts) => {
    expect([...requestsOf(recipient({ format }), many, sender)].map(({ count }) => count)).toEqual(counts);
  });

  test("none are no request", () => {
    expect([...requestsOf(recipient(), [], sender)]).toEqual([]);
  });

  test("each goes once, in its order, in bodies within the bounds; one that is too large by itself goes alone", () => {
    const formats = fc.constantFrom<Recipient["format"]>("graph", "cloudEvents", "cloudEventsBatch");
    const lengths = fc.array(fc.integer({ min: 1, max: 1_200 }), { maxLength: 60 });
    const bounds = fc.record({
      notificationsMax: fc.integer({ min: 1, max: 12 }),
      bodyBytesMax: fc.integer({ min: 2, max: 6_000 }),
    });
    fc.assert(
      fc.property(formats, lengths, bounds, (format, given, limits) => {
        const all = given.map((length, index) =>
          notification(index, { subject: { kind: "calendar", mailboxId, calendarId: "é".repeat(length) } }),
        );
        const requests = [...requestsOf(recipient({ format }), all, sender, limits)];
        expect(requests.flatMap((request) => idsOf(request, format))).toEqual(all.map(({ id }) => id));
        for (const request of requests) {
          expect(request.count).toBe(idsOf(request, format).length);
          expect(request.count).toBeLessThanOrEqual(limits.notificationsMax);
          expect(request.count === 1 || Buffer.byteLength(request.body) <= limits.bodyBytesMax).toBe(true);
        }
      }),
    );
  });

  test.each(["graph", "cloudEventsBatch"] as const)("%s: the bound is of bytes, not of characters", (format) => {
    const two = [1, 2].map((index) =>
      notification(index, { subject: { kind: "calendar", mailboxId, calendarId: "é".repeat(300) } }),
    );
    const [both] = requestsOf(recipient({ format }), two, sender);
    const bytes = Buffer.byteLength(both?.body ?? "");
    const counts = (bodyBytesMax: number) =>
      [...requestsOf(recipient({ format }), two, sender, { notificationsMax: 100, bodyBytesMax })].map(
        ({ count }) => count,
      );
    expect([both?.count, counts(bytes + 1), counts(bytes - 1)]).toEqual([2, [2], [1, 1]]);
  });

  test("a hundred with Graph's usual ids are within the bound of bytes", () => {
    const usual = many
      .slice(0, 100)
      .map((each) => ({ ...each, subject: { kind: "calendar", mailboxId, calendarId: "A".repeat(152) } as const }));
    for (const format of ["graph", "cloudEventsBatch"] as const) {
      const requests = [...requestsOf(recipient({ format, clientState: "c".repeat(128) }), usual, sender)];
      expect(requests).toHaveLength(1);
      expect(Buffer.byteLength(requests[0]?.body ?? "")).toBeLessThan(requestLimits.bodyBytesMax);
    }
  });
});

describe("signatures after Standard Webhooks, as its own library reads them", () => {
  const webhook = new Webhook(shownSecret(recipient().secret));

  function at(ms: number) {
    vi.useFakeTimers({ toFake: ["Date"], now: ms });
    onTestFinished(() => void vi.useRealTimers());
  }

  test.each(["graph", "cloudEvents", "cloudEventsBatch"] as const)("a request in the format %s is ours", (format) => {
    at(nowMs);
    const requests = [...requestsOf(recipient({ format }), [notification(1), notification(2)], sender)];
    for (const { headers, body } of requests) expect(webhook.verify(body, { ...headers })).toEqual(JSON.parse(body));
    expect(requests.length).toBeGreaterThan(0);
  });

  test("a lifecycle notification is ours", () => {
    at(nowMs);
    const request = lifecycleRequestOf(recipient(), { id: "1", lifecycleEvent: "missed", atMs: nowMs }, sender);
    expect(() => webhook.verify(request?.body ?? "", { ...request?.headers })).not.toThrow();
  });

  test("with another body, id, time or secret it is not", () => {
    at(nowMs);
    const [{ headers, body } = { headers: {}, body: "" }] = requestsOf(recipient(), [notification(1)], sender);
    const later = { ...headers, "webhook-timestamp": String(nowMs / 1000 + 1) };
    expect(() => webhook.verify(`${body} `, { ...headers })).toThrow("No matching signature");
    expect(() => webhook.verify(body, { ...headers, "webhook-id": "msg_another" })).toThrow("No matching signature");
    expect(() => webhook.verify(body, later)).toThrow("No matching signature");
    const other = new Webhook(shownSecret(createHash("sha256").update("other").digest("base64")));
    expect(() => other.verify(body, { ...headers })).toThrow("No matching signature");
  });

  test("a request is signed with the time at which it is asked for, so that the last of many is no older than the first", () => {
    let ms = nowMs;
    const times: (string | undefined)[] = [];
    const many = Array.from({ length: 3 }, (_, index) => notification(index));
    for (const { headers, body } of requestsOf(recipient({ format: "cloudEvents" }), many, {
      ...sender,
      nowMs: () => ms,
    })) {
      at(ms);
      expect(() => webhook.verify(body, { ...headers })).not.toThrow();
      times.push(headers["webhook-timestamp"]);
      ms += 240_000;
    }
    expect(times).toEqual([0, 240, 480].map((seconds) => String(nowMs / 1000 + seconds)));
  });

  test("the id of a request is the same when it is repeated, also after a renewal, and no other request's", () => {
    const idOf = (made: Iterable<PushRequest>) => [...made].map(({ headers }) => headers["webhook-id"]);
    const first = idOf(requestsOf(recipient(), [notification(1), notification(2)], sender));
    const renewed = recipient({ expiresMs: nowMs + 999_000_000 });
    const later = { ...sender, nowMs: () => nowMs + 60_000 };
    expect(idOf(requestsOf(renewed, [notification(1), notification(2)], later))).toEqual(first);
    expect(idOf(requestsOf(recipient(), [notification(1)], sender))).not.toEqual(first);
    expect(
      idOf(requestsOf(recipient({ subscriptionId: "another" }), [notification(1), notification(2)], sender)),
    ).not.toEqual(first);
    expect(webhookId("a", ["b", "c"])).not.toBe(webhookId("a", ["b,c"]));
    expect(first[0]).toMatch(/^msg_[\w-]{32}$/);
  });

  test("neither secret stands in a header, and the signing secret nowhere", () => {
    const secret = recipient().secret;
    for (const { headers, body } of requestsOf(recipient(), [notification(1)], sender)) {
      expect(JSON.stringify(headers)).not.toContain(secret);
      expect(JSON.stringify(headers)).not.toContain("a secret of the subscriber");
      expect(body).not.toContain(secret);
    }
  });
});

describe("CloudEvents 1.0, as their own library reads them", () => {
  const eventOf = (request: PushRequest | undefined) =>
    HTTP.toEvent({ headers: { ...request?.headers }, body: request?.body });

  test("single: application/cloudevents+json, with Graph's notification as its data", () => {
    const [request] = requestsOf(
      recipient({ format: "cloudEvents" }),
      [notification(1, { changeType: "created" })],
      sender,
    );
    expect(request?.headers["content-type"]).toBe("application/cloudevents+json");
    const event = eventOf(request) as CloudEvent<unknown>;
    expect(event.validate()).toBe(true);
    expect(event.toJSON()).toEqual({
      specversion: "1.0",
      id: "0-1",
      type: "Microsoft.Graph.CalendarCreated",
      source: `/tenants/${tenantId}/subscriptions/5b5b0000-0000-4000-8000-0000000000c1`,
      subject: `users/${mailboxId}/calendars/${calendarId}`,
      time: iso,
      datacontenttype: "application/json",
      data: (
        bodies(requestsOf(recipient(), [notification(1, { changeType: "created" })], sender))[0] as { value: unknown[] }
      ).value[0],
    });
  });

  test("batch: application/cloudevents-batch+json, a hundred in one", () => {
    const given = Array.from({ length: 100 }, (_, index) =>
      notification(index, index % 2 === 0 ? {} : { changeType: "deleted", subject: { kind: "user", mailboxId } }),
    );
    const [request] = requestsOf(recipient({ format: "cloudEventsBatch" }), given, sender);
    expect(request?.headers["content-type"]).toBe("application/cloudevents-batch+json");
    const events = eventOf(request) as CloudEvent<unknown>[];
    expect(events.every((event) => event instanceof CloudEvent && event.validate())).toBe(true);
    expect(events.map(({ id }) => id)).toEqual(given.map(({ id }) => id));
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set(["Microsoft.Graph.CalendarUpdated", "Microsoft.Graph.UserDeleted"]),
    );
  });

  test.each(["cloudEvents", "cloudEventsBatch"] as const)(
    "%s: a lifecycle notification is an event of the subscription",
    (format) => {
      const owed = { id: "missed-1", lifecycleEvent: "missed", atMs: nowMs } as const;
      const [event] = [eventOf(lifecycleRequestOf(recipient({ format }), owed, sender) ?? undefined)].flat();
      expect(event).toMatchObject({
        id: "missed-1",
        type: "Microsoft.Graph.SubscriptionMissed",
        data: { lifecycleEvent: "missed" },
      });
    },
  );

  test("each request names who has asked for permission; those in Graph's format name nobody", () => {
    const origins = (["graph", "cloudEvents", "cloudEventsBatch"] as const).map((format) => {
      const [request] = requestsOf(recipient({ format }), [notification(1)], sender);
      return request?.headers["webhook-request-origin"];
    });
    expect(origins).toEqual([undefined, "mirror.contoso.com", "mirror.contoso.com"]);
  });
});
