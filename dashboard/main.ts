import { noteBrake } from "./actions.js";
import { ApiError, api, type Status } from "./api.js";
import { byId, nextTask } from "./dom.js";
import { drawVerdict, haltOf, silenceOf, verdictOf } from "./freshness.js";
import { currentKey, forgetKey, useKey } from "./key.js";
import { loadLanguage } from "./language.js";
import { forgetOperator, learnOperator } from "./operator.js";
import { initRouter, tellView } from "./router.js";
import { setClock, updateTimes } from "./times.js";
import { span } from "./words.js";

/** The dashboard: reads the status again and again while somebody looks, and lets the view that is shown draw what has changed. */

const refreshMs = 5_000;
/** While the mirror does not answer, the time between requests doubles up to this. */
const retryMsMax = 60_000;

/** While the first answer is on its way. */
const language = loadLanguage();
let read: { readonly status: Status; readonly atMs: number } | null = null;
let failures = 0;
let timer = 0;
let isReading = false;

async function refresh(): Promise<void> {
  clearTimeout(timer);
  if (isReading) return;
  isReading = true;
  try {
    const [status] = await Promise.all([api.status(), language]);
    await nextTask(); // Reading the answer has been a piece of work already.
    failures = 0;
    tell(status);
    void learnOperator();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    fail(error);
  } finally {
    isReading = false;
    const waitMs = Math.min(retryMsMax, refreshMs * 2 ** failures);
    if (!document.hidden) timer = window.setTimeout(() => void refresh(), waitMs);
  }
}

function tell(status: Status): void {
  read = { status, atMs: Date.now() };
  byId("failure").hidden = true;
  byId("key-form").hidden = true;
  byId("key-forget").hidden = currentKey() === null;
  byId("main").hidden = false; // Before the charts are drawn, which take the width of their container.
  setClock(status.now); // Before anything is drawn that has an age.
  noteBrake(status);
  drawFoot(status);
  drawVerdict(verdictOf(status));
  showHalted(haltOf(status) !== null);
  const { ticks, mailboxes, activity } = status;
  tellView({
    status,
    census: JSON.stringify([ticks.newest, mailboxes.byState, mailboxes.calendars]),
    logged: JSON.stringify([activity.ticks.at(-1) ?? null, mailboxes.byState]),
  });
  updateAge();
}

/** What was read stays, under a verdict that does not claim it is so now. */
function fail(error: ApiError): void {
  failures += 1;
  const isLocked = error.status === 401 || error.status === 403;
  byId("key-form").hidden = !isLocked;
  byId("key-forget").hidden = currentKey() === null;
  if (isLocked) byId("main").hidden = true;
  const since = read === null ? "" : ` What is shown is ${span((Date.now() - read.atMs) / 1000)} old.`;
  const failure = byId("failure");
  failure.textContent = isLocked ? lockedText() : `${error.message}${since}`;
  failure.hidden = false;
  drawSilence(isLocked);
}

/** Which key is wanted, and what was wrong with the one that was sent. */
function lockedText(): string {
  const wanted = "The mirror wants a function key of this app, such as the one called default.";
  return currentKey() === null ? wanted : `The key that this browser keeps is not accepted. ${wanted}`;
}

function drawSilence(isLocked: boolean): void {
  drawVerdict(silenceOf(isLocked, read === null ? null : (Date.now() - read.atMs) / 1000));
  showHalted(true);
}

/** While nobody is read, or nothing is heard of it, what was fresh is not green. */
function showHalted(isHalted: boolean): void {
  document.body.classList.toggle("halted", isHalted);
}

function drawFoot({ about, settings }: Status): void {
  const parts = [
    `calendar-mirror ${about.version}`,
    about.app === null ? null : `app ${about.app}`,
    about.tenantId === null ? null : `tenant ${about.tenantId}`,
    settings.graphCloud === undefined ? null : `cloud ${settings.graphCloud}`,
  ];
  byId("about").textContent = parts.filter((part) => part !== null).join(" · ");
}

function updateAge(): void {
  updateTimes();
  byId("age").textContent = read === null ? "" : `read ${span((Date.now() - read.atMs) / 1000)} ago`;
}

byId<HTMLFormElement>("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = byId<HTMLInputElement>("key");
  useKey(input.value);
  forgetOperator();
  input.value = "";
  failures = 0;
  void refresh();
});
byId("key-forget").addEventListener("click", () => {
  forgetKey();
  location.reload();
});
byId("skip").addEventListener("click", () => byId("title").focus());
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void refresh();
});
window.addEventListener("offline", () => fail(new ApiError(0, "This device is offline.")));
window.addEventListener("online", () => void refresh());
window.setInterval(updateAge, 1_000);
initRouter(() => void refresh());
void refresh();
