import { mailboxHref } from "./address.js";
import type { HistoryPage } from "./api.js";
import { el } from "./dom.js";
import { nameOf } from "./names.js";
import { type PagedList, pagedList } from "./pagedList.js";
import { timeAgo } from "./times.js";
import { changes, counted, propertyText, valueText } from "./words.js";

/** What changed lately, newest first. That of one mailbox by syncs: `syncs.ts`. */

export type Item = HistoryPage["value"][number];

type Parts = {
  readonly place: HTMLElement;
  /** Begins the ids of its buttons, which no other list on the page has. */
  readonly prefix: string;
  readonly read: (cursor: string | null) => Promise<HistoryPage>;
  /** What is said where there are none. */
  readonly none: string;
};

/** Items of the history that are read at once. */
const changesAtOnce = 10;

/** The path of a page of the history. */
export function historyPath(
  route: string,
  filter: Readonly<Record<string, string>>,
  cursor: string | null,
  top = changesAtOnce,
): string {
  const query = new URLSearchParams({ top: String(top), ...filter });
  if (cursor !== null) query.set("cursor", cursor);
  return `${route}?${query}`;
}

/** Makes the list of all mailboxes' changes, in its place. */
export function historyList({ place, prefix, read, none }: Parts): PagedList {
  return pagedList<Item>({
    place,
    prefix,
    read: async (cursor) => {
      const { value, lookedBackTo, cursor: next } = await read(cursor);
      return { items: value, cursor: next, lookedBackTo };
    },
    draw: (items) => changeLines(items, prefix, true),
    more: "Earlier changes",
    none,
  });
}

/** @param isOfAll False where all are of one mailbox, which is then not named. */
export function changeLines(items: readonly Item[], prefix: string, isOfAll: boolean): HTMLElement {
  return el("ul", { class: "history" }, ...items.map((item) => lineOf(item, prefix, isOfAll)));
}

function lineOf(item: Item, prefix: string, isOfAll: boolean): HTMLElement {
  const { kind, mailbox, calendar, leftOut } = item;
  const { label, means } = changes[kind] ?? { label: kind, means: null };
  const isOwn = calendar?.owner?.toLowerCase() === mailbox.userPrincipalName?.toLowerCase();
  return el(
    "li",
    {},
    el("span", { class: `badge change-${kind}` }, label),
    calendar === null ? null : el("span", { class: "wrap calendar" }, calendar.name ?? "(no name)"),
    calendar === null || calendar.owner === null || isOwn
      ? null
      : el("span", { class: "wrap" }, `of ${calendar.owner}`),
    ...(isOfAll ? linkOf(item, prefix) : []),
    el("span", { class: "time" }, timeAgo(item.time)),
    means === null ? null : el("span", { class: "means" }, means),
    leftOut === 0 ? null : el("span", { class: "means" }, `${counted(leftOut, "change")}, only counted`),
    differencesOf(item),
  );
}

function linkOf({ id, mailbox }: Item, prefix: string): HTMLElement[] {
  const name = nameOf(mailbox);
  const looks = name === mailbox.id ? "id" : "wrap";
  const title = mailbox.userPrincipalName ?? mailbox.id;
  return [
    el("span", { class: "in" }, "in "),
    el("a", { id: `${prefix}-${id}`, class: looks, title, href: mailboxHref(mailbox.id) }, name),
  ];
}

/** Each property that changed, before and after. */
function differencesOf({ before, after }: Item): HTMLElement | null {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  if (names.length === 0) return null;
  const list = el("ul", { class: "differences" });
  for (const name of names) {
    list.append(
      el(
        "li",
        {},
        `${propertyText(name)}: `,
        valueIn(before, name),
        el("span", { class: "to" }, " → "),
        valueIn(after, name),
      ),
    );
  }
  return list;
}

function valueIn(properties: Item["before"], name: string): HTMLElement {
  const has = properties !== null && Object.hasOwn(properties, name);
  const text = valueText(has ? properties[name] : null);
  return el("span", { class: "wrap", title: text.slice(0, 300) }, text);
}
