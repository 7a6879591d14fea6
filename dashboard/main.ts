import { noteBrake } from "./actions.js";
import { ApiError, api, type Status, useKey } from "./api.js";
import { drawActivity } from "./charts.js";
import { byId } from "./dom.js";
import { drawFreshness, drawVerdict, verdictOf } from "./freshness.js";
import { historyList } from "./history.js";
import { initList, refreshShown } from "./list.js";
import { lookUp, namedIn } from "./names.js";
import { initPanel, openMailbox, refreshMailbox } from "./panel.js";
import { subscribersDrawer } from "./subscribers.js";
import { updateTimes } from "./times.js";
import { troublesDrawer } from "./troubles.js";
import { span } from "./words.js";

/** The dashboard: reads the status again and again while somebody looks, and draws what has changed. */

const refreshMs = 5_000;
/** While the mirror does not answer, the time between requests doubles up to this. */
const retryMsMax = 60_000;
/** After so many failures in a row the page says that its figures are old. */
const failuresMax = 3;

let readAtMs: number | null = null;
let failures = 0;
let census = "";
/** Runs alone write the change log: what it tells is the same while this is. */
let logged = "";
let timer = 0;
let isReading = false;

const history = historyList({ place: byId("history"), prefix: "change", read: api.history, open: openMailbox });
const drawSubscribers = subscribersDrawer(byId("subscribers"), () => void refresh());
const drawTroubles = troublesDrawer(() => void refresh());

async function refresh(): Promise<void> {
  clearTimeout(timer);
  if (isReading) return;
  isReading = true;
  try {
    const status = await api.status();
    draw(status);
    failures = 0;
    if (await lookUp(namedIn(status))) drawTroubles(status);
    await refreshMailbox(logged);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fail(error);
  } finally {
    isReading = false;
    const waitMs = Math.min(retryMsMax, refreshMs * 2 ** failures);
    if (!document.hidden) timer = window.setTimeout(() => void refresh(), waitMs);
  }
}

function draw(status: Status): void {
  readAtMs = Date.now();
  byId("failure").hidden = true;
  byId("key-form").hidden = true;
  byId("main").hidden = false; // Before the charts are drawn, which take the width of their container.
  noteBrake(status);
  drawVerdict(verdictOf(status));
  drawFreshness(status);
  drawTroubles(status);
  void drawSubscribers(status);
  drawActivity(status.activity.ticks);
  // The list costs more than the status, so it is read again only when a tick has changed something.
  const seen = JSON.stringify([status.ticks.newest, status.mailboxes.byState, status.mailboxes.calendars]);
  if (seen !== census) void refreshShown();
  census = seen;
  logged = JSON.stringify([status.activity.ticks.at(-1) ?? null, status.mailboxes.byState]);
  void history.refresh(logged);
  updateAge();
}

function fail(error: ApiError): void {
  failures += 1;
  const isLocked = error.status === 401 || error.status === 403;
  byId("key-form").hidden = !isLocked;
  const since = readAtMs === null ? "" : ` What is shown is ${span((Date.now() - readAtMs) / 1000)} old.`;
  const failure = byId("failure");
  failure.textContent = isLocked ? "The mirror wants a function key." : `${error.message}${since}`;
  failure.hidden = false;
  const silentSeconds = readAtMs === null ? 0 : (Date.now() - readAtMs) / 1000;
  if (failures >= failuresMax && !isLocked && readAtMs !== null) {
    drawVerdict({ kind: "bad", text: `No answer for ${span(silentSeconds)}` });
  }
  if (readAtMs === null) drawVerdict({ kind: "bad", text: isLocked ? "Locked" : "No figures" });
}

function updateAge(): void {
  updateTimes();
  byId("age").textContent = readAtMs === null ? "" : `read ${span((Date.now() - readAtMs) / 1000)} ago`;
}

byId<HTMLFormElement>("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId<HTMLInputElement>("key");
  useKey(input.value);
  input.value = "";
  failures = 0;
  void refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void refresh();
});
window.setInterval(updateAge, 1_000);
initList();
initPanel();
void refresh();
