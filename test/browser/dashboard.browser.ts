import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mailboxKey, shardOf } from "../../shared/store/keys.js";
import { type Product, shards, startProduct } from "../worlds/product.js";
import { violations } from "./axe.js";
import { launchBrowser, openWatched, type Watched } from "./browser.js";

const mailboxes = 6;
let product: Product;
let browser: Browser;
let watched: Watched;
let page: Page;
let ids: readonly string[];

beforeAll(async () => {
  browser = await launchBrowser();
  product = await startProduct({ mailboxes, calendars: 4 });
  ids = product.graph.mailboxes.ids();
});
afterAll(async () => {
  await browser?.close();
  await product?.stop();
});

const dashboardUrl = () => `${product.hostUrl()}/api/dashboard`;

async function open(options: Parameters<typeof openWatched>[2] = {}, url = dashboardUrl()): Promise<void> {
  await watched?.page.context().close();
  watched = await openWatched(browser, url, options);
  page = watched.page;
}

const says = (text: string | RegExp) => page.getByText(text).first().waitFor();
const verdictSays = (text: string | RegExp) => page.locator("#verdict", { hasText: text }).waitFor();
const panel = () => page.getByRole("dialog");
const listed = (name: string) => page.locator("#mailbox-list").getByRole("link", { name });
const goTo = (view: string) => page.goto(`${dashboardUrl()}#${view}`);

describe("a newcomer", () => {
  test("sees an empty roster, then mailboxes that become fresh without a reload", async () => {
    await open();
    await verdictSays("No mailbox is on the roster yet");
    await product.add();
    await product.countedTick();
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
    await says("Nothing: no mailbox is parked, held, waiting or suspended.");
    await page.getByRole("navigation").getByRole("link", { name: "Mailboxes" }).click();
    await page
      .getByRole("row")
      .filter({ hasText: ids[0] ?? "" })
      .waitFor();
    await page.goBack();
    expect(watched.faults).toEqual([]);
  });

  test("I7: breaks a mailbox, sees it named with its reason, and mends it by a click that is confirmed", async () => {
    const id = ids[1] ?? "";
    product.graph.mailboxes.setState(id, { kind: "denied" });
    await product.countedTick();
    await verdictSays("1 mailbox needs attention");
    const card = page.getByRole("article").filter({ hasText: "denied:ErrorAccessDenied" });
    await card.getByText("Microsoft Graph refuses the app access").waitFor();
    product.graph.mailboxes.setState(id, { kind: "normal" });
    await card.getByRole("button", { name: `Retry now: ${id}` }).click();
    await panel().getByRole("button", { name: "Cancel" }).click();
    expect(await card.count()).toBe(1);
    await card.getByRole("button", { name: `Retry now: ${id}` }).click();
    await panel().getByText(id).waitFor();
    await panel().getByRole("button", { name: "Retry it" }).click();
    await page.getByRole("status").getByText("It is being retried").waitFor();
    await product.countedTick();
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
    expect(watched.faults).toEqual([]);
  });

  test("searches a mailbox and sees its calendars, their colours and owners, and what was removed", async () => {
    const id = ids[2] ?? "";
    const [calendar, gone] = product.graph.truth(id);
    product.graph.updateCalendar(id, calendar?.id ?? "", { name: "Ops rota", hexColor: "#12ab34" });
    product.graph.renameCalendar(id, gone?.id ?? "", "Old plans");
    await product.countedTick();
    product.graph.deleteCalendar(id, gone?.id ?? "");
    await product.countedTick();
    await goTo("/mailboxes");
    await page.getByLabel("Search by name, address or id").fill(id.slice(0, 12).toUpperCase());
    await page.getByRole("button", { name: "Search" }).click();
    await expect.poll(() => page.locator("#mailbox-list tbody tr").count()).toBe(1);
    await listed(id).click();
    const row = page.locator("main").getByRole("row").filter({ hasText: "Ops rota" });
    await row.waitFor();
    expect(await row.locator(".swatch").evaluate((element) => getComputedStyle(element).backgroundColor)).toBe(
      "rgb(18, 171, 52)",
    );
    expect(await row.textContent()).toContain("@contoso.example");
    await page.getByRole("heading", { name: "Removed (1)" }).waitFor();
    await page.locator(".removed").getByText("Old plans").waitFor();
    expect(watched.faults).toEqual([]);
  });
});

