import { hrefTo, mailboxHref } from "./address.js";
import type { Status } from "./api.js";
import { byId, changeOnly, el, show } from "./dom.js";
import { calledBy } from "./names.js";
import { clockTime, timeAgo } from "./times.js";
import { titleVerdict } from "./title.js";
import { comingUp, counted, inReadersNumbers, kindNames, kinds, number, span, stateNames, states } from "./words.js";

/** The state of the whole mirror: one big figure, how many mailboxes are in which state, and what else an operator looks for first. */

/** The whole mirror in one sentence. */
export type Verdict = { readonly kind: "good" | "busy" | "bad"; readonly text: string };

/** Our choice: as many as make the roster hold a shrink, for something has gone wrong where so many are not read. */
const suspendedShare = 0.2;
const suspendedMin = 3;

/** Why no mailbox is read now, though the mirror answers. Its states are then of the last reading, and none of them is green. */
export type Halt = "late" | "refused" | "throttled";

/** Null: mailboxes are read. */
export function haltOf({ ticks, brake, application }: Pick<Status, "ticks" | "brake" | "application">): Halt | null {
  if (ticks.isLate) return "late";
  return application !== null ? "refused" : brake.isOn ? "throttled" : null;
}

/** What is said while the mirror does not answer, whatever was read before. @param readAgoSeconds Null: nothing was read yet. */
export function silenceOf(isLocked: boolean, readAgoSeconds: number | null): Verdict {
  if (isLocked) return { kind: "bad", text: "Locked" };
  return { kind: "bad", text: readAgoSeconds === null ? "No figures" : `No answer for ${span(readAgoSeconds)}` };
}

/** What the status comes to; the worst first. */
export function verdictOf({ mailboxes, ticks, brake, application, roster, now }: Status): Verdict {
  const { parked, held, suspended } = mailboxes.byState;
  const sinceTick = ticks.newest === null ? 0 : (Date.parse(now) - Date.parse(ticks.newest)) / 1000;
  if (ticks.isLate) return { kind: "bad", text: `No tick for ${span(sinceTick)}` };
  if (application !== null)
    return { kind: "bad", text: "No mailbox is read: Graph refused nearly all that were asked" };
  if (brake.isOn)
    return { kind: "bad", text: `Graph throttles the application ${throttledUntil(brake.until, Date.parse(now))}` };
  if (mailboxes.total === 0) return { kind: "busy", text: "No mailbox is on the roster yet" };
  const troubled = parked + held;
  if (suspended >= suspendedMin && suspended > mailboxes.total * suspendedShare)
    return { kind: "bad", text: `${number(suspended)} of ${number(mailboxes.total)} mailboxes are suspended` };
  if (roster.held !== null) return { kind: "bad", text: "The roster is held" };
  if (troubled > 0) return { kind: "bad", text: `${counted(troubled, "mailbox needs", "mailboxes need")} attention` };
  const { count, of } = mailboxes.freshWithinTwoTicks;
  if (count < of)
    return { kind: "busy", text: `${number(of - count)} of ${counted(of, "mailbox", "mailboxes")} not fresh yet` };
  return { kind: "good", text: of === 1 ? "The mailbox is fresh" : `All ${number(of)} mailboxes are fresh` };
}

/** `until 17:22`, or until when it is tried once that time has come. */
function throttledUntil(until: string | null, nowMs: number): string {
  const untilMs = Date.parse(until ?? "");
  return untilMs > nowMs ? `until ${clockTime(untilMs)}` : "until the next tick";
}

/** Draws the section of figures. */
export function drawFreshness(place: HTMLElement, status: Status): void {
  const { mailboxes, roster } = status;
  const notes = [mailboxes.strategyNote, roster.notLookedAtNote].filter((note) => note !== null);
  show(
    place,
    headline(status),
    stateBar(mailboxes.byState, mailboxes.total, haltOf(status) !== null),
    haltLine(status),
    kindLegend(mailboxes.byKind),
    ...notes.map((note) => el("p", { class: "empty" }, inReadersNumbers(note))),
  );
}

/** Draws the tiles. */
export function drawFigures(place: HTMLElement, status: Status): void {
  show(place, tiles(status));
}

function headline({ mailboxes }: Status): HTMLElement {
  const { count, of, share } = mailboxes.freshWithinTwoTicks;
  const { suspended } = mailboxes.byState;
  const percent = share === null ? "–" : `${number(Math.floor(share * 1000) / 10)} %`;
  return el(
    "p",
    { class: "headline" },
    el("strong", {}, percent),
    ` ${number(count)} of ${counted(of, "mailbox", "mailboxes")} read within the last two ticks`,
    suspended > 0 ? `, not counting ${number(suspended)} suspended` : "",
  );
}

/** That the states are old, and since when. */
function haltLine(status: Status): HTMLElement | null {
  const halt = haltOf(status);
  if (halt === null) return null;
  const { ticks, brake, application } = status;
  const since = halt === "late" ? ticks.newest : (application ?? brake).since;
  const began =
    since === null ? [] : [halt === "late" ? "The last tick came " : "Reading stopped ", timeAgo(since), ". "];
  return el("p", { id: "halt", class: "note" }, ...began, "These are the states of the last reading.");
}

