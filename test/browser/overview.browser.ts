import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../shared/views/statusSchema.js";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, phone, type Watched } from "./browser.js";

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

/** The status as the page reads it, with this in it. */
async function withStatus(change: (status: Status) => Partial<Status>): Promise<void> {
  await page.route("**/api/status?*", async (route) => {
    const { "if-none-match": _had, ...headers } = route.request().headers();
    const response = await route.fetch({ headers });
    const status = (await response.json()) as Status;
    await route.fulfill({ response, json: { ...status, ...change(status) } });
  });
  await page.reload();
}

const reasons = (count: number): Status["troubles"]["parked"] =>
  Array.from({ length: count }, (_, index) => ({
    reason: `denied:Error${index}`,
    count: 100 - index,
    examples: [ids[index % mailboxes] ?? ""],
  }));

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

describe("charts", () => {
  const cursors = () =>
    page
      .locator("#charts .u-cursor-x")
      .evaluateAll((lines) => [...new Set(lines.map((line) => (line as HTMLElement).style.transform))]);

  test("tell each value by keyboard, with one cursor for all, and by pointer", async () => {
    await open();
    const charts = page.getByRole("group", { name: /^Charts/ });
    await charts.locator("canvas").first().waitFor();
    await charts.focus();
    await page.keyboard.press("ArrowLeft");
    const told = page.locator("#charts-told");
    const last = await told.textContent();
    expect(last).toMatch(/ · Fresh [\d.]+ % · Need attention 2 · Lag .* · 429 responses \d+ · Changes \d+ · Syncs \d+/);
    await page.keyboard.press("ArrowLeft");
    expect(await told.textContent()).not.toBe(last);
    expect(await cursors()).toHaveLength(1); // At the same place of each.
    await page.keyboard.press("Escape");
    expect(await told.textContent()).toBe("");
    await charts.locator(".u-over").first().hover();
    await expect.poll(() => told.textContent()).toMatch(/Fresh/);
    expect(watched.faults).toEqual([]);
  });

  test("a tick that comes leaves the cursor with the tick that is looked at", async () => {
    await open();
    const charts = page.getByRole("group", { name: /^Charts/ });
    await charts.locator("canvas").nth(1).waitFor();
    await charts.focus();
    await page.keyboard.press("ArrowLeft");
    const told = await page.locator("#charts-told").textContent();
    const before = await cursors();
    const captions = await charts.locator(".now").allTextContents();
    await product.countedTick();
    await expect.poll(cursors, { timeout: 30_000 }).not.toEqual(before);
    await expect.poll(cursors).toHaveLength(1);
    expect(await page.locator("#charts-told").textContent()).toBe(told);
    expect(await charts.locator(".now").allTextContents()).toEqual(captions);
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#charts-told").textContent()).not.toBe(told);
    expect(watched.faults).toEqual([]);
  });
});