test("with the keyboard alone a mailbox is found, opened and asked about, and back leads to where one was", async () => {
  await open({}, `${dashboardUrl()}#/mailboxes`);
  const id = ids[3] ?? "";
  await listed(id).waitFor();
  const focused = () => page.evaluate(() => document.activeElement?.id ?? "");
  for (let presses = 0; (await focused()) !== "search-search" && presses < 60; presses++)
    await page.keyboard.press("Tab");
  await page.keyboard.type(id);
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator("#mailbox-list tbody tr").count()).toBe(1);
  while ((await focused()) !== `open-${id}`) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: id }).waitFor();
  expect(await focused()).toBe("title");
  await page.getByRole("button", { name: "Sync now …" }).waitFor();
  while ((await focused()) !== "panel-sync") await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sync this mailbox now?" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Sync this mailbox now?" }).waitFor({ state: "hidden" });
  expect(await focused()).toBe("panel-sync");
  await page.goBack();
  await expect.poll(focused).toBe(`open-${id}`);
  expect(await page.locator("#mailbox-list tbody tr").count()).toBe(1); // What was searched stands in the address.
});

describe("mailbox owners choose names, and nothing that they type may run", () => {
  const names = [
    '<img src=x onerror="alert(1)">',
    "</script><script>window.ranAway=1</script>",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a".repeat(10_000),
    "{{7*7}}",
  ];

  test("hostile names and colours show as they are", async () => {
    const id = ids[4] ?? "";
    for (const name of names)
      product.graph.createCalendar(id, { name, hexColor: "red;background:url(//evil.example)" });
    await product.countedTick();
    await open({}, `${dashboardUrl()}#/mailboxes`);
    await page.getByLabel("Search by name, address or id").fill(id);
    await page.keyboard.press("Enter");
    await listed(id).click();
    for (const name of names)
      await expect.poll(() => page.locator("main .name .wrap").allTextContents()).toContain(name);
    expect(await page.evaluate(() => "ranAway" in window)).toBe(false);
    expect(await page.locator("main img, dialog img, main script, dialog script").count()).toBe(0);
    const width = await page.locator("html").evaluate((element) => element.scrollWidth - element.clientWidth);
    expect(width).toBeLessThanOrEqual(1); // 10,000 letters do not push the page apart.
    expect(watched.faults).toEqual([]);
  });

  test("even what got into the page as HTML would not run", async () => {
    await page.evaluate(() => {
      const place = document.createElement("div");
      place.innerHTML = '<img src="x" onerror="window.ranAway=1"><a href="javascript:window.ranAway=1" id="bait">x</a>';
      document.body.append(place);
      document.getElementById("bait")?.click();
    });
    await expect
      .poll(() => watched.faults.filter((fault) => /Content Security Policy/.test(fault)).length)
      .toBeGreaterThan(1);
    expect(await page.evaluate(() => "ranAway" in window)).toBe(false);
  });

  test("the page comes with a policy that names its own script and style, and is kept by nobody", async () => {
    const { headers } = await fetch(dashboardUrl());
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; script-src( 'sha256-[\w+/]{43}='){2}; style-src 'sha256-[\w+/]{43}=';/,
    );
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });
});

