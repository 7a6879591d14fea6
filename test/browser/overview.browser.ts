import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, phone, type Watched } from "./browser.js";
import { reasonsOf, withStatus } from "./status.js";

/** The overview: who needs attention and what helps, how it went over time, and what an operator does most, in few clicks. */

const mailboxes = 30;
let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: readonly string[];

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes, calendars: 2 });
  ids = product.graph.mailboxes.ids();
  await product.add();
  await product.countedTick();
  await product.countedTick();
});
afterAll(async () => {
  await page?.unrouteAll({ behavior: "ignoreErrors" });
  await browser?.close();
  await product?.stop();
});

async function open(options: Parameters<typeof openWatched>[2] = {}, hash = ""): Promise<void> {
  await page?.unrouteAll({ behavior: "ignoreErrors" });
  await watched?.page.context().close();
  watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard${hash}`, options);
  page = watched.page;
}

const verdictSays = (text: string | RegExp) => page.locator("#verdict", { hasText: text }).waitFor();
const card = (text: string) => page.getByRole("article").filter({ hasText: text });

describe("release all denied", () => {
  const denied = () => card("denied:ErrorAccessDenied");

  test("takes two clicks from the first page, and what was asked for shows at once, in place of the button", async () => {
    for (const id of ids.slice(0, 9)) product.graph.mailboxes.setState(id, { kind: "denied" });
    await product.countedTick();
    await open();
    await verdictSays("9 mailboxes need attention");
    await denied().getByText("Microsoft Graph refuses the app access").waitFor();
    for (const id of ids.slice(0, 9)) product.graph.mailboxes.setState(id, { kind: "normal" });
    await denied().getByRole("button", { name: "Retry all 9 now …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry them" }).click();
    await denied()
      .getByText(/^Retrying (at|with)/)
      .first()
      .waitFor();
    expect(
      await denied()
        .getByRole("button", { name: /^Retry/ })
        .count(),
    ).toBe(0); // Nobody releases thrice.
    await product.countedTick();
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
    expect(watched.faults).toEqual([]);
  });

  test("shows the button again where the cause is still there, and the focus stays in its place", async () => {
    for (const id of ids.slice(0, 2)) product.graph.mailboxes.setState(id, { kind: "denied" });
    await product.countedTick();
    await denied().getByRole("button", { name: "Retry all 2 now …" }).press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Retry them" }).press("Enter");
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    await expect.poll(focused).toMatch(/^Retrying/);
    await product.countedTick();
    await denied().getByRole("button", { name: "Retry all 2 now …" }).waitFor();
    expect(await focused()).toBe("Retry all 2 now …");
  });
});

test("each mailbox in need is told by kind, since when, what Graph said in which answer and when it is tried again, and leads on", async () => {
  const denied = card("denied:ErrorAccessDenied");
  const row = denied.getByRole("row").nth(1);
  await row.getByText("ErrorAccessDenied").waitFor();
  await expect.poll(() => row.locator("time").count()).toBe(3); // Since, last success, tried again.
  const requestId = row.getByText("Request id for Microsoft’s support: ").locator("code");
  const said = await requestId.textContent();
  expect(said).toMatch(/^[\da-f-]{36}$/);
  await requestId.click(); // Marks all of it, to be copied.
  expect(await page.evaluate(() => getSelection()?.toString())).toBe(said);
  expect(await denied.getByRole("columnheader").allTextContents()).toEqual([
    "Mailbox",
    "Kind",
    "Since",
    "Last success",
    "Graph said",
    "Tried again",
  ]);
  expect(await denied.getByRole("link", { name: "List all 2" }).getAttribute("href")).toBe(
    "#/mailboxes?state=parked&reason=denied%3AErrorAccessDenied",
  );
});

test("a reason leads to its line of the guide, and back", async () => {
  await card("denied:ErrorAccessDenied").getByRole("link", { name: "What to do" }).click();
  await page.getByRole("heading", { level: 1, name: "Guide" }).waitFor();
  await page.locator("#view .card").getByText("Graph refuses this mailbox.").waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("title");
  expect(await violations(page)).toEqual([]);
  await page.goBack();
  await card("denied:ErrorAccessDenied").waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("What to do");
});

test("send a colleague this view: the address alone shows the same, in another browser, and holds no key", async () => {
  await open({}, "?code=s3cret");
  await verdictSays(/./);
  await page.getByRole("button", { name: "Hour" }).click();
  const address = page.url();
  expect(address).toBe(`${product.hostUrl()}/api/dashboard#/?range=hour`);
  const other = await openWatched(browser, address);
  await other.page.locator("#range-hour[aria-pressed=true]").waitFor();
  await other.page.context().close();
});

