import { gzipSync } from "node:zlib";
import { buildDashboardPage } from "../../local/dashboardPage.js";
import { root } from "../../local/root.js";
import type { Status } from "../../shared/views/statusSchema.js";
import { launchBrowser } from "./browser.js";
import { traceTasks } from "./tasks.js";

/**
 * `npm run bench:dashboard`: what the dashboard costs a phone: a processor four times slower than this one, 150 ms away by a
 * line of 1.6 Mbit/s. The status is of 256 shards with 27 reasons and a day of ticks; it is made up, and served from here, as are
 * lists of 50 rows. Real: the page and the browser. Per line: bytes, first contentful paint, when figures are there, and the longest
 * task: by the clock of the phone, which runs on while this machine does something else, and as four times the processor time
 * that it takes here, in which view. Then each other view is opened in turn.
 *
 * Nothing is asked of the page while it is measured: what a driver has it evaluate would be its longest task. V8 is told to note
 * source positions when it compiles: else a trace, which wants them for each request and timer, has it parse the script once more.
 */
const runs = 5;
const slower = 4;
const tickMs = 300_000;
const ticks = 288;
const startMs = Date.UTC(2026, 10, 28);
const origin = "http://mirror.example";
/** By their addresses, and for how long each is looked at: long enough for two refreshes of the first. */
const visits = [
  { path: "/", ms: 13_000 },
  { path: "/?charts=all", ms: 2_500 },
  { path: "/mailboxes", ms: 2_500 },
  { path: `/mailboxes/${idOf(1)}`, ms: 2_500 },
  { path: "/changes", ms: 2_500 },
  { path: "/calendars?name=a", ms: 2_500 },
  { path: "/subscribers", ms: 2_500 },
  { path: "/actions", ms: 2_500 },
  { path: "/guide", ms: 2_500 },
] as const;

const page = await buildDashboardPage(root);
const browser = await launchBrowser(["--js-flags=--no-enable-lazy-source-positions"]);
try {
  for (let run = 0; run < runs; run++) console.log(await measure());
} finally {
  await browser.close();
}

async function measure(): Promise<string> {
  const { bytes, seen } = await visit(slower);
  const unslowed = (await visit(1)).tasks.map((task) => ({ ...task, processorMs: slower * task.processorMs }));
  const [first = 0, ...later] = bytes;
  const longest = longestIn(unslowed);
  const parts = [
    `page ${kB(page.html.length)} (gzip ${kB(gzipSync(page.html).length)})`,
    `first status ${kB(first)}, refresh ${kB(Math.max(...later))}`,
    `first paint ${Math.round(seen.paintMs)} ms, charts after ${Math.round(seen.chartsMs)} ms`,
    `longest task ${Math.round(seen.longestMs)} ms by the clock (0: none over 50), ${text(longest)}`,
    `the longest of each view: ${visits.map(({ path }) => text(longestIn(unslowed, path))).join(", ")}`,
    `charts at ${Math.round(seen.chartsTop)} px`,
  ];
  return parts.join("; ");
}

type Timed = { readonly path: string; readonly processorMs: number };

function longestIn(tasks: readonly Timed[], path: string | null = null): Timed {
  return tasks
    .filter((task) => path === null || task.path === path)
    .reduce((longest, task) => (task.processorMs > longest.processorMs ? task : longest), {
      path: path ?? "",
      processorMs: 0,
    });
}

function text({ path, processorMs }: Timed): string {
  return `${Math.round(processorMs)} ms of processor time in ${path.replace(idOf(1), "…")}`;
}

