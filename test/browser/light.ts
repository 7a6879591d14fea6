import { gzipSync } from "node:zlib";
import { buildDashboardPage } from "../../local/dashboardPage.js";
import { root } from "../../local/root.js";
import type { Status } from "../../shared/views/statusSchema.js";
import { launchBrowser } from "./browser.js";
import { traceTasks } from "./tasks.js";

/**
 * `npm run bench:dashboard`: what the dashboard costs a phone: a processor four times slower than this one, 150 ms away by a
 * line of 1.6 Mbit/s. The status is of 256 shards with 27 reasons and a day of ticks; it is made up, and served from here. Real:
 * the page and the browser. Per line: bytes, first contentful paint, when figures are there, and the longest task: by the clock of
 * the phone, which runs on while this machine does something else, and as four times the processor time that it takes here.
 */
const runs = 5;
const slower = 4;
const tickMs = 300_000;
const ticks = 288;
const startMs = Date.UTC(2026, 10, 28);
const origin = "http://mirror.example";

const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const page = await buildDashboardPage(root);
const browser = await launchBrowser();
try {
  for (let run = 0; run < runs; run++) console.log(await measure());
} finally {
  await browser.close();
}

async function measure(): Promise<string> {
  const { bytes, seen, figuresMs } = await visit(slower);
  const processorMs = slower * (await visit(1)).processorMs;
  const [first = 0, ...later] = bytes;
  const parts = [
    `page ${kB(page.html.length)} (gzip ${kB(gzipSync(page.html).length)})`,
    `first status ${kB(first)}, refresh ${kB(Math.max(...later))}`,
    `first paint ${Math.round(seen.paintMs)} ms, charts after ${Math.round(figuresMs)} ms`,
    `longest task ${Math.round(seen.longestMs)} ms by the clock (0: none over 50), ${Math.round(processorMs)} ms of processor time`,
    `charts at ${Math.round(seen.chartsTop)} px`,
  ];
  return parts.join("; ");
}

/** Opens the page and looks at two refreshes. @param rate How much slower the processor is than this one. */
async function visit(rate: number) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const tab = await context.newPage();
  const client = await context.newCDPSession(tab);
  await client.send("Emulation.setCPUThrottlingRate", { rate });
  await client.send("Network.enable");
  const line = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };
  await client.send("Network.emulateNetworkConditions", line);
  const bytes: number[] = [];
  await tab.route("**/*", async (route) => {
    const url = new URL(route.request().url());
    if (url.pathname === "/api/dashboard") {
      return route.fulfill({
        body: page.html,
        contentType: "text/html",
        headers: { "content-security-policy": page.policy },
      });
    }
    if (url.pathname !== "/api/status") return route.fulfill({ status: 404, json: { error: { message: "None." } } });
    const body = JSON.stringify(statusSince(url.searchParams.get("since"), bytes.length));
    bytes.push(body.length);
    return route.fulfill({ body, contentType: "application/json" });
  });
  await tab.addInitScript(() => {
    const tasks: number[] = [];
    Object.assign(window, { tasks });
    const observer = new PerformanceObserver((list) =>
      tasks.push(...list.getEntries().map(({ duration }) => duration)),
    );
    observer.observe({ entryTypes: ["longtask"] });
  });
  const endTrace = await traceTasks(client, origin);
  await tab.goto(`${origin}/api/dashboard`);
  await tab.locator("canvas").first().waitFor();
  const figuresMs = await tab.evaluate(() => performance.now());
  await tab.waitForTimeout(12_000); // Two refreshes.
  const seen = await tab.evaluate(() => ({
    paintMs: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
    longestMs: Math.max(0, ...(window as unknown as { tasks: number[] }).tasks),
    chartsTop: document.querySelector("#charts")?.getBoundingClientRect().top ?? Number.NaN,
  }));
  const processorMs = Math.max(0, ...(await endTrace()));
  await context.close();
  return { bytes, seen, figuresMs, processorMs };
}

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** A refresh is new each time: the newest tick has grown. */
function statusSince(since: string | null, asked: number): Partial<Status> {
  const all = Array.from({ length: ticks }, (_, index) => ({
    ...{ tick: `tick-${index}`, started: new Date(startMs + index * tickMs).toISOString(), seconds: 40, shards: 256 },
    ...{ rounds: 100_000, pages: 100_000, changes: (index * 7) % 90, graphRequests: 5_000, throttles: index % 3 },
    ...{ transactions: 13_000 + asked, standing: { mirrored: 100_000, fresh: 99_900 - (index % 50), attention: 60 } },
  }));
  const first = all.findIndex(({ tick }) => tick === since);
  const parked = Array.from({ length: 27 }, (_, index) => ({
    ...{ reason: `denied:ErrorSomethingLong${index}`, count: 40 },
    examples: Array.from({ length: 5 }, (_, number) => idOf(index * 5 + number)),
  }));
  const zero = { new: 0, inProgress: 0, waiting: 0, held: 0, suspended: 0, removing: 0 };
  const kinds = { user: 90_000, shared: 9_000, room: 1_000, equipment: 0, linked: 0, others: 0, unknown: 0 };
  return {
    now: new Date(startMs + ticks * tickMs).toISOString(),
    mailboxes: {
      ...{ total: 100_000, mirrored: 100_000, calendars: 600_000, neverSucceeded: 0, strategyNote: null },
      ...{ byState: { ...zero, fresh: 98_920, parked: 1_080 }, byKind: kinds, byStrategy: { delta: 100_000, list: 0 } },
      freshWithinTwoTicks: { count: 98_920, of: 100_000, share: 0.9892 },
      oldestSuccess: { at: new Date(startMs).toISOString(), mailbox: idOf(1) },
    },
    troubles: { parked, held: [], waiting: [], suspended: [] },
    drift: { changes: 0, mailboxes: 0 },
    activity: {
      total: { rounds: 0, pages: 0, changes: 0, graphRequests: 0, throttles: 0, transactions: 0 },
      ticks: all.slice(Math.max(0, first)),
    },
    ticks: { newest: new Date(startMs + (ticks - 1) * tickMs).toISOString(), intervalSeconds: 300, isLate: false },
    shards: [],
    roster: {
      ...{ source: "directory", state: "idle", discovered: 100_000, suspended: 0, held: null, lastErrorCode: null },
      ...{
        notBefore: null,
        leftOut: null,
        notLookedAt: 0,
        notLookedAtNote: null,
        untold: 0,
        lastFullRound: null,
        lastRound: null,
      },
    } as unknown as Status["roster"],
    brake: { isOn: false, code: null, since: null, until: null },
    application: null,
    settings: { graphCloud: "global" },
    about: { version: "0", app: "contoso-mirror", tenantId: idOf(0) },
  };
}
