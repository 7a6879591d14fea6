import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HistoryItem, HistoryPage } from "../../shared/views/historySchema.js";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, type Watched } from "./browser.js";

/** What changed lately, as people see it: of all mailboxes, and in each one's panel. */

let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: readonly string[];

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes: 3, calendars: 3 });
  ids = product.graph.mailboxes.ids();
  await product.add();
  await product.countedTick();
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

async function open(options: Parameters<typeof openWatched>[2] = {}): Promise<void> {
  await watched?.page.context().close();
  watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard#/changes`, options);
  page = watched.page;
}

const lines = () => page.locator("#history .history > li");
const panelLines = () => page.locator("#panel-history .history > li");
const asked = () => watched.asked.filter((url) => /\/api\/history\b/.test(url)).length;
const statusesAsked = () => watched.asked.filter((url) => url.includes("/api/status?")).length;

test("a renamed calendar is shown without a reload: whose, which, from what to what, and when", async () => {
  const [id = ""] = ids;
  await open();
  await lines().filter({ hasText: "Joined" }).first().waitFor();
  expect(await lines().count()).toBe(ids.length);
  const [calendar] = product.graph.truth(id);
  product.graph.renameCalendar(id, calendar?.id ?? "", "Ops rota");
  await product.countedTick();
  const line = lines().filter({ hasText: "Updated" });
  await line.waitFor();
  expect(await line.locator(".calendar").textContent()).toBe("Ops rota");
  expect(await line.locator(".differences").textContent()).toBe(`Name: ${calendar?.name} → Ops rota`);
  expect(await line.locator("time").getAttribute("title")).toMatch(/\d/);
  expect(await line.getByRole("link").textContent()).toBe(id);
  expect(watched.faults).toEqual([]);
});

test("with the keyboard alone the mailbox of a change is opened, with its own changes, and back leads to it", async () => {
  const opener = lines().filter({ hasText: "Updated" }).getByRole("link");
  await opener.focus();
  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");
  const before = await focused();
  await page.keyboard.press("Enter");
  await panelLines().filter({ hasText: "Ops rota" }).waitFor();
  await expect.poll(() => panelLines().count()).toBe(2); // Joined, and renamed.
  expect(await panelLines().getByRole("link").count()).toBe(0);
  await page.getByRole("heading", { name: "Last syncs" }).waitFor();
  const syncs = page.locator("#panel-history summary");
  await expect
    .poll(() => syncs.allTextContents())
    .toMatchObject([expect.stringMatching(/^\d.* · 1 updated$/), expect.stringMatching(/^\d.* · joined$/)]);
  // The newest shows its changes at once, others when they are opened.
  expect(await panelLines().evaluateAll((lines) => lines.map((line) => line.checkVisibility()))).toEqual([true, false]);
  await syncs.nth(1).press("Enter");
  await expect.poll(() => panelLines().nth(1).isVisible()).toBe(true);
  await page.getByText("Quiet syncs leave no trace").waitFor();
  const facts = page.locator("#panel-syncs dt");
  expect(await facts.allTextContents()).toEqual(["Last", "Last full", "Last failed"]);
  expect(await violations(page)).toEqual([]);
  await page.goBack();
  await expect.poll(focused).toBe(before);
});

test("a sync's line counts what it found by kind, and stays open while earlier ones are read", async () => {
  const [id = ""] = ids;
  const item = (time: string, number: number, told: Partial<HistoryItem>): HistoryItem => ({
    ...{ id: `00-${number}`, time, mailbox: { id, displayName: null, userPrincipalName: null }, kind: "updated" },
    ...{ calendar: { id: "c", name: `No. ${number}`, owner: null }, replacedId: null, before: null, after: null },
    leftOut: 0,
    ...told,
  });
  const [newer, older] = ["2026-03-01T17:20:01.500Z", "2026-02-28T09:00:00.000Z"];
  const first: HistoryPage = {
    ...{ cursor: "next", lookedBackTo: older },
    value: [
      item(newer, 1, {}),
      item(newer, 2, { kind: "created" }),
      item(newer, 3, {}),
      item(newer, 4, { kind: "replaced", replacedId: "b" }),
      item(newer, 5, { kind: "leftOut", calendar: null, leftOut: 1_200 }),
      item(older, 6, { kind: "removed" }),
    ],
  };
  const second = { cursor: null, lookedBackTo: null, value: [item(older, 7, { kind: "removed" })] };
  await page.route(/\/history\?/, (route) =>
    route.fulfill({ json: route.request().url().includes("cursor=next") ? second : first }),
  );
  await page.goto(`${product.hostUrl()}/api/dashboard#/mailboxes/${id}`);
  const summaries = page.locator("#panel-history summary");
  await expect.poll(() => summaries.count()).toBe(2);
  const found = async () => (await summaries.allTextContents()).map((text) => text.split(" · ")[1]);
  expect(await found()).toEqual(["2 updated, 1 added, 1 replaced, 1,200 more", "1 removed and more"]);
  await summaries.nth(1).press("Enter");
  await page.getByRole("button", { name: "Earlier syncs" }).press("Enter");
  await expect.poll(found).toEqual(["2 updated, 1 added, 1 replaced, 1,200 more", "2 removed"]);
  expect(await page.locator("#panel-history details[open]").count()).toBe(2);
  expect(await violations(page)).toEqual([]);
  expect(watched.faults).toEqual([]);
});

