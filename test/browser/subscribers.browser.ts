import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { SubscriberView } from "../../shared/views/subscriberSchema.js";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, type Watched } from "./browser.js";

/** Subscribers, as an operator sees and mends them. */

const soon = { timeout: 50_000, interval: 200 };
const told: string[] = [];
const receiver: Server = createServer(async (request, response) => {
  const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
  const body = await text(request);
  if (token === null) told.push(body);
  response.writeHead(200, { "content-type": "text/plain" }).end(token ?? "");
});
let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes: 3, calendars: 3 });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const created = await fetch(`${product.hostUrl()}/api/beta/subscriptions`, {
    method: "POST",
    body: JSON.stringify({
      changeType: "created,updated,deleted",
      notificationUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/secret-path`,
      resource: "users/getAllCalendars",
      expirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  });
  expect(created.status).toBe(201);
  await product.add();
  await product.countedTick();
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(0), soon);
  watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard#/subscribers`);
  page = watched.page;
});
afterAll(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await browser?.close();
  await product?.stop();
});

const card = (state: string) => page.getByRole("article").filter({ hasText: `${state}: 127.0.0.1` });
const dialog = () => page.getByRole("dialog");
const said = (words: string) => page.getByRole("status").getByText(words).waitFor();

test("I15: who is paused is told nothing, then all of it once resumed, and again when replayed", async () => {
  const [mailboxId = ""] = product.graph.mailboxes.ids();
  await card("Active").getByText("Has said yes to all that is logged.").waitFor();
  expect(await page.content()).not.toContain("secret-path");
  await card("Active").getByRole("button", { name: "Pause the subscriber" }).focus();
  await page.keyboard.press("Enter");
  await dialog().getByRole("button", { name: "Pause it" }).click();
  await said("It is paused.");
  await card("Paused").getByText("By hand: nothing is sent until it is resumed.").waitFor();
  expect(await violations(page)).toEqual([]);

  const before = told.length;
  product.graph.createCalendar(mailboxId, { name: "Rehearsals" });
  await product.countedTick();
  await card("Paused").getByText("Behind by 1 row of the logs").waitFor();
  expect(told.length).toBe(before);
  await card("Paused").getByRole("button", { name: "Resume the subscriber" }).click();
  await dialog().getByRole("button", { name: "Resume it" }).click();
  await said("It is resumed.");
  await vi.waitFor(() => expect(told.length).toBe(before + 1), soon);
  await card("Active").getByText("Has said yes to all that is logged.").waitFor();

  await card("Active").getByRole("button", { name: "Replay the subscriber" }).click();
  await dialog().getByRole("button", { name: "Tell it again" }).click();
  await said("It is told once more.");
  await vi.waitFor(() => expect(told.length).toBeGreaterThan(before + 1), soon);
  expect(watched.faults).toEqual([]);
});

test("whatever a subscriber's row holds is shown as text", async () => {
  const hostile = '<img src=x onerror="alert(1)">';
  const one: SubscriberView = {
    ...{ id: hostile, resource: hostile, changeType: hostile, host: hostile, format: "graph", state: "paused" },
    ...{ pausedReason: hostile, pausedSince: null, behind: { since: null, rows: 3 } },
    ...{
      lastAnswer: { at: null, answer: hostile },
      failuresInARow: 1,
      notBefore: null,
      missed: null,
      lastMissed: null,
    },
    ...{ created: new Date().toISOString(), expires: new Date().toISOString() },
  };
  const { page: other, faults } = await openWatched(browser, "about:blank");
  await other.route("**/api/subscribers", (route) => route.fulfill({ json: { value: [one] } }));
  await other.goto(`${product.hostUrl()}/api/dashboard#/subscribers`);
  await other.getByRole("heading", { name: `Paused: ${hostile}` }).waitFor();
  expect(await other.locator("#subscribers img").count()).toBe(0);
  expect(faults.filter((fault) => !fault.startsWith("asked "))).toEqual([]);
});
