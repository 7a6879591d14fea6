import { setTimeout as pause } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { productAt } from "../../local/start/product.js";
import { metaPartition, metaRows, shardOf } from "../../shared/store/keys.js";
import { type Product, shards, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, type Watched } from "./browser.js";

/** What holds all mailboxes, or the whole roster, as an operator sees and mends it. */

const users = 60;
let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: readonly string[];
let fit = 0;

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({
    mailboxes: users,
    calendars: 2,
    settings: { ROSTER: "directory", ROSTER_SCHEDULE: "0 0 0 1 1 *" },
  });
  ids = product.graph.mailboxes.ids();
  await discover(({ lastFullRound }) => lastFullRound !== null);
  await product.countedTick();
  fit = (await status()).mailboxes.total;
  watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard`);
  page = watched.page;
});
afterAll(async () => {
  await page?.unrouteAll({ behavior: "ignoreErrors" });
  await browser?.close();
  await product?.stop();
});

const status = () => productAt(product.hostUrl()).status();
const verdictSays = (text: string | RegExp) => page.locator("#verdict", { hasText: text }).waitFor();
const card = (text: string | RegExp) => page.getByRole("article").filter({ hasText: text });
const said = (text: string | RegExp) => page.getByRole("status").getByText(text).waitFor();
const dialog = () => page.getByRole("dialog");
const brakeTile = () => page.locator(".tile", { hasText: /^(?:Throttled|Refused)/ });
const setAll = (kind: "denied" | "normal", some = ids) => {
  for (const id of some) product.graph.mailboxes.setState(id, { kind });
};

/** As long as it takes: a test that is stuck ends by its own time. */
async function until(holds: (now: Awaited<ReturnType<typeof status>>) => boolean): Promise<void> {
  while (!holds(await status())) await pause(200);
}

async function discover(holds: (roster: Awaited<ReturnType<typeof status>>["roster"]) => boolean): Promise<void> {
  await fetch(`${product.hostUrl()}/api/roster/discover`, { method: "POST" });
  await until(({ roster }) => roster.state !== "discovering" && holds(roster));
}

test("I7: all mailboxes with one reason are released by one click that is confirmed, and how many is shown", async () => {
  const some = (await fitIds()).slice(0, 4);
  setAll("denied", some);
  await product.countedTick();
  await verdictSays("4 mailboxes need attention");
  const denied = card("denied:ErrorAccessDenied");
  await denied
    .getByRole("link", { name: product.graph.mailboxes.displayName(some[0] ?? "") ?? "" })
    .first()
    .waitFor();
  setAll("normal", some);
  await denied.getByRole("button", { name: "Retry all 4 now …" }).click();
  await dialog().getByText("4 mailboxes with denied:ErrorAccessDenied").waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "hidden" });
  await page.keyboard.press("Enter"); // The focus is back on the button.
  await dialog().getByRole("button", { name: "Retry them" }).click();
  await said("4 mailboxes are retried with the next tick.");
  await product.countedTick();
  await verdictSays(`All ${fit} mailboxes are fresh`);
  expect(watched.faults).toEqual([]);
});

describe("I7: a refusal of the whole application", () => {
  test("is one card with its reason, and nothing asks for a release", async () => {
    setAll("denied");
    await product.tick();
    await verdictSays("No mailbox is read: Graph refused nearly all that were asked");
    const whole = card("Refused: nearly all that were asked");
    await whole.getByText("Calendars.Read is missing, or the token is older than its grant.").waitFor();
    await whole.getByText("Nothing has to be retried by hand.").waitFor();
    await whole.getByText(/Began .*Next try /).waitFor();
    await page
      .locator("#halt")
      .getByText(/^Reading stopped .*\. These are the states of the last reading\.$/)
      .waitFor();
    expect(await page.title()).toMatch(/^No mailbox is read/);
    await brakeTile()
      .getByText(/^next try /)
      .waitFor();
    await until(({ mailboxes }) => mailboxes.byState.parked === fit);
    expect(await violations(page)).toEqual([]);
  });

  test("a release during it does not claim that anybody is read", async () => {
    const parked = card("denied:ErrorAccessDenied");
    await parked.getByText("Read again once Graph answers the mailbox that is tried.").waitFor();
    expect(await parked.getByRole("button", { name: /^Retry/ }).count()).toBe(0);
    await parked.getByRole("row").getByRole("link").first().click();
    await page.getByRole("button", { name: "Retry now …" }).click();
    await dialog().getByRole("button", { name: "Retry it" }).click();
    await said("Noted. Nobody is read before Graph answers the application again.");
    await page.goBack();
  });

  test("is lifted with the keyboard, and the next tick reads all", async () => {
    setAll("normal");
    const lift = card("Refused: nearly all that were asked").getByRole("button", { name: "Retry now …" });
    await lift.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Retry the whole application now?" }).waitFor();
    await dialog().getByRole("button", { name: "Retry it" }).focus();
    await page.keyboard.press("Enter");
    await said("The next tick asks Graph again.");
    await card("Refused: nearly all that were asked").waitFor({ state: "hidden" });
    await product.countedTick();
    await verdictSays(`All ${fit} mailboxes are fresh`);
    expect(watched.faults).toEqual([]);
  });
});

test("I7: a refusal of one shard's mailboxes is not told as one of all: nothing is green, and nothing claims that all were asked", async () => {
  const all = await fitIds();
  const ofShard = all.filter((id) => shardOf(id, shards) === shardOf(all[0] ?? "", shards));
  expect(ofShard.length).toBeGreaterThanOrEqual(5); // Fewer are not enough for a refusal of the application.
  expect(ofShard.length).toBeLessThan(fit);
  setAll("denied", ofShard);
  await product.tick();
  await verdictSays("No mailbox is read: Graph refused nearly all that were asked");
  await page
    .locator("#legend-fresh")
    .getByText(`Fresh when last read ${fit - ofShard.length}`)
    .waitFor();
  const colour = page.locator(".bar .state-fresh").evaluate((element) => getComputedStyle(element).backgroundColor);
  expect(await colour).toBe("rgb(160, 167, 178)"); // Grey, as nobody knows.
  await card("Refused: nearly all that were asked")
    .getByText("those that are refused for themselves stay parked")
    .waitFor();
  expect(await page.locator("main").textContent()).not.toMatch(/whatever mailbox|whole application/);
  expect(await violations(page)).toEqual([]);
  setAll("normal");
  await fetch(`${product.hostUrl()}/api/brake/release`, { method: "POST" });
  await product.countedTick();
  await verdictSays(`All ${fit} mailboxes are fresh`);
  expect(await page.locator("#halt").count()).toBe(0);
});

test("I7: a throttle of the whole application leaves the figures, and a brake that is over already is no success", async () => {
  product.graph.faults.add({ kind: "throttledApplication", seconds: 600 });
  await product.tick();
  await verdictSays(/^Graph throttles the application until \d/);
  await brakeTile()
    .getByText(/^until \d/)
    .waitFor();
  await until(({ shards }) => shards.every(({ finished }) => finished === null)); // Each was braked.
  await page.locator(".tile", { hasText: "Mailboxes" }).getByText(String(fit), { exact: true }).waitFor();
  product.graph.faults.clear();
  await card(/^Throttled until \d.*: the whole application/)
    .getByRole("button", { name: "Retry now …" })
    .click();
  await fetch(`${product.hostUrl()}/api/brake/release`, { method: "POST" }); // Somebody else was quicker.
  await dialog().getByRole("button", { name: "Retry it" }).click();
  await said("It was over already.");
  await product.countedTick();
  await verdictSays(`All ${fit} mailboxes are fresh`);
});

test("I11: a held roster is shown, applied by a click, and who is suspended is not counted", async () => {
  const leavers = (await fitIds()).slice(0, Math.ceil(fit / 4));
  for (const id of leavers) product.graph.mailboxes.remove(id);
  await discover(({ held }) => held !== null);
  await verdictSays("The roster is held");
  const held = card("Held: the roster");
  await held.getByText(`The directory suddenly lacks ${leavers.length} of ${fit} mailboxes.`).waitFor();
  expect(await violations(page)).toEqual([]);
  await held.getByRole("button", { name: "Apply it …" }).click();
  await dialog().getByRole("button", { name: "Suspend them" }).click();
  await said("The shrink is being applied.");
  await until(({ roster }) => roster.held === null && roster.suspended === leavers.length);
  await product.countedTick();
  await page.locator(".headline", { hasText: `not counting ${leavers.length} suspended` }).waitFor();
  expect(watched.faults).toEqual([]);
});

test("who is left out is told by reason, and what to grant for those who were not looked at", async () => {
  const leftOut = { disabled: 12, guest: 1, noMail: 0, kind: 3, notLookedAt: 9 };
  await product.write(metaPartition, metaRows.directory, { leftOut: JSON.stringify(leftOut), kindProbe: "probe" });
  await page.getByText(/^9 disabled accounts were not looked at: grant MailboxSettings\.Read/).waitFor();
  const tile = page.locator(".tile", { hasText: "Left out" });
  await tile.getByText("12 disabled, 1 guest, 3 of other kinds, 9 not looked at").waitFor();
  await tile.getByText("25", { exact: true }).waitFor();
  expect(await violations(page)).toEqual([]);
  expect(watched.faults).toEqual([]);
});

test("codes of Graph, and a roster that only a person confirms, are text and nothing else", async () => {
  const hostile = '<img src=x onerror="window.ranAway=1">';
  const soon = new Date(Date.now() + 60_000).toISOString();
  const past = new Date(Date.now() - 60_000).toISOString();
  await page.route("**/api/status?*", async (route) => {
    // Asked whether it is new, an answer that is not has no body.
    const { "if-none-match": _had, ...headers } = route.request().headers();
    const response = await route.fetch({ headers });
    const now = (await response.json()) as { roster: object; troubles: object };
    const parked = [{ reason: `denied:${hostile}`, count: 2, examples: [] }];
    const application = { code: `${hostile}!`, since: past, until: past };
    const roster = { ...now.roster, held: { leaving: 40, of: 45, since: soon, needsRelease: true } };
    const json = { ...now, application, roster, troubles: { ...now.troubles, parked } };
    await route.fulfill({ response, json });
  });
  await card("no second reading confirms it: nobody is suspended until you confirm it.").waitFor();
  await card("Refused: nearly all that were asked").getByText(hostile).waitFor();
  await card("Refused: nearly all that were asked").getByText("Next try with the next tick.").waitFor();
  await card(`denied:${hostile}`).getByRole("button", { name: "Retry all 2 now …" }).click();
  await dialog().getByText(hostile).waitFor();
  await page.keyboard.press("Escape");
  expect(await page.locator("main img, dialog img").count()).toBe(0);
  expect(await page.evaluate(() => "ranAway" in window)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await page.setViewportSize({ width: 360, height: 740 });
  // Charts follow the new size a moment later.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth);
  expect(watched.faults).toEqual([]);
});

/** Those who are on the roster. */
async function fitIds(): Promise<readonly string[]> {
  const answer = await fetch(`${product.hostUrl()}/api/mailboxes?top=100&state=fresh`);
  return ((await answer.json()) as { value: { id: string }[] }).value.map(({ id }) => id);
}