/** Opens the page, looks at two refreshes, and then at each view. @param rate How much slower the processor is than this one. */
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
    if (url.pathname !== "/api/status") return route.fulfill({ json: listOf(url.pathname) });
    const body = JSON.stringify(statusSince(url.searchParams.get("since"), bytes.length));
    bytes.push(body.length);
    return route.fulfill({ body, contentType: "application/json" });
  });
  await tab.addInitScript((paths: readonly { readonly path: string; readonly ms: number }[]) => {
    const seen = {
      startedMs: performance.now(),
      longestMs: 0,
      chartsMs: Number.NaN,
      chartsTop: Number.NaN,
      openedMs: [] as number[],
    };
    Object.assign(window, { seen });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.longestMs = Math.max(seen.longestMs, duration);
    }).observe({ entryTypes: ["longtask"] });
    const waiting = setInterval(() => {
      if (document.querySelector("canvas") === null) return;
      seen.chartsMs = performance.now();
      clearInterval(waiting);
    }, 20);
    let atMs = 0;
    for (const [index, { path, ms }] of paths.entries()) {
      setTimeout(() => {
        seen.openedMs[index] = performance.now();
        if (index === 1) seen.chartsTop = document.querySelector("#charts")?.getBoundingClientRect().top ?? Number.NaN;
        if (index > 0) location.hash = path;
      }, atMs);
      atMs += ms;
    }
  }, visits);
  const endTrace = await traceTasks(client, origin);
  await tab.goto(`${origin}/api/dashboard`);
  await tab.waitForTimeout(visits.reduce((sum, { ms }) => sum + ms, 0) + 500);
  const traced = await endTrace();
  const seen = await tab.evaluate(() => ({
    ...(
      window as unknown as {
        seen: { startedMs: number; longestMs: number; chartsMs: number; chartsTop: number; openedMs: number[] };
      }
    ).seen,
    paintMs: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.NaN,
  }));
  const tasks = traced.map(({ atMs, processorMs }): Timed => {
    const openedBefore = seen.openedMs.filter((openedMs) => openedMs <= atMs + seen.startedMs + 5).length;
    return { path: visits[Math.max(0, openedBefore - 1)]?.path ?? "", processorMs };
  });
  await context.close();
  return { bytes, seen, tasks };
}

function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
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
    version: "0.1.0",
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

/** What the other routes answer: lists as long as a page of them is. */
function listOf(path: string): unknown {
  const rows = <Row>(row: (index: number) => Row) => Array.from({ length: 50 }, (_, index) => row(index));
  const page = { cursor: null, lookedBackTo: null, searchedUntil: null, mailboxes: 50 };
  const time = new Date(startMs).toISOString();
  const mailbox = (index: number) => ({
    ...{ id: idOf(index), displayName: `Adele Vance ${index}`, userPrincipalName: `adele.${index}@contoso.example` },
    ...{ kind: "user", state: index % 5 === 0 ? "parked" : "fresh", phase: "idle", strategy: "delta" },
    ...{ round: { reason: "changes", started: time, pages: 1 }, calendarCount: 50, generation: 1, sequence: 9 },
    ...{ notBefore: null, lastSuccess: time, lastChange: time, lastFullRound: time, failuresInARow: 0 },
    ...{
      lastErrorCode: null,
      failingSince: null,
      lastRequestId: null,
      heldRemovals: null,
      driftFound: 0,
      roster: null,
    },
    parkedReason: index % 5 === 0 ? "denied:ErrorAccessDenied" : null,
  });
  const calendar = (index: number) => ({
    ...{ id: `calendar-${index}`, name: `On call ${index}`, ownerName: "Adele", ownerAddress: "adele@contoso.example" },
    ...{ owner: { name: "Adele", address: "adele@contoso.example" }, isDefaultCalendar: index === 0, changed: time },
    ...{ color: "auto", hexColor: "#1f9e8f", removed: index > 40 ? time : null, mailbox: mailbox(index) },
    ...{ canEdit: true, canShare: true, canViewPrivateItems: true, isShared: false },
  });
  const change = (index: number) => ({
    ...{ id: `00-${index}-0-0`, time: new Date(startMs - index * tickMs).toISOString(), mailbox: mailbox(index) },
    ...{ kind: "updated", calendar: { id: "c", name: "On call", owner: null }, replacedId: null, leftOut: 0 },
    ...{ before: { name: "Duty" }, after: { name: "On call" } },
  });
  if (path.endsWith("/operator")) return { kind: "key", name: "0123abcd" };
  if (path.endsWith("/history")) return { ...page, value: rows(change).slice(0, 10) };
  if (path.endsWith("/actions")) return { ...page, value: [] };
  if (path.endsWith("/subscribers")) return { ...page, value: [] };
  if (path.endsWith("/mailboxes")) return { ...page, value: rows(mailbox) };
  if (path === "/api/calendars") return { ...page, value: rows(calendar) };
  if (path.endsWith("/calendars")) return { mailbox: mailbox(1), value: rows(calendar) };
  return mailbox(1);
}
