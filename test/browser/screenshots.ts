import { join } from "node:path";
import type { Page } from "playwright-core";
import { productAt } from "../../local/start/product.js";
import { mailboxKey, shardOf } from "../../shared/store/keys.js";
import { shards, startProduct } from "../worlds/product.js";
import { launchBrowser } from "./browser.js";

/** `npm run screenshots`: the dashboard's main views, as docs/ shows them. */

const docs = join(import.meta.dirname, "..", "..", "docs");
const names = ["Calendar", "On call", "Lab bookings", "Travel", "Interviews", "Birthdays", "Release train"];
const hexColors = ["", "#1f9e8f", "#d2603b", "#7a5cc9", "#3b7dd8", "#c7a017", "#2f9e63"];

const product = await startProduct({ mailboxes: 60, calendars: 7, settings: { AUDIT_DAYS: "30" } });
const browser = await launchBrowser();
try {
  const { graph } = product;
  const ids = graph.mailboxes.ids();
  for (const id of ids) {
    for (const [index, calendar] of graph.truth(id).entries()) {
      graph.updateCalendar(id, calendar.id, { name: names[index] ?? "Plans", hexColor: hexColors[index] ?? "" });
    }
  }
  await productAt(product.hostUrl()).addMailboxes(
    ids.map((id) => ({ id, displayName: graph.mailboxes.displayName(id) })),
  );
  for (const [index, id] of ids.entries()) {
    const name = graph.mailboxes.displayName(id) ?? id;
    const userPrincipalName = `${name.toLowerCase().replaceAll(" ", ".")}@contoso.example`;
    const kind = index % 7 === 0 ? "room" : index % 5 === 0 ? "shared" : "user";
    await product.write(shardOf(id, shards), mailboxKey(id), { userPrincipalName, kind });
  }
  const [denied = "", gone = "", full = "", held = "", shown = ""] = ids;
  await product.countedTick();
  for (let tick = 0; tick < 9; tick++) {
    for (let edit = 0; edit < (tick * 7) % 16; edit++) graph.editAtRandom();
    if (tick === 3) graph.faults.add({ kind: "throttled", rate: 0.4, seconds: 0, count: 12 });
    if (tick === 4) graph.faults.clear();
    await product.countedTick();
  }
  graph.deleteCalendar(shown, graph.truth(shown)[5]?.id ?? "");
  graph.mailboxes.setState(denied, { kind: "denied" });
  graph.mailboxes.setState(gone, { kind: "gone", code: "MailboxNotEnabledForRESTAPI" });
  graph.mailboxes.setState(full, { kind: "full" });
  for (const { id } of graph.truth(held).slice(1)) graph.deleteCalendar(held, id);
  graph.mailboxes.forgetLinks(held);
  await product.countedTick();
  await view("dashboard.png", { width: 1180, height: 1000 }, "light");
  await view("dashboard-mailbox.png", { width: 1180, height: 720 }, "light", shown);
  await view("dashboard-phone.png", { width: 390, height: 844 }, "dark");
} finally {
  await browser.close();
  await product.stop();
}

async function view(
  name: string,
  viewport: { width: number; height: number },
  colorScheme: "light" | "dark",
  mailbox: string | null = null,
): Promise<void> {
  const page: Page = await browser.newPage({ viewport, colorScheme });
  await page.goto(`${product.hostUrl()}/api/dashboard#/${mailbox === null ? "" : `mailboxes/${mailbox}`}`);
  await page
    .locator(mailbox === null ? ".plot canvas" : "#mailbox-body .swatch")
    .first()
    .waitFor();
  // Where mailboxes in need show at once, their names are looked up after the charts.
  if (mailbox === null && viewport.width > 700) await page.locator(".who .name a:not(.id)").first().waitFor();
  await page.screenshot({ path: join(docs, name) });
  await page.close();
}
