import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../shared/views/statusSchema.js";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, type Watched } from "./browser.js";
import { reasonsOf, withStatus } from "./status.js";

/** Charts over the last ticks: what they show, and how it is told without seeing them. */

const mailboxes = 10;
let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes, calendars: 2 });
  await product.add();
  await product.countedTick();
  for (const id of product.graph.mailboxes.ids().slice(0, 2)) product.graph.mailboxes.setState(id, { kind: "denied" });
  await product.countedTick();
});
afterAll(async () => {
  await page?.unrouteAll({ behavior: "ignoreErrors" });
  await browser?.close();
  await product?.stop();
});

async function open(options: Parameters<typeof openWatched>[2] = {}): Promise<void> {
  await page?.unrouteAll({ behavior: "ignoreErrors" });
  await watched?.page.context().close();
  watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard`, options);
  page = watched.page;
}

/** What is told of the first ticks, one after the other. */
const toldFromStart = async (steps: number) => {
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

describe("the cursor", () => {
  const cursors = () =>
    page
      .locator("#charts .u-cursor-x")
      .evaluateAll((lines) => [...new Set(lines.map((line) => (line as HTMLElement).style.transform))]);

  test("tells each value by keyboard, one for all charts, and by pointer", async () => {
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

  test("stays with the tick that is looked at when a new one comes", async () => {
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

test("what operators did is marked in the charts, and told where the cursor is", async () => {
  await product.countedTick();
  const released = await fetch(`${product.hostUrl()}/api/mailboxes/release?reason=denied`, { method: "POST" });
  expect(released.status).toBe(200);
  await product.countedTick();
  await open();
  const told = async () => (await toldFromStart(12)).join("\n");
  await expect.poll(told, { timeout: 30_000 }).toMatch(/ · (Added|Retried all)/); // Actions are read on their own.
  expect(watched.faults).toEqual([]);
});

test("where Graph began to throttle is marked in the charts, and told where the cursor is", async () => {
  await open();
  await withStatus(page, ({ activity, now }) => ({
    brake: { isOn: true, code: "TooManyRequests", since: activity.ticks.at(-2)?.started ?? null, until: now },
  }));
  expect((await toldFromStart(12)).join("\n")).toMatch(/ · throttled from here/);
  expect(watched.faults).toEqual([]);
});

describe("what the charts show", () => {
  const figures = () => page.locator("#charts figure");
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
    await withStatus(page, ({ troubles }) => ({
      troubles: { ...troubles, parked: reasonsOf(product.graph.mailboxes.ids(), 27) },
    }));
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
    await withStatus(page, doneBy([null, "1.0.0", "1.0.0", "1.1.0", null, "1.1.0", "1.0.0"]));
    const told = await toldFromStart(7);
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

  test("the last ticks are there in figures too, the newest first", async () => {
    await open();
    const rows = page.locator("#ticks tbody tr");
    await page.getByText("The last ticks as a table").click();
    await rows.nth(1).waitFor();
    const started = await rows
      .locator("time")
      .evaluateAll((times) => times.map((time) => (time as HTMLTimeElement).dateTime));
    expect(started).toEqual([...started].sort().reverse());
    const { activity } = (await (await fetch(`${product.hostUrl()}/api/status`)).json()) as Status;
    const newest = activity.ticks.at(-1);
    expect(started[0]).toBe(newest?.started);
    const told = await rows.first().locator("td").allTextContents();
    expect(told.slice(2)).toEqual(
      [
        newest?.rounds,
        newest?.pages,
        newest?.changes,
        newest?.graphRequests,
        newest?.throttles,
        newest?.transactions,
      ].map(String),
    );
  });

  test("no mark after an upgrade from a release that did not tell its version", async () => {
    await open();
    await withStatus(page, doneBy([null, null, "1.1.0", "1.1.0"]));
    const told = await toldFromStart(4);
    expect(told.join("\n")).toMatch(/Fresh/);
    expect(told.join("\n")).not.toMatch(/version/);
  });
});

test("a tick that some shards are still at work on is not charted: it would show nearly nobody in need", async () => {
  await withStatus(page, ({ activity }) => {
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
