import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Product, startProduct } from "../worlds/product.js";

/** More than a host has places at a queue: 16 and 16, by host.json. */
const slowCount = 40;

/** Receivers by path: `/fast` answers at once, all others not before they are let go. */
async function receivers() {
  const open = new Map<string, ServerResponse>();
  const state = { told: [] as string[], openMax: 0, isHeld: true, origin: "" };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://localhost");
    const token = url.searchParams.get("validationToken");
    const body = await text(request).catch(() => null); // The host was killed.
    if (token !== null) return response.writeHead(200, { "content-type": "text/plain" }).end(token);
    if (url.pathname !== "/fast" && state.isHeld) {
      open.set(url.pathname, response);
      response.on("close", () => open.delete(url.pathname));
      state.openMax = Math.max(state.openMax, open.size);
      return response;
    }
    const { value } = JSON.parse(body ?? '{"value":[]}') as { value: readonly { readonly resource: string }[] };
    state.told.push(...value.map(({ resource }) => `${url.pathname} ${resource}`));
    return response.writeHead(202).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  state.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return Object.assign(state, { close, openNow: () => open.size });
}

let product: Product;
let world: Awaited<ReturnType<typeof receivers>>;
beforeAll(async () => {
  [product, world] = await Promise.all([startProduct({ mailboxes: 1, calendars: 2 }), receivers()]);
  await product.add();
  await product.countedTick();
});
afterAll(async () => {
  world?.close();
  await product?.stop();
});

async function subscribe(path: string): Promise<void> {
  const answer = await fetch(`${product.hostUrl()}/api/beta/subscriptions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      changeType: "created,updated,deleted",
      notificationUrl: `${world.origin}${path}`,
      resource: "users/getAllCalendars",
      expirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  });
  expect(answer.status).toBe(201);
}

/** Makes a calendar, and ticks. @returns What is told of it. */
async function edit(): Promise<string> {
  const [mailboxId = ""] = product.graph.mailboxes.ids();
  const { id } = product.graph.createCalendar(mailboxId, { name: "New" });
  await product.tick();
  return `users/${mailboxId}/calendars/${id}`;
}

test("I15: more slow subscribers than the queue has places are waited for at once, and one that is well is told beside them", async () => {
  for (let number = 0; number < slowCount; number++) await subscribe(`/slow${number}`);
  await subscribe("/fast");
  const told = await edit();
  await vi.waitFor(() => expect(world.openMax).toBe(slowCount), { timeout: 60_000, interval: 50 });
  await vi.waitFor(() => expect(world.told).toContain(`/fast ${told}`), { timeout: 60_000, interval: 50 });
}, 150_000);

test("I15: deliveries of a host that is killed are gone on with by the next one", async () => {
  await vi.waitFor(() => expect(world.openNow()).toBeGreaterThan(0), { timeout: 60_000, interval: 50 });
  await product.killHost();
  world.isHeld = false;
  const [mailboxId = ""] = product.graph.mailboxes.ids();
  await product.restartHost();
  const isTold = (number: number) => world.told.some((one) => one.startsWith(`/slow${number} users/${mailboxId}/`));
  const all = Array.from({ length: slowCount }, (_, number) => number);
  await vi.waitFor(() => expect(all.filter((one) => !isTold(one))).toEqual([]), { timeout: 120_000, interval: 200 });
}, 240_000);