describe("what the charts show", () => {
  const figures = () => page.locator("#charts figure");
  const toldAt = async (steps: number) => {
    const charts = page.getByRole("group", { name: /^Charts/ });
    await charts.locator("canvas").first().waitFor();
    await charts.focus();
    await page.keyboard.press("Home");
    const texts: string[] = [];
    for (let step = 0; step < steps; step++) {
      texts.push((await page.locator("#charts-told").textContent()) ?? "");
      await page.keyboard.press("ArrowRight");
    }
    return texts;
  };
  /** The same ticks, a minute apart, done by these versions, the newest last. */
  const doneBy = (versions: readonly (string | null)[]) => (status: Status) => {
    const [tick] = status.activity.ticks.slice(-1);
    if (tick === undefined) throw new Error("No tick is known.");
    const endMs = Date.parse(status.now);
    const ticks = versions.map((version, index) => ({
      ...{ ...tick, version, tick: `tick-${index}` },
      started: new Date(endMs - (versions.length - index) * 60_000).toISOString(),
    }));
    return { activity: { ...status.activity, ticks }, ticks: { ...status.ticks, intervalSeconds: 60 } };
  };

  test("fresh share and attention, above all tables; the others are one click away, which the address holds", async () => {
    await open({ viewport: { width: 1180, height: 1000 } });
    await withStatus(({ troubles }) => ({ troubles: { ...troubles, parked: reasons(27) } }));
    await page.locator("#troubles article").first().waitFor();
    await page.locator("#charts canvas").nth(1).waitFor();
    expect(await figures().locator("b").allTextContents()).toEqual(["Fresh", "Need attention"]);
    const bottom = await page
      .locator("#charts")
      .evaluate((element) => element.getBoundingClientRect().bottom + scrollY);
    const tables = await page
      .locator("#view table")
      .evaluateAll((all) =>
        all.filter((table) => table.checkVisibility()).map((table) => table.getBoundingClientRect().top + scrollY),
      );
    expect(bottom).toBeLessThan(Math.min(1_000, ...tables));
    await page.getByRole("button", { name: "All 6 charts" }).click();
    await expect.poll(() => page.locator("#charts canvas").count()).toBe(6);
    expect(page.url()).toMatch(/#\/\?charts=all$/);
    expect(await violations(page)).toEqual([]);
    await page.getByRole("button", { name: "Hour" }).click();
    expect(page.url()).toMatch(/#\/\?range=hour&charts=all$/);
    await page.getByRole("button", { name: "First 2 charts" }).click();
    await expect.poll(() => figures().count()).toBe(2);
    expect(watched.faults).toEqual([]);
  });

  test("where the version of the app changed, forth and back, told where the cursor is", async () => {
    await open();
    await withStatus(doneBy([null, "1.0.0", "1.0.0", "1.1.0", null, "1.1.0", "1.0.0"]));
    const told = await toldAt(7);
    expect(told.map((text) => /version [^·]*/.exec(text)?.[0].trim() ?? "")).toEqual([
      "",
      "",
      "",
      "version 1.1.0 from here, 1.0.0 before",
      "",
      "",
      "version 1.0.0 from here, 1.1.0 before",
    ]);
    expect(watched.faults).toEqual([]);
  });

  test("no mark after an upgrade from a release that did not tell its version", async () => {
    await open();
    await withStatus(doneBy([null, null, "1.1.0", "1.1.0"]));
    const told = await toldAt(4);
    expect(told.join("\n")).toMatch(/Fresh/);
    expect(told.join("\n")).not.toMatch(/version/);
  });
});

test("a tick that some shards are still at work on is not charted: it would show nearly nobody in need", async () => {
  await withStatus(({ activity }) => {
    const stood = { mirrored: mailboxes, fresh: mailboxes - 7, attention: 7 };
    const whole = activity.ticks.map((tick) => ({ ...tick, standing: stood }));
    const newest = whole.at(-1);
    if (newest === undefined) throw new Error("No tick is known.");
    const started = new Date(Date.parse(newest.started ?? "") + 10_000).toISOString();
    const underWay = { ...newest, started, shards: newest.shards - 1, standing: { ...stood, attention: 1 } };
    return { activity: { ...activity, ticks: [...whole, underWay] } };
  });
  await page.locator("#charts figure", { hasText: "Need attention" }).getByText("7 now, 7 at the most").waitFor();
});

test("what operators did, and the brake, are marked in the charts, and told where the cursor is", async () => {
  await open();
  await product.countedTick();
  await product.countedTick();
  const charts = page.getByRole("group", { name: /^Charts/ });
  await charts.locator("canvas").first().waitFor();
  await charts.focus();
  await page.keyboard.press("Home");
  const texts: string[] = [];
  for (let step = 0; step < 8; step++) {
    texts.push((await page.locator("#charts-told").textContent()) ?? "");
    await page.keyboard.press("ArrowRight");
  }
  expect(texts.join("\n")).toMatch(/ · Added|Retried all/);
  expect(watched.faults).toEqual([]);
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
    await withStatus(({ mailboxes: now }) => ({
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
    await withStatus(({ mailboxes: now }) => ({
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
  await withStatus(({ mailboxes: now, troubles }) => ({
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
    await withStatus(({ troubles }) => ({ troubles: { ...troubles, parked: reasons(27) } }));
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