describe("the function key", () => {
  const status = "**/api/status?*";

  test("goes along in a header, never in the page's text or in an address that can be copied", async () => {
    await open({}, `${dashboardUrl()}?code=s3cret#/mailboxes?state=fresh`);
    await verdictSays(/fresh/);
    expect(page.url()).toBe(`${dashboardUrl()}#/mailboxes?state=fresh`);
    const calls = watched.asked.filter((url) => !url.includes("/dashboard") && !url.startsWith("data:"));
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.join()).not.toContain("s3cret");
    const request = await page.waitForRequest(status);
    expect(request.headers()["x-functions-key"]).toBe("s3cret");
    expect(await page.content()).not.toContain("s3cret");
    expect(await page.evaluate(() => history.length)).toBe(2); // A blank page, and this one: back leads to no key.
  });

  test("is kept by this browser, and forgotten when somebody says so", async () => {
    await page.goto(dashboardUrl());
    await verdictSays(/fresh/);
    expect((await page.waitForRequest(status)).headers()["x-functions-key"]).toBe("s3cret");
    await Promise.all([page.waitForEvent("load"), page.getByRole("button", { name: "Forget the key" }).click()]);
    expect((await page.waitForRequest(status)).headers()["x-functions-key"]).toBeUndefined();
    await verdictSays(/fresh/);
    expect(await page.getByRole("button", { name: "Forget the key" }).count()).toBe(0); // There is none any more.
  });

  test("is asked for where the mirror wants one", async () => {
    await open();
    await page.route(status, async (route) => {
      if (route.request().headers()["x-functions-key"] === "right") return route.continue();
      return route.fulfill({ status: 401, body: "" });
    });
    await page.reload();
    await says("The mirror wants a function key of this app");
    await page.getByLabel("Function key").fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await says("The key that this browser keeps is not accepted.");
    await page.getByLabel("Function key").fill("right");
    await page.getByRole("button", { name: "Open" }).click();
    await verdictSays(/fresh/);
    expect(await page.getByLabel("Function key").isVisible()).toBe(false);
  });
});

test("what is shown stays when the mirror cannot be reached, and says how old it is, until it answers again", async () => {
  await open();
  await verdictSays(/fresh/);
  await page.route("**/api/status?*", (route) => route.abort());
  await page
    .getByRole("alert")
    .getByText(/cannot be reached.* old\./)
    .waitFor();
  await verdictSays("No answer for");
  expect(await page.locator("#verdict").getAttribute("class")).toBe("verdict bad");
  await page.locator(".headline").waitFor();
  await page.unroute("**/api/status?*");
  await page.route("**/api/status?*", (route) => route.fulfill({ status: 200, body: "<html>Sign in</html>" }));
  await page.getByRole("alert").getByText("Something else than the mirror has answered.").waitFor();
  await page.unroute("**/api/status?*");
  await page.getByRole("alert").waitFor({ state: "hidden" });
});

test("a status that is not new is not sent again, and the page goes on from what it has", async () => {
  await open();
  await verdictSays(/fresh/);
  const answered = (status: number) =>
    page.waitForResponse((response) => response.url().includes("/api/status?") && response.status() === status);
  await answered(304);
  await page.locator("#age", { hasText: /^read [0-2] s ago$/ }).waitFor();
  await verdictSays(/fresh/);
  const [response] = await Promise.all([answered(200), product.countedTick()]);
  expect(response.headers()["content-encoding"]).toBe("gzip");
  await answered(304);
  expect(watched.faults).toEqual([]);
});

test("charts go on when the table is new", async () => {
  await open();
  await page.locator(".plot canvas").first().waitFor();
  await page.route("**/api/status?*", async (route) => {
    const { "if-none-match": _, ...headers } = route.request().headers(); // Its own figures are on the page.
    const response = await route.fetch({ headers });
    const status = (await response.json()) as { activity: { ticks: unknown[] } };
    await route.fulfill({ response, json: { ...status, activity: { ...status.activity, ticks: [] } } });
  });
  await says("The charts begin with the second tick.");
  await page.unroute("**/api/status?*");
  await product.countedTick();
  await page.locator(".plot canvas").first().waitFor();
  await expect.poll(() => page.locator(".plot canvas").count()).toBe(2); // They are made one after the other.
  expect(watched.faults).toEqual([]);
});

