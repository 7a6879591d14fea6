import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mailboxKey, shardOf } from "../../shared/store/keys.js";
import { type Product, shards, startProduct } from "../worlds/product.js";
import { launchBrowser, openWatched, phone, type Watched } from "./browser.js";

/** What people come for, each in three clicks or taps from the overview at most. */

const devices: readonly (readonly [string, BrowserContextOptions])[] = [
  ["at a desk", {}],
  ["on a phone, by tapping", phone],
];

describe.each(devices)("%s", (_, device) => {
  let product: Product;
  let browser: Browser;
  let watched: Watched;
  let page: Page;
  let ids: readonly string[];
  let clicks = 0;

  beforeAll(async () => {
    browser = await launchBrowser();
    product = await startProduct({ mailboxes: 4, calendars: 3 });
    ids = product.graph.mailboxes.ids();
    await product.add();
    await product.countedTick();
    for (const [index, name] of ["Adele Vance", "Megan Bowen", "Sam Baker", "Zoë Young"].entries()) {
      const id = ids[index] ?? "";
      const columns = { displayName: name, userPrincipalName: addressOf(id) };
      await product.write(shardOf(id, shards), mailboxKey(id), columns);
    }
    const [, megan = ""] = ids;
    for (const [index, { id }] of product.graph.truth(megan).slice(0, 2).entries()) {
      product.graph.updateCalendar(megan, id, { name: `Shared ${index}`, isShared: true });
    }
    await product.countedTick();
  });
  afterAll(async () => {
    await browser?.close();
    await product?.stop();
  });
  beforeEach(async () => {
    await watched?.page.context().close();
    watched = await openWatched(browser, `${product.hostUrl()}/api/dashboard`, device);
    page = watched.page;
    clicks = 0;
    await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  });

  const addressOf = (id: string) => {
    const owner = product.graph.truth(id)[0]?.["owner"] as { address?: string } | undefined;
    return owner?.address ?? "";
  };
  const isPhone = device.hasTouch === true;
  const click = async (place: Locator) => {
    clicks += 1;
    if (!isPhone) return place.click();
    await place.waitFor(); // The page reads the status every 5 s.
    const narrowest = async () => {
      const box = await place.boundingBox(); // Null while it is drawn anew.
      return Math.min(box?.width ?? 0, box?.height ?? 0);
    };
    await expect.poll(narrowest).toBeGreaterThanOrEqual(24);
    await place.tap();
  };
  /** Opening a list of choices and taking one counts as one. */
  const choose = async (label: string, choice: string) => {
    clicks += 1;
    await page.getByLabel(label, { exact: true }).selectOption(choice);
  };
  const nav = (name: string) => page.getByRole("navigation").getByRole("link", { name });
  const view = () => page.locator("#view");
  const finished = () => {
    expect(clicks).toBeLessThanOrEqual(3);
    expect(watched.faults).toEqual([]);
  };
  const rows = () => view().locator("tbody tr");
  const changes = () => page.locator("#history .history > li");

  test("all calendars that a person shares, by the person", async () => {
    await click(nav("Mailboxes"));
    await click(view().getByRole("link", { name: "Megan Bowen" }));
    await click(view().getByRole("link", { name: "All calendars that this person shares" }));
    await expect.poll(() => rows().count()).toBe(2);
    expect((await rows().locator("td").first().textContent()) ?? "").toMatch(/^Shared [01]/);
    await rows().getByRole("link", { name: "Megan Bowen" }).first().waitFor();
    finished();
  });

  test("the same over all mailboxes, by an address that is typed", async () => {
    await click(nav("Calendars"));
    await page.getByLabel("Owner's address").fill(addressOf(ids[1] ?? ""));
    await choose("Shared by its user", "yes");
    await expect.poll(() => rows().count()).toBe(2);
    finished();
  });

  test("what vanished yesterday", async () => {
    const [id = ""] = ids;
    const [, gone] = product.graph.truth(id);
    product.graph.renameCalendar(id, gone?.id ?? "", "Old plans");
    product.graph.deleteCalendar(id, gone?.id ?? "");
    await product.countedTick();
    const day = 24 * 60 * 60 * 1000;
    await page.clock.setSystemTime(Date.now() + day);
    await click(nav("Changes"));
    await click(view().getByRole("link", { name: "Yesterday" }));
    await choose("Kind", "Removed");
    await changes().filter({ hasText: "Removed" }).waitFor();
    await expect.poll(() => changes().count()).toBe(1);
    expect(await changes().textContent()).toMatch(/Adele Vance/);
    finished();
    // The day before that nothing did.
    await page.clock.setSystemTime(Date.now() + 2 * day);
    await page.getByLabel("Kind", { exact: true }).selectOption("any");
    await view().getByRole("link", { name: "Yesterday" }).press("Enter");
    await page.locator("#history").getByText("No such change is known.").waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Yesterday"); // By the keyboard one goes on from there.
  });

  test("release all denied, and see at once that it was asked for", async () => {
    const denied = ids.slice(0, 2);
    for (const id of denied) product.graph.mailboxes.setState(id, { kind: "denied" });
    await product.countedTick();
    const card = view().getByRole("article").filter({ hasText: "denied:ErrorAccessDenied" });
    await card.getByRole("button", { name: "Retry all 2 now …" }).waitFor();
    for (const id of denied) product.graph.mailboxes.setState(id, { kind: "normal" });
    await click(card.getByRole("button", { name: "Retry all 2 now …" }));
    await click(page.getByRole("dialog").getByRole("button", { name: "Retry them" }));
    await card
      .getByText(/^Retrying (at|with)/)
      .first()
      .waitFor();
    finished();
    await product.countedTick();
    await card.waitFor({ state: "hidden" });
  });

  test("why is this one behind: from what needs a look, and from the list", async () => {
    const [, , id = ""] = ids;
    product.graph.mailboxes.setState(id, { kind: "denied" });
    await product.countedTick();
    if (isPhone) await click(view().locator("article summary").first()); // Folded, where there is little room.
    await click(
      view()
        .getByRole("link", { name: /Sam Baker/ })
        .first(),
    );
    const why = page.locator("#panel-why");
    await why.getByText("Microsoft Graph refuses the app access").waitFor();
    expect(await why.textContent()).toMatch(/1 failure in a row, since .* What is served was read .* ago\./);
    await view()
      .getByText(/^Request id for Microsoft’s support: [\da-f-]{36}$/)
      .waitFor();
    finished();
    clicks = 0;
    await click(nav("Mailboxes"));
    await choose("State", "parked");
    await expect.poll(() => rows().count()).toBe(1);
    expect(await rows().textContent()).toContain("denied:ErrorAccessDenied");
    await click(rows().getByRole("link", { name: "Sam Baker" }));
    await why.getByText("Microsoft Graph refuses the app access").waitFor();
    finished();
    product.graph.mailboxes.setState(id, { kind: "normal" });
  });

  test("who renamed that: in whose mailbox, which calendar, from what to what; and that Graph tells no more", async () => {
    const [, , , id = ""] = ids;
    const [calendar] = product.graph.truth(id);
    product.graph.renameCalendar(id, calendar?.id ?? "", "Ops rota");
    await product.countedTick();
    await click(nav("Changes"));
    await choose("Kind", "Updated");
    const line = changes().filter({ hasText: "Ops rota" });
    await line.waitFor();
    expect(await line.locator(".differences").textContent()).toBe(`Name: ${calendar?.name} → Ops rota`);
    await view().getByText("Graph does not say who made a change").waitFor();
    await click(line.getByRole("link", { name: "Zoë Young" }));
    await page.locator("#panel-history").getByText("Ops rota").first().waitFor();
    finished();
  });

  describe("a view's address", () => {
    test("shows a colleague the same, and holds no key; back leads to where one was", async () => {
      await click(nav("Mailboxes"));
      await page.getByLabel("Search by name, address or id").fill("bowen");
      await page.keyboard.press("Enter");
      await expect.poll(() => rows().count()).toBe(1);
      const address = page.url();
      await click(rows().getByRole("link", { name: "Megan Bowen" }));
      await page.getByRole("heading", { name: "Megan Bowen", level: 1 }).waitFor();
      await page.goBack();
      await expect.poll(() => rows().count()).toBe(1);
      expect(page.url()).toBe(address);
      const theirs = await openWatched(browser, address, device);
      await expect.poll(() => theirs.page.locator("#view tbody tr").count()).toBe(1);
      expect(await theirs.page.getByLabel("Search by name, address or id").inputValue()).toBe("bowen");
      expect(address).not.toMatch(/code|key/);
      await theirs.page.context().close();
      finished();
    });
  });
});
