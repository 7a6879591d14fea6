import type { Page } from "playwright-core";
import type { Status } from "../../shared/views/statusSchema.js";

/** Statuses of the mirror that are hard to bring about, as the page reads them. */

/** The status as the page reads it, with this in it. */
export async function withStatus(page: Page, change: (status: Status) => Partial<Status>): Promise<void> {
  await page.route("**/api/status?*", async (route) => {
    const { "if-none-match": _had, ...headers } = route.request().headers();
    const response = await route.fetch({ headers });
    const status = (await response.json()) as Status;
    await route.fulfill({ response, json: { ...status, ...change(status) } });
  });
  await page.reload();
}

/** As many reasons, each with some of these mailboxes. */
export function reasonsOf(ids: readonly string[], count: number): Status["troubles"]["parked"] {
  return Array.from({ length: count }, (_, index) => ({
    reason: `denied:Error${index}`,
    count: 100 - index,
    examples: [ids[index % ids.length] ?? ""],
  }));
}
