import { describe, expect, test } from "vitest";
import { openapi30, openapiDocument } from "../../shared/http/openapi/description.js";
import type { Notification, Recipient } from "../../shared/push/notification.js";
import { lifecycleRequestOf, requestsOf } from "../../shared/push/requests.js";
import { pushFormats } from "../../shared/sync/subscription.js";
import { origin } from "../worlds/http.js";
import { dayMs } from "../worlds/parts.js";
import { recipient, sender } from "../worlds/subscriber.js";
import { subscriptionRoutes } from "../worlds/subscriptionRoutes.js";
import { schemaValidatorOf, validatorOf } from "./openapiValidator.js";

/** What subscriptions answer, and what their receivers are sent, is what the OpenAPI description says. */

const document = openapiDocument(`${origin}/api`);
const versions = { "3.1": document, "3.0": openapi30(document) } as const;

describe.each(Object.entries(versions))("answers about subscriptions, by OpenAPI %s", (_version, described) => {
  const misfit = validatorOf(described);

  test("fit: those that create, show, renew, reauthorize and end one, and all refusals", async () => {
    const { send, wanted, created, inMs } = await subscriptionRoutes();
    const seen: number[] = [];
    const fits = async (method: string, path: string, body?: unknown) => {
      const { status, body: answered } = await send(method, path, body);
      seen.push(status);
      const told = status === 204 ? undefined : answered;
      expect([method, path, misfit(method, `beta/subscriptions${path}`, status, told)]).toEqual([method, path, []]);
    };
    await fits("POST", "", wanted());
    await fits("POST", "", wanted({ changeType: "moved" }));
    await fits("POST", "", wanted({ resource: "users/3f0c0000-0000-4000-8000-0000000000ff/calendars" }));
    await fits("GET", "");
    const id = await created({ lifecycleNotificationUrl: "https://life.example", latestSupportedTlsVersion: "v1_3" });
    await fits("GET", `/${id}`);
    await fits("PATCH", `/${id}`, { expirationDateTime: inMs(2 * dayMs) });
    await fits("PATCH", `/${id}`, {});
    await fits("POST", `/${id}/reauthorize`);
    await fits("DELETE", `/${id}`);
    for (const [method, path] of [["GET"], ["PATCH"], ["DELETE"], ["POST", "/reauthorize"]] as const) {
      await fits(method, `/${id}${path ?? ""}`, method === "GET" ? undefined : {});
    }
    expect(seen).toEqual([201, 400, 404, 200, 200, 200, 400, 204, 204, 404, 404, 404, 404]);
  });

  test("a created one has its secret in the description, a shown one has none", async () => {
    const { send, wanted } = await subscriptionRoutes();
    const { body } = await send("POST", "", wanted());
    const { "@calendarMirror.signingSecret": secret, ...shown } = body;
    expect(secret).toMatch(/^whsec_/);
    expect(misfit("POST", "beta/subscriptions", 201, shown)).not.toEqual([]);
    expect(misfit("GET", `beta/subscriptions/${body["id"]}`, 200, shown)).toEqual([]);
  });
});

type Received = {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
};
type Callbacks = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Received>>>>>>;

/** What the description says that a receiver is sent by POST, by the property that names its address. */
function described(version: keyof typeof versions, property: string): Received | undefined {
  const paths = versions[version]["paths"] as unknown as Record<string, { post?: { callbacks?: Callbacks } }>;
  const callbacks = Object.values(paths["/beta/subscriptions"]?.post?.callbacks ?? {});
  return callbacks.map((items) => items[`{$request.body#/${property}}`]?.["post"]).find((post) => post !== undefined);
}

describe.each(pushFormats)("what receivers of %s are sent", (format) => {
  const to = (more: Partial<Recipient> = {}) => recipient({ format, ...more });
  const mailboxId = "3f0c0000-0000-4000-8000-0000000000a1";
  const notifications: readonly Notification[] = [
    { id: "1", changeType: "created", subject: { kind: "calendar", mailboxId, calendarId: "AAMk=" }, atMs: 1 },
    { id: "2", changeType: "updated", subject: { kind: "calendars", mailboxId }, atMs: 2 },
    { id: "3", changeType: "deleted", subject: { kind: "user", mailboxId }, atMs: 3 },
  ];
  const lifecycle = (["reauthorizationRequired", "missed"] as const).map((lifecycleEvent) =>
    lifecycleRequestOf(to(), { id: "4", lifecycleEvent, atMs: 4 }, sender),
  );
  const sent = [
    ...[
      ...requestsOf(to(), notifications, sender),
      ...requestsOf(to({ clientState: null }), notifications, sender),
    ].map((request) => ["notificationUrl", request] as const),
    ...lifecycle.map((request) => ["lifecycleNotificationUrl", request] as const),
  ];

  test.each(["3.1", "3.0"] as const)("fits what OpenAPI %s says of the address that it goes to", (version) => {
    const misfit = schemaValidatorOf(versions[version]);
    expect(sent.length).toBeGreaterThan(3);
    for (const [property, request] of sent) {
      const post = described(version, property);
      const schema = post?.requestBody.content[request?.headers["content-type"] ?? ""]?.schema ?? { not: {} };
      expect(misfit(schema, JSON.parse(request?.body ?? "null"))).toEqual([]);
      const named = post?.parameters.filter((each) => each.in === "header").map(({ name }) => name);
      expect(Object.keys(request?.headers ?? {})).toEqual(expect.arrayContaining(named ?? ["none"]));
    }
  });
});