describe("honest states", () => {
  test("offline is never green", async () => {
    for (const id of ids) product.graph.mailboxes.setState(id, { kind: "normal" });
    await fetch(`${product.hostUrl()}/api/mailboxes/release?reason=denied`, { method: "POST" });
    await product.countedTick();
    await open();
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
    await page.context().setOffline(true);
    await page.locator("#verdict.bad").waitFor();
    await page.getByRole("alert").getByText("offline").waitFor();
    const colour = await page.locator(".bar .state-fresh").evaluate((bar) => getComputedStyle(bar).backgroundColor);
    expect(colour).toBe("rgb(160, 167, 178)"); // Nor is the bar.
    await page.context().setOffline(false);
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
  });

  test("a mass suspension is the first thing to be seen", async () => {
    await withStatus(page, ({ mailboxes: now }) => ({
      mailboxes: { ...now, byState: { ...now.byState, fresh: mailboxes - 20, suspended: 20 } },
    }));
    await verdictSays(`20 of ${mailboxes} mailboxes are suspended`);
    expect(await page.locator("#verdict").getAttribute("class")).toBe("verdict bad");
  });

  test("ages are by the mirror's clock, however wrong this device's is", async () => {
    await open();
    await page.addInitScript(() => {
      const real = Date.now.bind(Date);
      Date.now = () => real() + 7_200_000;
    });
    await page.reload();
    const lastTick = page.locator(".tile", { hasText: "Last tick" }).locator("time");
    await lastTick.waitFor();
    expect(await lastTick.textContent()).toMatch(/^(just now|\d+ (s|min) ago)$/);
  });

  test("who is read by list is counted, and the foot says which release, app and tenant", async () => {
    await withStatus(page, ({ mailboxes: now }) => ({
      mailboxes: { ...now, byStrategy: { delta: mailboxes - 4, list: 4 } },
      about: { version: "9.8.7", app: "contoso-mirror", tenantId: "1f0e9a52-1111-4222-8333-444455556666" },
    }));
    await page.locator(".tile", { hasText: "Sync mode: list" }).getByText("4", { exact: true }).waitFor();
    await page
      .getByRole("contentinfo")
      .getByText("calendar-mirror 9.8.7 · app contoso-mirror · tenant 1f0e9a52-1111-4222-8333-444455556666")
      .waitFor();
  });
});

test("all numbers are as the reader writes them, those in the mirror's own sentences too", async () => {
  await open({ locale: "de-DE" });
  await withStatus(page, ({ mailboxes: now, troubles }) => ({
    mailboxes: { ...now, strategyNote: "Delta is refused for some mailboxes: the whole list is read for 3 of 1810." },
    troubles: { ...troubles, parked: [{ reason: "denied:X", count: 1_810, examples: [ids[0] ?? ""] }] },
  }));
  await page.locator("#freshness").getByText("for 3 of 1.810.").waitFor();
  await card("denied:X").getByText("1.810 mailboxes").waitFor();
  expect(await page.locator("main").textContent()).not.toContain("1810");
});

describe("with 27 reasons on a phone", () => {
  test("cards fold, charts begin on the first screen, and all reasons are one tap away", async () => {
    await open(phone);
    await withStatus(page, ({ troubles }) => ({ troubles: { ...troubles, parked: reasonsOf(ids, 27) } }));
    await page.getByRole("heading", { name: "Needs attention (2,349)" }).waitFor();
    expect(await page.getByRole("article").count()).toBe(5);
    const top = await page.locator("#charts").evaluate((element) => element.getBoundingClientRect().top + scrollY);
    expect(top).toBeLessThan(844);
    expect(await page.locator("article details[open]").count()).toBe(0);
    await page.getByRole("button", { name: "Show all 27 reasons" }).click();
    await expect.poll(() => page.getByRole("article").count()).toBe(27);
    expect(await violations(page)).toEqual([]);
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
    expect(watched.faults).toEqual([]);
  });
});

test("where the system's colours replace ours, states still have their dots, and nothing moves for who wants that", async () => {
  await open({ forcedColors: "active", reducedMotion: "reduce" });
  await page.locator(".dot.state-fresh").waitFor();
  const dot = await page.locator(".dot.state-fresh").evaluate((element) => {
    const { backgroundColor, borderTopWidth } = getComputedStyle(element);
    return { backgroundColor, borderTopWidth };
  });
  expect(dot).toEqual({ backgroundColor: "rgb(47, 158, 99)", borderTopWidth: "1px" });
});

test("the history is read once, and then what is new", async () => {
  await open();
  await verdictSays(/fresh/);
  const [request] = await Promise.all([page.waitForRequest(/\/api\/status\?.*since=/), product.countedTick()]);
  const response = await request.response();
  expect(response?.status()).toBeLessThan(400);
  const asked = watched.asked.filter((url) => url.includes("/api/status?") && !url.includes("since="));
  expect(asked.length).toBe(1);
});