test("the history is not read again while nothing can have changed", async () => {
  await open();
  await lines().first().waitFor();
  const [readings, before] = [statusesAsked(), asked()];
  await expect.poll(() => statusesAsked(), { timeout: 60_000 }).toBeGreaterThan(readings + 1);
  expect([before, asked()]).toEqual([1, 1]);
});

test("a mailbox that has left can still be opened for what is told of it", async () => {
  const gone = ids[2] ?? "";
  const answer = await fetch(`${product.hostUrl()}/api/mailboxes/${gone}`, { method: "DELETE" });
  expect(answer.status).toBe(204);
  await product.countedTick();
  const line = lines().filter({ hasText: "Left" });
  await line.getByRole("link").click();
  await page.getByText("is not on the roster").waitFor();
  await expect.poll(() => panelLines().count()).toBe(2);
});

describe("every kind of change, with hostile names", () => {
  const hostile = ['<img src=x onerror="alert(1)">', "</script><script>window.ranAway=1</script>", "a".repeat(10_000)];
  const item = (id: string, told: Partial<HistoryItem>): HistoryItem => ({
    id,
    time: new Date().toISOString(),
    mailbox: { id: ids[0] ?? "", displayName: hostile[0] ?? "", userPrincipalName: "sam@contoso.example" },
    kind: "updated",
    calendar: { id: "c", name: hostile[1] ?? "", owner: "ravi@contoso.example" },
    replacedId: null,
    before: null,
    after: null,
    leftOut: 0,
    ...told,
  });
  const first = (): HistoryPage => ({
    lookedBackTo: new Date().toISOString(),
    cursor: "next",
    value: [
      item("1", {
        before: { name: hostile[2], owner: { name: "Sam", address: "sam@contoso.example" }, canEdit: true },
        after: { name: hostile[0], owner: { name: "Ravi", address: "ravi@contoso.example" }, constructor: hostile[1] },
      }),
      item("2", { kind: "replaced", replacedId: "b" }),
      item("3", { kind: "created", calendar: { id: "d", name: null, owner: "SAM@contoso.example" } }),
      item("4", { kind: "removed", calendar: { id: "d", name: hostile[2] ?? "", owner: null } }),
      item("5", { kind: "leftOut", calendar: null, leftOut: 1_234 }),
      item("6", { kind: "suspended", calendar: null }),
      item("7", { kind: "resumed", calendar: null }),
    ],
  });
  const second = (): HistoryPage => ({
    ...first(),
    cursor: null,
    lookedBackTo: null,
    value: [item("8", { kind: "left", calendar: null })],
  });

  test.each(["light", "dark"] as const)("reads well in %s on a phone, and nothing runs", async (colorScheme) => {
    await open({ colorScheme, viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    await page.route(/\/api\/history\b/, (route) =>
      route.fulfill({ json: route.request().url().includes("cursor=next") ? second() : first() }),
    );
    await page.reload();
    await expect.poll(() => lines().count()).toBe(7);
    const text = (await lines().allTextContents()).join("\n");
    expect(text).toContain(`Name: ${hostile[2]} → ${hostile[0]}`);
    expect(text).toContain("Owner: Sam, sam@contoso.example → Ravi, ravi@contoso.example");
    expect(text).toContain("May edit: yes → (nothing)");
    expect(text).toContain(`constructor: (nothing) → ${hostile[1]}`);
    expect(text).toContain("the same calendar, which has another id now");
    expect(text).toContain("1,234 changes, only counted");
    expect(text).toContain("(no name)");
    expect(text.match(/of ravi@contoso\.example/g)).toHaveLength(2); // Its own owner is not told of a mailbox.
    expect(text).not.toContain("of SAM@");
    await page.getByRole("button", { name: "Earlier changes" }).click();
    await expect.poll(() => lines().count()).toBe(8);
    expect(await page.getByRole("button", { name: "Earlier changes" }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => "ranAway" in window)).toBe(false);
    expect(await page.locator("main img, main script").count()).toBe(0);
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
    expect(watched.faults).toEqual([]);
  });

  test("where it cannot be read, the page says so in its place, and tries again", async () => {
    await open();
    await page.route(/\/api\/history\b/, (route) =>
      route.fulfill({ status: 503, json: { error: { message: "Busy." } } }),
    );
    await page.reload();
    await page.locator("#history").getByText("Busy.").waitFor();
    await page.unroute(/\/api\/history\b/);
    await lines().first().waitFor();
    expect(await page.locator("#history").getByText("Busy.").count()).toBe(0);
  });
});