describe("names, addresses and kinds, as discovery leaves them", () => {
  const name = "Samantha <b>Booth</b>";
  const address = "s.booth@contoso.example";
  const called = `${name} (${address})`;
  const rows = () => page.locator("#mailbox-list tbody tr");

  test("what is being typed is no search yet", async () => {
    await open({}, `${dashboardUrl()}#/mailboxes`);
    await expect.poll(() => rows().count()).toBe(mailboxes);
    await page.getByLabel("Search by name, address or id").fill("nobody is called that");
    await product.countedTick();
    await page.waitForResponse((response) => response.url().includes("/api/mailboxes?"));
    expect(await rows().count()).toBe(mailboxes);
    expect(await page.getByLabel("Search by name, address or id").inputValue()).toBe("nobody is called that");
  });

  beforeAll(async () => {
    const id = ids[0] ?? "";
    await product.write(shardOf(id, shards), mailboxKey(id), {
      displayName: name,
      userPrincipalName: address,
      kind: "room",
    });
    await product.countedTick();
    await open();
    await verdictSays(/fresh/);
  });

  test.each([
    ["a word of the name", "booth"],
    ["the address", "S.Booth@"],
    ["the id", null],
  ])("a mailbox is found by %s, and its name, address and kind are shown instead of an id", async (_, typed) => {
    await goTo("/mailboxes");
    await page.getByLabel("Search by name, address or id").fill(typed ?? ids[0] ?? "");
    await page.keyboard.press("Enter");
    await expect.poll(() => rows().count()).toBe(1);
    expect(await rows().locator("td").first().textContent()).toBe(`${name}${address}`);
    expect(await rows().locator(".badge").first().textContent()).toBe("Room");
    await listed(name).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await says(`${address} · ${ids[0]}`);
    await page.locator(".badge.kind", { hasText: "Room" }).waitFor();
  });

  test("a kind is counted, and a click lists its mailboxes and no others", async () => {
    await goTo("/");
    await page.getByRole("list", { name: "Kinds of mailboxes" }).getByRole("link", { name: "Room 1" }).click();
    await expect.poll(() => rows().count()).toBe(1);
    expect(await page.getByLabel("Kind", { exact: true }).inputValue()).toBe("room");
    await page.getByLabel("Kind", { exact: true }).selectOption("Unknown");
    await page.getByRole("button", { name: "Search" }).click();
    await expect.poll(() => rows().count()).toBe(mailboxes - 1);
    expect(await violations(page)).toEqual([]);
  });

  test("a trouble names its mailbox as people do, and so does the question before a release", async () => {
    product.graph.mailboxes.setState(ids[0] ?? "", { kind: "denied" });
    await product.countedTick();
    await goTo("/");
    const card = page.getByRole("article").filter({ hasText: "denied:ErrorAccessDenied" });
    await card.getByRole("link", { name: called, exact: true }).waitFor();
    product.graph.mailboxes.setState(ids[0] ?? "", { kind: "normal" });
    await card.getByRole("button", { name: `Retry now: ${called}` }).click();
    await panel().getByText(called).waitFor();
    await panel().getByRole("button", { name: "Retry it" }).click();
    await page.getByRole("status").getByText("It is being retried").waitFor();
    await product.countedTick();
    await verdictSays(`All ${mailboxes} mailboxes are fresh`);
    expect(await page.locator("main b b, main h2 b, h1 b, dialog b").count()).toBe(0);
    expect(watched.faults).toEqual([]);
  });
});

describe("people who see, read and use pages differently", () => {
  beforeEach(async () => {
    product.graph.mailboxes.setState(ids[5] ?? "", { kind: "denied" });
    await product.countedTick();
  });

  test.each(["light", "dark"] as const)(
    "meet nothing that a checker of accessibility finds, in %s",
    async (colorScheme) => {
      await open({ colorScheme });
      await verdictSays("1 mailbox needs attention");
      await page.locator(".plot canvas").first().waitFor();
      expect(await violations(page)).toEqual([]);
      await page
        .getByRole("link", { name: ids[5] ?? "", exact: true })
        .first()
        .click();
      await page.locator("#mailbox-body").getByText("Microsoft Graph refuses the app access").waitFor();
      expect(await violations(page)).toEqual([]);
    },
  );

  test("on a phone nothing is wider than the screen", async () => {
    await open({ viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
    await verdictSays("1 mailbox needs attention");
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(wider).toBeLessThanOrEqual(0);
  });
});
