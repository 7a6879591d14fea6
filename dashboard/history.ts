import { mailboxHref } from "./address.js";
import { ApiError, type HistoryPage } from "./api.js";
import { el, show } from "./dom.js";
import { nameOf } from "./names.js";
import { timeAgo } from "./times.js";
import { changes, counted, propertyText, valueText } from "./words.js";

/** What changed lately, newest first: of all mailboxes, or of one. */

type Item = HistoryPage["value"][number];

type Parts = {
  readonly place: HTMLElement;
  /** Begins the ids of its buttons, which no other list on the page has. */
  readonly prefix: string;
  readonly read: (cursor: string | null) => Promise<HistoryPage>;
  /** False where the list is of one mailbox, which it then does not name. */
  readonly isOfAll: boolean;
};

export type HistoryList = {
  /** Reads it again, unless it was read with the same key: the key says whether anything can have changed. */
  refresh(key: string): Promise<void>;
  /** Shows nothing until it is read again. */
  clear(): void;
};

/** Makes the list, in its place. */
export function historyList({ place, prefix, read, isOfAll }: Parts): HistoryList {
  let shown: readonly Item[] = [];
  let cursor: string | null = null;
  let readKey: string | null = null;
  /** Number of the latest request: answers to older ones are dropped. */
  let latest = 0;

  const draw = (trouble: string | null) => {
    const onclick = () => void load(shown, cursor, shown.length + 1);
    const more = cursor === null ? null : el("button", { id: `${prefix}-more`, onclick }, "Earlier changes");
    const none = el("p", { class: "empty" }, "No change has been logged.");
    const list = el("ul", { class: "history" }, ...shown.map((item) => lineOf(item, prefix, isOfAll)));
    const said = trouble === null ? null : el("p", { class: "empty" }, trouble);
    show(place, said, shown.length === 0 ? (trouble === null && cursor === null ? none : null) : list, more);
  };

  const load = async (before: readonly Item[], from: string | null, countMin: number) => {
    latest += 1;
    const request = latest;
    try {
      let [items, next] = [before, from];
      do {
        const page = await read(next);
        if (request !== latest) return;
        items = [...items, ...page.value];
        next = page.cursor;
      } while (next !== null && items.length < countMin);
      shown = items;
      cursor = next;
      draw(null);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (request !== latest) return;
      readKey = null; // The next reading of the page tries again.
      draw(error.message);
    }
  };

  return {
    refresh: async (key) => {
      if (key === readKey) return;
      readKey = key;
      await load([], null, Math.max(1, shown.length));
    },
    clear: () => {
      latest += 1;
      shown = [];
      cursor = null;
      readKey = null;
      place.replaceChildren();
    },
  };
}

function lineOf(item: Item, prefix: string, isOfAll: boolean): HTMLElement {
  const { kind, mailbox, calendar, leftOut } = item;
  const { label, means } = changes[kind] ?? { label: kind, means: null };
  const isOwn = calendar?.owner?.toLowerCase() === mailbox.userPrincipalName?.toLowerCase();
  return el(
    "li",
    {},
    el("span", { class: `badge change-${kind}` }, label),
    calendar === null ? null : el("span", { class: "clip calendar" }, calendar.name ?? "(no name)"),
    calendar === null || calendar.owner === null || isOwn
      ? null
      : el("span", { class: "clip" }, `of ${calendar.owner}`),
    ...(isOfAll ? linkOf(item, prefix) : []),
    el("span", { class: "time" }, timeAgo(item.time)),
    means === null ? null : el("span", { class: "means" }, means),
    leftOut === 0 ? null : el("span", { class: "means" }, `${counted(leftOut, "change")}, only counted`),
    differencesOf(item),
  );
}

function linkOf({ id, mailbox }: Item, prefix: string): HTMLElement[] {
  const name = nameOf(mailbox);
  const looks = name === mailbox.id ? "id" : "clip";
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
  return el("span", { class: "clip", title: text.slice(0, 300) }, text);
}
