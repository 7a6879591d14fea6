import { hrefTo } from "./address.js";
import type { MailboxCalendarsView, MailboxView } from "./api.js";
import { el } from "./dom.js";
import { nameOf } from "./names.js";
import { explained } from "./reasons.js";
import { swatchOf } from "./swatch.js";
import { tableOf } from "./table.js";
import { timeAgo } from "./times.js";
import { counted, kinds, number, states } from "./words.js";

/** The parts of a mailbox's view. */

type Calendar = MailboxCalendarsView["value"][number];

/** Address and id, unless they are the title already. */
export function whose(mailbox: MailboxView): HTMLElement | null {
  const { id, userPrincipalName } = mailbox;
  const title = nameOf(mailbox);
  if (title === id) return null;
  const hasAddress = userPrincipalName !== null && userPrincipalName !== "" && userPrincipalName !== title;
  return el("p", { class: "wrap" }, hasAddress ? `${userPrincipalName} · ` : null, el("span", { class: "id" }, id));
}

/** Graph's request id of the answer that failed last; one click marks all of it, to be copied. Null where there is none. */
export function requestLine(requestId: string | null): HTMLElement | null {
  if (requestId === null) return null;
  return el("span", { class: "request" }, "Request id for Microsoft’s support: ", el("code", {}, requestId));
}

/** How it stands, and why. @param asked What an operator has just asked for. */
export function standing(mailbox: MailboxView, asked: string | null): HTMLElement {
  const { label } = states[mailbox.state] ?? { label: mailbox.state };
  const reason = mailbox.parkedReason ?? mailbox.lastErrorCode;
  const facts = factsOf(mailbox).map(([name, ...value]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, ...value.filter((part) => part !== ""))),
  );
  return el(
    "div",
    {},
    el(
      "p",
      {},
      el("span", { class: `badge state-${mailbox.state}` }, label),
      " ",
      el("span", { class: "badge kind" }, kinds[mailbox.kind]?.label ?? mailbox.kind),
      reason === null ? null : el("code", {}, ` ${reason}`),
    ),
    asked === null ? null : el("p", { class: "asked" }, asked),
    el("p", { id: "panel-why" }, ...whyOf(mailbox)),
    requestLine(mailbox.lastRequestId),
    el("dl", { class: "facts" }, ...facts),
  );
}

/** Why it is behind, or that it is not: in a sentence or two. */
function whyOf(mailbox: MailboxView): (Node | string)[] {
  const { state, parkedReason, lastErrorCode, notBefore, failuresInARow, failingSince, lastSuccess, round } = mailbox;
  const reason = parkedReason ?? lastErrorCode;
  const said: (Node | string)[] = [states[state]?.means ?? state];
  if (reason !== null && state !== "fresh") {
    const guide = el("a", { id: "panel-guide", href: hrefTo("/guide", { code: reason }) }, "What to do");
    said.push(` ${explained(reason)} `, guide, ".");
  }
  if (failuresInARow > 0) said.push(` ${counted(failuresInARow, "failure")} in a row`);
  if (failuresInARow > 0) said.push(...(failingSince === null ? ["."] : [", since ", timeAgo(failingSince), "."]));
  if (state !== "fresh" && lastSuccess !== null) said.push(" What is served was read ", timeAgo(lastSuccess), ".");
  if (notBefore !== null) said.push(" Graph is asked again ", timeAgo(notBefore), ".");
  else if (state === "parked") said.push(" It is tried again when somebody chooses “Retry now”.");
  if (state === "inProgress" && round.started !== null) said.push(" The sync began ", timeAgo(round.started), ".");
  return said;
}

type Fact = readonly [name: string, ...value: (Node | string)[]];

function factsOf(mailbox: MailboxView): Fact[] {
  const { roster } = mailbox;
  const facts: Fact[] = [
    ["Last success", timeAgo(mailbox.lastSuccess)],
    ["Last change", timeAgo(mailbox.lastChange)],
    ["Sync mode", mailbox.strategy === "delta" ? "delta" : "list: all of it in each sync"],
    ["Changes missed by delta", number(mailbox.driftFound)],
  ];
  if (mailbox.heldRemovals !== null) facts.push(["Removals held", number(mailbox.heldRemovals)]);
  if (roster != null) facts.push(["On the roster by", roster.source === "manual" ? "hand" : roster.source]);
  return facts;
}

/** The calendars that exist. */
export function calendarTable(calendars: readonly Calendar[]): HTMLElement {
  return tableOf(["Calendar", "Owner", "Updated"], calendars.map(cellsOf));
}

function cellsOf(calendar: Calendar) {
  const owner = [calendar.ownerName, calendar.ownerAddress].filter((text) => text !== null && text !== "").join(", ");
  const badge = calendar.isDefaultCalendar ? el("span", { class: "badge" }, "default") : null;
  const name = el("span", { class: "wrap" }, calendar.name ?? "(no name)");
  return [
    { class: "name", children: [swatchOf(calendar), name, badge] },
    { class: "wrap", children: [owner] },
    { class: "time", children: [timeAgo(calendar.changed)] },
  ];
}

/** Those that are gone, under a heading of their own; nothing where there are none. @param means What the heading means, where it does not say that itself. */
export function goneList(heading: string, calendars: readonly Calendar[], means: string | null): HTMLElement[] {
  if (calendars.length === 0) return [];
  const list = el("ul", { class: "removed" });
  for (const { name, removed } of calendars) {
    list.append(el("li", {}, el("span", { class: "wrap" }, name ?? "(no name)"), " · ", timeAgo(removed)));
  }
  const note = means === null ? [] : [el("p", { class: "empty" }, means)];
  return [el("h2", {}, `${heading} (${number(calendars.length)})`), ...note, list];
}
