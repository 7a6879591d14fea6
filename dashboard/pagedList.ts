import { ApiError } from "./api.js";
import { el, show } from "./dom.js";
import { timeAgo } from "./times.js";

/** A list that is read page by page. */

/** `lookedBackTo`: up to when a list that is ordered by time has been searched; null: to its end. */
type Page<Item> = {
  readonly items: readonly Item[];
  readonly cursor: string | null;
  readonly lookedBackTo?: string | null;
};

type Parts<Item> = {
  readonly place: HTMLElement;
  /** Names its buttons, which no other list on the page does. */
  readonly prefix: string;
  readonly read: (cursor: string | null) => Promise<Page<Item>>;
  /** Draws what there is; there is at least one. */
  readonly draw: (items: readonly Item[]) => HTMLElement;
  /** What the button for the next page says. */
  readonly more: string;
  /** What is said of an empty list. */
  readonly none: string;
};

export type PagedList = {
  /** Reads it again, unless it was read with the same key: the key says whether anything can have changed. */
  refresh(key: string): Promise<void>;
  /** Draws it again as it was read, where what it looks up elsewhere is another by now. */
  redraw(): void;
};

/** A page may hold nothing and have a next one: so many are read for one press of a button, and then the reader is asked. */
const pagesAtOnceMax = 8;

/** Makes the list, in its place. */
export function pagedList<Item>({ place, prefix, read, draw, more, none }: Parts<Item>): PagedList {
  let shown: Page<Item> = { items: [], cursor: null };
  let readKey: string | null = null;
  let trouble: string | null = null;
  /** Number of the latest request: answers to older ones are dropped. */
  let latest = 0;

  const redraw = () => {
    const { items, cursor, lookedBackTo } = shown;
    const onclick = () => void load(shown, items.length + 1);
    const button = cursor === null ? null : el("button", { id: `${prefix}-more`, type: "button", onclick }, more);
    const empty = el("p", { class: "empty" }, cursor === null ? none : "None so far.");
    const back =
      cursor === null || lookedBackTo == null
        ? null
        : el("p", { class: "empty" }, "Searched back to ", timeAgo(lookedBackTo), ".");
    const said = trouble === null ? null : el("p", { class: "empty" }, trouble);
    show(place, said, items.length > 0 ? draw(items) : trouble === null ? empty : null, back, button);
  };

  const load = async (before: Page<Item>, countMin: number) => {
    latest += 1;
    const request = latest;
    place.setAttribute("aria-busy", "true");
    try {
      let page = before;
      let pages = 0;
      do {
        const next = await read(page.cursor);
        if (request !== latest) return;
        page = { ...next, items: [...page.items, ...next.items] };
        pages += 1;
      } while (page.cursor !== null && page.items.length < countMin && pages < pagesAtOnceMax);
      shown = page;
      trouble = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (request !== latest) return;
      readKey = null; // The next reading of the page tries again.
      trouble = error.message;
    }
    place.removeAttribute("aria-busy");
    redraw();
  };

  return {
    refresh: async (key) => {
      if (key === readKey) return;
      readKey = key;
      await load({ items: [], cursor: null }, Math.max(1, shown.items.length));
    },
    redraw,
  };
}
