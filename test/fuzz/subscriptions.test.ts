import fc from "fast-check";
import { expect, test } from "vitest";
import { isMistake, readCreation, readUpdate, subscriptionLimits } from "../../shared/http/beta/subscriptionRequest.js";
import { startMs } from "../worlds/parts.js";
import { hostileJson, hostileText } from "./hostile.js";
import { fixedDraws, runs } from "./runs.js";

const value = (...ours: readonly unknown[]) =>
  fc.oneof({ arbitrary: fc.constantFrom(...ours), weight: 6 }, hostileText, fc.integer(), fc.constant(null));
const times = [1, 3_600_000, 7 * 86_400_000, 30 * 86_400_000, -1].map((ms) => new Date(startMs + ms).toISOString());
/** Bodies that nearly fit. */
const almost = fc.record(
  {
    changeType: value("created", "updated, deleted", "created,created", "moved"),
    notificationUrl: value("https://a.example/x?y=1", "http://127.0.0.1:1", "javascript:alert(1)"),
    resource: value("users/getAllCalendars", "/users/a/calendars", "users('a@b')/calendars", "users/a/b/calendars"),
    expirationDateTime: value(...times, "2026-10-20T12:00:00.9356913Z"),
    clientState: value("state"),
    lifecycleNotificationUrl: value("https://b.example"),
    notificationContentType: value("application/json", "APPLICATION/cloudevents+json"),
    "@odata.type": value("#microsoft.graph.subscription"),
    __proto__: hostileJson,
  },
  { requiredKeys: ["changeType", "notificationUrl", "resource", "expirationDateTime"] },
);
const bodies = fc.oneof({ arbitrary: almost, weight: 4 }, hostileJson, hostileText);

test("what is asked of subscriptions is taken within its bounds, or refused in one sentence", () => {
  fc.assert(
    fc.property(bodies, (body) => {
      const read = readCreation(body, startMs);
      if (isMistake(read)) {
        expect(read.mistake.length).toBeLessThan(600);
        return;
      }
      expect(read.changeTypes.length).toBeGreaterThan(0);
      expect(read.expiresMs).toBeGreaterThan(startMs);
      expect(read.expiresMs).toBeLessThanOrEqual(
        startMs + subscriptionLimits.lifetimeMsMax + subscriptionLimits.clockMsMax,
      );
      for (const url of [read.notificationUrl, read.lifecycleNotificationUrl ?? "https://none.example"]) {
        expect(new URL(url).protocol).toMatch(/^https?:$/);
        expect(url.length).toBeLessThanOrEqual(subscriptionLimits.urlUnitsMax);
      }
      expect((read.clientState ?? "").length).toBeLessThanOrEqual(subscriptionLimits.clientStateUnitsMax);
      expect(JSON.stringify(read).length).toBeLessThan(10_000);
    }),
    runs(500),
  );
  const taken = fixedDraws(bodies).filter((body) => !isMistake(readCreation(body, startMs)));
  expect(taken.length).toBeGreaterThan(20);
});

test("so is what changes of one", () => {
  const shown = { notificationUrl: "https://held.example", resource: "users/getAllCalendars" };
  const change = fc.record(
    { expirationDateTime: value(...times), notificationUrl: value("https://a.example", shown.notificationUrl) },
    { requiredKeys: [] },
  );
  const drawn = fc.oneof(change, hostileJson, hostileText);
  fc.assert(
    fc.property(drawn, (body) => {
      const read = readUpdate(body, shown, startMs);
      if (isMistake(read)) return;
      const isSame = (body as Record<string, unknown>)["notificationUrl"] === shown.notificationUrl;
      if (!isSame) expect([read.expiresMs, read.notificationUrl]).not.toEqual([null, null]);
    }),
    runs(500),
  );
  expect(fixedDraws(drawn).filter((body) => !isMistake(readUpdate(body, shown, startMs))).length).toBeGreaterThan(20);
});