/** A bar, and the same as a list in words for screen readers too. @param isOld States are of the last reading, and said to be. */
function stateBar(byState: Status["mailboxes"]["byState"], total: number, isOld: boolean): HTMLElement {
  const present = stateNames.filter((name) => byState[name] > 0);
  const bar = el("div", { class: "bar", "aria-hidden": "true" });
  for (const name of present) {
    const part = el("span", { class: `state-${name}` });
    part.style.flexGrow = String(byState[name] / Math.max(1, total));
    bar.append(part);
  }
  const legend = el("ul", { class: "legend" });
  for (const name of present) {
    const link = el(
      "a",
      { id: `legend-${name}`, title: states[name].means, href: hrefTo("/mailboxes", { state: name }) },
      isOld && name === "fresh" ? "Fresh when last read " : `${states[name].label} `,
      el("b", {}, number(byState[name])),
    );
    legend.append(el("li", {}, el("span", { class: `dot state-${name}`, "aria-hidden": "true" }), link));
  }
  return el("div", {}, bar, legend);
}

/** How many mailboxes are of which kind; nothing where no kind is known. */
function kindLegend(byKind: Status["mailboxes"]["byKind"]): HTMLElement | null {
  const present = kindNames.filter((name) => byKind[name] > 0);
  if (present.every((name) => name === "unknown")) return null;
  const legend = el("ul", { class: "legend", "aria-label": "Kinds of mailboxes" });
  for (const name of present) {
    const href = hrefTo("/mailboxes", { kind: name });
    const count = el("b", {}, number(byKind[name]));
    legend.append(
      el("li", {}, el("a", { id: `kind-${name}`, title: kinds[name].means, href }, `${kinds[name].label} `, count)),
    );
  }
  return legend;
}

function tiles({ mailboxes, drift, ticks, brake, application, roster, activity, now }: Status): HTMLElement {
  const nowMs = Date.parse(now);
  const { oldestSuccess } = mailboxes;
  const last = activity.ticks.at(-1);
  const oldest =
    oldestSuccess === null
      ? "–"
      : el(
          "a",
          { id: "oldest", title: calledBy(oldestSuccess.mailbox), href: mailboxHref(oldestSuccess.mailbox) },
          timeAgo(oldestSuccess.at),
        );
  const syncs = last === undefined ? "" : `${counted(last.rounds, "sync")} in ${span(Math.max(1, last.seconds))}`;
  const interval = ticks.intervalSeconds === null ? "" : `every ${span(ticks.intervalSeconds)}`;
  return el(
    "dl",
    { class: "tiles" },
    tile("Mailboxes", number(mailboxes.mirrored), ""),
    tile("Calendars", number(mailboxes.calendars), ""),
    tile(
      "Stalest mailbox",
      oldest,
      mailboxes.neverSucceeded > 0 ? `${number(mailboxes.neverSucceeded)} never` : "",
      "oldestSuccess in the status: the mailbox for which Graph answered longest ago",
    ),
    tile("Last tick", timeAgo(ticks.newest), [interval, syncs].filter((text) => text !== "").join(", ")),
    tile(
      "Sync mode: list",
      number(mailboxes.byStrategy.list),
      mailboxes.byStrategy.list > 0 ? "read whole each time, not by delta" : "all by delta",
      "byStrategy in the status: who is read by the whole list, because delta is refused",
    ),
    tile(
      "Changes missed by delta",
      number(drift.changes),
      drift.mailboxes > 0 ? `in ${counted(drift.mailboxes, "mailbox", "mailboxes")}` : "none",
      "drift in the status: what audits found, and mended",
    ),
    brakeTile(brake, application, nowMs),
    tile(
      "Roster",
      roster.state,
      roster.source === "manual" ? "kept by hand" : `${roster.source}, ${number(roster.discovered)} discovered`,
    ),
    leftOutTile(roster),
  );
}

/** Accounts that a full pass of discovery has left out, and why. */
function leftOutTile({ leftOut, notLookedAt }: Status["roster"]): HTMLElement | null {
  if (leftOut === null) return null;
  const { disabled, guest, noMail, kind } = leftOut;
  const reasons: readonly (readonly [count: number, text: string])[] = [
    [disabled, `${number(disabled)} disabled`],
    [guest, counted(guest, "guest")],
    [noMail, `${number(noMail)} without mail`],
    [kind, `${number(kind)} of other kinds`],
    [notLookedAt, `${number(notLookedAt)} not looked at`],
  ];
  const total = reasons.reduce((sum, [count]) => sum + count, 0);
  const texts = reasons.filter(([count]) => count > 0).map(([, text]) => text);
  return tile("Left out", number(total), texts.join(", "));
}

function brakeTile(brake: Status["brake"], application: Status["application"], nowMs: number): HTMLElement {
  const means =
    "brake and application in the status: Graph throttles the app, or refused nearly all that were asked, and no mailbox is read";
  if (application !== null)
    return tile("Refused", "nearly all", `next try ${comingUp(application.until, nowMs)}`, means);
  return tile("Throttled", brake.isOn ? throttledUntil(brake.until, nowMs) : "no", "", means);
}

/** @param title What the contract calls it, where that is another word. */
function tile(name: string, figure: string | HTMLElement, note: string, title: string | null = null): HTMLElement {
  return el(
    "div",
    { class: "tile", title },
    el("dt", {}, name),
    el("dd", {}, el("span", { class: "figure" }, figure), el("small", {}, note)),
  );
}

/** Draws the verdict, also as the title of the window. */
export const drawVerdict = changeOnly(({ kind, text }: Verdict) => {
  const verdict = byId("verdict");
  verdict.textContent = text;
  verdict.className = `verdict ${kind}`;
  titleVerdict(text);
});
