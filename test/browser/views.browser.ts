import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Product, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, misfits, openWatched, phone, type Watched } from "./browser.js";

/** Lists, a mailbox's view, find, and the log of actions: for everybody, whoever looks and however. */

let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: readonly string[];
const hostile = ['<img src=x onerror="alert(1)">', "</script><script>window.ranAway=1</script>", "a".repeat(10_000)];

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes: 4, calendars: 3 });
  ids = product.graph.mailboxes.ids();
  await product.add();
  for (const name of hostile) product.graph.createCalendar(ids[0] ?? "", { name });
  product.graph.mailboxes.setState(ids[3] ?? "", { kind: "denied" });
  await subscribe();
  await product.countedTick();
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

/** Somebody who waits, as nobody is there any more. */
async function subscribe(): Promise<void> {
  const receiver = createServer(async (request, response) => {
    const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
    response.writeHead(200, { "content-type": "text/plain" }).end(token ?? "");
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const created = await fetch(`${product.hostUrl()}/api/beta/subscriptions`, {
    method: "POST",
    body: JSON.stringify({
      changeType: "created,updated,deleted",
      notificationUrl: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/${"long-path/".repeat(9)}`,
      resource: "users/getAllCalendars",
      expirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
    }),
  });
  receiver.close();
  receiver.closeAllConnections();
  expect(created.status).toBe(201);
}

const at = (path: string) => `${product.hostUrl()}/api/dashboard#${path}`;
async function open(path: string, options: Parameters<typeof openWatched>[2] = {}): Promise<void> {
  await watched?.page.context().close();
  watched = await openWatched(browser, at(path), options);
  page = watched.page;
}
const view = () => page.locator("#view");
const rows = () => view().locator("tbody tr");
const dialog = () => page.getByRole("dialog");
const mailbox = (index: number) => `/mailboxes/${ids[index]}`;
const actionLines = () => page.locator("#actions .history > li");

/** Each view, and what is there once it has been read. */
const views = () =>
  [
    ["/", "article .who tbody time"],
    ["/mailboxes", "tbody tr"],
    [mailbox(0), "#panel-history li"],
    [mailbox(3), "#panel-why"],
    ["/changes", "#history li"],
    ["/calendars?name=a", "tbody tr"],
    ["/subscribers", "#subscribers article"],
    ["/actions", "#actions p, #actions li"],
    ["/guide?code=denied:ErrorAccessDenied", "dl"],
  ] as const;

/** Opens a view, and what is folded in it, and waits until it has been read. */
async function openWhole([path, there]: readonly [string, string], options: BrowserContextOptions): Promise<void> {
  await open(path, options);
  if (path === "/") {
    for (const folded of [view().locator("article details").first(), view().locator("#ticks")]) {
      await folded.waitFor();
      const isOpen = await folded.evaluate((element) => (element as HTMLDetailsElement).open);
      if (!isOpen) await folded.locator("summary").click();
    }
    await view().locator("#ticks tbody time").first().waitFor();
  }
  await view().locator(there).first().waitFor({ timeout: 60_000 }); // Subscribers are counted now and then.
}

const dark = { colorScheme: "dark" } as const;
const forced = { forcedColors: "active", reducedMotion: "reduce" } as const;
const small = { ...phone, viewport: { width: 360, height: 740 } };
describe.each<readonly [string, BrowserContextOptions]>([
  ["in light", { colorScheme: "light" }],
  ["in dark, on a small phone", { ...dark, ...small }],
  ["in forced colours, light", { ...forced, colorScheme: "light" }],
  ["in forced colours, dark, on a phone", { ...forced, ...dark, ...phone }],
])("%s", (_, options) => {
  test("every view is without what a checker of accessibility finds, no wider than the screen, and runs no name", async () => {
    for (const one of views()) {
      const [path] = one;
      await openWhole(one, options);
      expect(await violations(page), path).toEqual([]);
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(wider, path).toBeLessThanOrEqual(0);
      expect(await page.evaluate(() => "ranAway" in window)).toBe(false);
      expect(await page.locator("main img, main script").count()).toBe(0);
      expect(watched.faults, path).toEqual([]);
    }
  });
});

test("from a phone to a laptop nothing scrolls sideways, no text is cut, and whatever is tapped is as large as a finger wants it", async () => {
  const { height } = phone.viewport;
  for (const one of views()) {
    await openWhole(one, phone);
    for (const width of [phone.viewport.width, 560, 561, 660, 760, 761, 900, 1_024, 1_280]) {
      await page.setViewportSize({ width, height });
      expect(await misfits(page), `${one[0]}, ${width} px`).toEqual([]);
    }
  }
});

describe.each(["light", "dark"] as const)("in forced colours, %s", (colorScheme) => {
  test("in every view states have a word and a shape, and the focus is seen wherever it goes", async () => {
    for (const one of views()) {
      await openWhole(one, { ...forced, colorScheme });
      const wordless = await page.evaluate(() => {
        const told = (element: Element) =>
          element.matches(".dot, .bar span") ? element.parentElement?.parentElement : element;
        return [...document.querySelectorAll('#view [class*="state-"]')]
          .filter((element) => (told(element)?.textContent ?? "").trim() === "")
          .map((element) => element.outerHTML);
      });
      expect(wordless, one[0]).toEqual([]);
      const shapeless = await page.evaluate(
        () =>
          [...document.querySelectorAll('.dot, .bar span, .badge[class*="state-"]')]
            .map((element) => getComputedStyle(element, element.matches(".badge") ? "::before" : null))
            .filter(({ borderTopWidth, borderTopStyle }) => borderTopStyle !== "solid" || borderTopWidth === "0px")
            .length,
      );
      expect(shapeless, one[0]).toBe(0);
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press("Tab");
        const unseen = await page.evaluate(() => {
          const { activeElement } = document;
          if (activeElement === null || activeElement === document.body) return null;
          const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
          return outlineStyle === "none" || Number.parseFloat(outlineWidth) < 2 ? activeElement.outerHTML : null;
        });
        expect(unseen, one[0]).toBeNull();
      }
      const moving = await page.evaluate(() => document.getAnimations().length);
      expect(moving, one[0]).toBe(0);
    }
  });
});

test("what was replaced is told as the history tells it, and not as removed", async () => {
  const id = ids[2] ?? "";
  const own = product.graph.truth(id)[0];
  product.graph.createCalendar(id, { name: "Of a colleague", isShared: true });
  await product.countedTick();
  const moves = product.graph.moveCalendars(id);
  expect(moves.length).toBeGreaterThan(0);
  product.graph.renameCalendar(id, own?.id ?? "", "Mine");
  await product.countedTick();
  await open(mailbox(2));
  await page.getByRole("heading", { name: `Replaced (${moves.length})` }).waitFor();
  expect(await page.getByRole("heading", { name: /^Removed/ }).count()).toBe(0);
  expect(await page.locator("#panel-history .change-replaced").count()).toBe(moves.length);
  expect(watched.faults).toEqual([]);
});

test("the guide begins with its words, and what they are in the contract", async () => {
  await open("/guide");
  await page.getByRole("heading", { name: "Words", level: 2 }).waitFor();
  const word = page.locator("dt", { hasText: "429 responses" });
  expect(await word.locator("+ dd").textContent()).toBe("throttles");
  expect(watched.faults).toEqual([]);
});

test("filters by state, reason and kind together stand in the address, and count at once", async () => {
  await open("/mailboxes");
  await expect.poll(() => rows().count()).toBe(4);
  await page.getByLabel("State", { exact: true }).selectOption("parked");
  await expect.poll(() => rows().count()).toBe(1);
  expect(page.url()).toContain("state=parked");
  await page.getByLabel("Reason or code").fill("noMailbox");
  await page.keyboard.press("Enter");
  await view().getByText("No mailbox matches.").waitFor();
  await page.getByLabel("Reason or code").fill("denied");
  await page.getByRole("button", { name: "Search" }).click();
  await expect.poll(() => rows().count()).toBe(1);
  await page.goBack();
  await view().getByText("No mailbox matches.").waitFor();
  expect(await page.getByLabel("Reason or code").inputValue()).toBe("noMailbox");
});

test("what is asked for shows at once, and stands in the log of actions, by the key's fingerprint", async () => {
  await open(mailbox(1), { extraHTTPHeaders: { "x-functions-key": "a key of somebody" } });
  await view().getByRole("button", { name: "Sync now …" }).click();
  await dialog().getByRole("button", { name: "Sync it" }).click();
  await view()
    .locator(".asked")
    .getByText(/^Sync asked for at .*\d/)
    .waitFor();
  await view().locator("#panel-actions li").filter({ hasText: "Sync now" }).first().waitFor();
  await page.goto(at("/actions"));
  await actionLines().filter({ hasText: "Sync now" }).first().waitFor();
  expect(await actionLines().first().textContent()).toMatch(/^Sync now.*by key [0-9a-f]{8}/);
  await actionLines().first().getByRole("link").click();
  await view().locator("#panel-why").waitFor();
  expect(watched.faults).toEqual([]);
});

test("with the keyboard alone a mailbox is found, opened, asked about and left, and the focus comes back", async () => {
  await open("/mailboxes");
  await rows().first().waitFor();
  const id = ids[1] ?? "";
  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");
  const tabTo = async (wanted: string) => {
    for (let presses = 0; (await focused()) !== wanted && presses < 60; presses++) await page.keyboard.press("Tab");
    expect(await focused()).toBe(wanted);
  };
  await tabTo("search-search");
  await page.keyboard.type(id);
  await page.keyboard.press("Enter");
  await expect.poll(() => rows().count()).toBe(1);
  await tabTo(`open-${id}`);
  await page.keyboard.press("Enter");
  await view().locator("#panel-why").waitFor();
  await tabTo("panel-sync");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sync this mailbox now?" }).waitFor();
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "hidden" });
  expect(await focused()).toBe("panel-sync");
  await page.goBack();
  await expect.poll(focused).toBe(`open-${id}`);
});

test("a mailbox is added, and removed for good, each with a question first", async () => {
  const id = "6e7b768e-07e2-4810-8459-485f84f8f204";
  await open("/mailboxes");
  await view().getByText("Add a mailbox, or discover them").click();
  await view().getByLabel("Object id of its user").fill("not an id");
  await view().getByRole("button", { name: "Add …" }).click();
  await dialog().getByRole("button", { name: "Add it" }).click();
  await page.getByRole("status").getByText("object id").waitFor();
  await view().getByLabel("Object id of its user").fill(id);
  await view().getByLabel("Name, if you like").fill("Ravi Iyer");
  await view().getByRole("button", { name: "Add …" }).click();
  await dialog().getByRole("button", { name: "Add it" }).click();
  await page.getByRole("heading", { name: "Ravi Iyer", level: 1 }).waitFor();
  await view().getByText("On the roster, not read yet.").waitFor();
  await view().getByRole("button", { name: "Remove …" }).click();
  await dialog().getByText("Ravi Iyer").waitFor();
  await dialog().getByRole("button", { name: "Remove it" }).click();
  await page.getByRole("heading", { name: "Mailboxes", level: 1 }).waitFor();
  await expect.poll(() => rows().count()).toBe(4);
  expect((await fetch(`${product.hostUrl()}/api/mailboxes/${id}`)).status).toBe(404);
});

test("without a roster that is discovered, the mirror's own words say why nothing was", async () => {
  await open("/mailboxes");
  await view().getByText("Add a mailbox, or discover them").click();
  await view().getByRole("button", { name: "Discover now …" }).click();
  await dialog().getByRole("button", { name: "Discover them" }).click();
  await page.getByRole("status").getByText("ROSTER is manual").waitFor();
});

describe("a key that only reads", () => {
  test("shows every view, says why there are no buttons, and asks for nothing that acts", async () => {
    await open("/mailboxes");
    await page.route("**/api/operator", (route) => route.fulfill({ status: 401, body: "" }));
    const methods = new Set<string>();
    page.on("request", (request) => methods.add(request.method()));
    await page.reload();
    await page.getByText("Your key only reads").waitFor();
    for (const [path, there] of views()) {
      await page.goto(at(path));
      await view().locator(there).first().waitFor();
      const acting = page.locator("[data-acts]");
      for (const one of await acting.all()) expect(await one.isVisible(), path).toBe(false);
    }
    expect(await page.getByRole("button", { name: "…" }).count()).toBe(0);
    expect([...methods]).toEqual(["GET"]);
    expect(watched.faults).toEqual([]);
  });

  test("until it is known that a key may act, nothing that acts is there", async () => {
    await open(mailbox(1));
    await page.route("**/api/operator", (route) => route.fulfill({ status: 503, body: "" }));
    await page.reload();
    await view().locator("#panel-why").waitFor();
    expect(await view().getByRole("button", { name: "Sync now …" }).count()).toBe(0);
    await page.unroute("**/api/operator");
    await view().getByRole("button", { name: "Sync now …" }).waitFor();
  });
});
