import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Client } from "@microsoft/microsoft-graph-client";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { pushPartition, subscriptionKey } from "../../shared/store/keys.js";
import { type Product, startProduct } from "../worlds/product.js";

const soon = { timeout: 50_000, interval: 200 };

type Notification = { readonly changeType?: string; readonly resource: string; readonly clientState: string };

/** A receiver as anybody writes it: it answers the handshake, verifies, and keeps. While `isAway` it answers 503. */
async function receiver() {
  const kept: Notification[] = [];
  const state = { isAway: false, secret: "", refused: 0, url: "", kept };
  const server: Server = createServer(async (request, response) => {
    const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
    const body = await text(request);
    if (token !== null) return response.writeHead(200, { "content-type": "text/plain" }).end(token);
    if (state.isAway) {
      state.refused += 1;
      return response.writeHead(503).end();
    }
    const sent = new Webhook(state.secret).verify(body, request.headers as Record<string, string>);
    kept.push(...(sent as { value: readonly Notification[] }).value);
    return response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return Object.assign(state, { close });
}

let product: Product;
let subscriber: Awaited<ReturnType<typeof receiver>>;
beforeAll(async () => {
  [product, subscriber] = await Promise.all([startProduct({ mailboxes: 3, calendars: 3 }), receiver()]);
  await product.add();
  await product.countedTick();
});
afterAll(async () => {
  subscriber?.close();
  await product?.stop();
});

const beta = (path: string, method = "GET", body?: object) =>
  fetch(`${product.hostUrl()}/api/beta/${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
const told = () => subscriber.kept.map(({ changeType, resource }) => `${changeType} ${resource}`);
const expirationDateTime = () => new Date(Date.now() + 86_400_000).toISOString();

test("I15: a program subscribes, is told of an edit after the next tick, also after it was away, and unsubscribes", async () => {
  const [mailboxId = "", other = ""] = product.graph.mailboxes.ids();
  const created = await beta("subscriptions", "POST", {
    changeType: "created,updated,deleted",
    notificationUrl: subscriber.url,
    resource: "/users/getAllCalendars",
    expirationDateTime: expirationDateTime(),
    clientState: "state",
  });
  const subscription = (await created.json()) as Record<string, string>;
  expect([created.status, subscription]).toMatchObject([201, { resource: "/users/getAllCalendars" }]);
  subscriber.secret = subscription["@calendarMirror.signingSecret"] ?? "";

  const calendar = product.graph.createCalendar(mailboxId, { name: "New" });
  await product.tick();
  const path = (id: string, calendarId: string) => `users/${id}/calendars/${calendarId}`;
  await vi.waitFor(() => expect(told()).toContain(`created ${path(mailboxId, calendar.id)}`), soon);
  expect(subscriber.kept.every(({ clientState }) => clientState === "state")).toBe(true);

  subscriber.isAway = true;
  product.graph.deleteCalendar(mailboxId, calendar.id);
  await product.tick();
  await vi.waitFor(() => expect(subscriber.refused).toBeGreaterThan(0), soon);
  subscriber.isAway = false;
  await vi.waitFor(() => expect(told()).toContain(`deleted ${path(mailboxId, calendar.id)}`), soon);

  await product.write(pushPartition, subscriptionKey(subscription["id"] ?? ""), { pausedReason: "gone" });
  const meanwhile = product.graph.createCalendar(mailboxId, { name: "While it was taken for gone" });
  await product.countedTick();
  expect(told()).not.toContain(`created ${path(mailboxId, meanwhile.id)}`);
  const renewed = await beta(`subscriptions/${subscription["id"]}`, "PATCH", {
    expirationDateTime: expirationDateTime(),
  });
  expect(renewed.status).toBe(200);
  await vi.waitFor(() => expect(told()).toContain(`created ${path(mailboxId, meanwhile.id)}`), soon);
  expect((await beta(`subscriptions/${subscription["id"]}`, "DELETE")).status).toBe(204);
  const listed = (await (await beta("subscriptions")).json()) as { value: readonly unknown[] };
  expect(listed.value).toEqual([]);
  const before = subscriber.kept.length;
  product.graph.createCalendar(other, { name: "Untold" });
  await product.countedTick();
  await vi.waitFor(async () => expect(await product.different()).toEqual([]), soon);
  expect(subscriber.kept).toHaveLength(before);
}, 150_000);

test("an address that is nobody's is refused in Graph's words, and nothing is stored", async () => {
  const answer = await beta("subscriptions", "POST", {
    changeType: "updated",
    notificationUrl: "http://127.0.0.1:9/nobody",
    resource: "users/getAllCalendars",
    expirationDateTime: expirationDateTime(),
  });
  expect(answer.status).toBe(400);
  const { error } = (await answer.json()) as { error: { code: string; message: string } };
  expect(error).toMatchObject({
    code: "ValidationError",
    message: expect.stringMatching(/^Subscription validation request failed\./),
  });
});

test("Microsoft's client for JavaScript creates, reads, renews and deletes a subscription; only its base URL is another", async () => {
  const client = Client.initWithMiddleware({
    baseUrl: `${product.hostUrl()}/api/`,
    defaultVersion: "beta",
    authProvider: { getAccessToken: async () => "" },
  });
  const created = await client.api("/subscriptions").post({
    changeType: "updated",
    notificationUrl: subscriber.url,
    resource: "users/getAllCalendars",
    expirationDateTime: expirationDateTime(),
    clientState: "state",
  });
  expect(created).toMatchObject({ changeType: "updated", notificationUrl: subscriber.url });
  const path = `/subscriptions/${created.id}`;
  const later = expirationDateTime();
  expect(await client.api(path).patch({ expirationDateTime: later })).toMatchObject({ expirationDateTime: later });
  expect(await client.api(path).get()).toMatchObject({ id: created.id, expirationDateTime: later });
  expect((await client.api("/subscriptions").get()).value).toHaveLength(1);
  await client.api(`${path}/reauthorize`).post(null);
  await client.api(path).delete();
  await expect(client.api(path).get()).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
});
