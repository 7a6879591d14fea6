import { existsSync } from "node:fs";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * @param flags More arguments for Chromium.
 * @throws Error that says how to get a browser, where there is none: a page that was never looked at is not tested.
 */
export async function launchBrowser(flags: readonly string[] = []): Promise<Browser> {
  const named = process.env["CHROMIUM_PATH"];
  const executablePath = [...(named === undefined ? [] : [named]), ...places].find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error("There is no Chromium. Install it (apt-get install chromium), or name it in CHROMIUM_PATH.");
  }
  // As root, in a container, Chromium has no sandbox of its own; it opens nothing but our own page.
  const args = [...(process.getuid?.() === 0 ? ["--no-sandbox"] : []), ...flags];
  return chromium.launch({ executablePath, args });
}

/** A phone, which is touched. */
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true } as const;

/** A page, and all that it should not do: run what it should not, talk to strangers, break its own policy, or throw. */
export type Watched = { readonly page: Page; readonly faults: string[]; readonly asked: string[] };

export async function openWatched(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const faults: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => faults.push(`threw ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    asked.push(request.url());
    const { protocol, origin } = new URL(request.url());
    if (protocol !== "data:" && origin !== new URL(url).origin) faults.push(`asked ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults, asked };
}

/**
 * What a narrow window hides: what scrolls sideways or ends beyond the screen, text that is cut at its side, and what is to be tapped
 * but too small for a finger (24 px, WCAG 2.5.8). What is folded, or meant for screen readers alone, is not looked at.
 */
export async function misfits(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const named = (element: Element) =>
      `${element.tagName}#${element.id}.${element.className}: ${element.textContent?.slice(0, 60)}`;
    for (const element of document.body.querySelectorAll<HTMLElement>("*")) {
      const { width, height, right, left } = element.getBoundingClientRect();
      const isSeen = element.checkVisibility() && right > 0 && width > 0 && height > 0;
      if (!isSeen || element.closest(".uplot") !== null) continue;
      const text = element.textContent?.trim() ?? "";
      const overflow = getComputedStyle(element).overflowX;
      const isWider = element.scrollWidth > element.clientWidth + 1;
      if (isWider && overflow !== "visible" && text !== "")
        found.push(`${overflow === "hidden" ? "cut" : "scrolls"} ${named(element)}`);
      if (text !== "" && (right > innerWidth + 1 || left < -1)) found.push(`beyond the screen ${named(element)}`);
      const isTapped = element.matches("a[href], button, input, select, summary");
      if (isTapped && Math.min(width, height) < 24) found.push(`${width}×${height} ${named(element)}`);
    }
    return found;
  });
}
