import type { JsonObject } from "../../shared/sync/types.js";
import { contentText } from "./views.js";

/** A calendar as a client knows it that has followed the links that were handed out. */
export type Seen = {
  readonly isRemoved: boolean;
  readonly resource: JsonObject;
  /** Whether all properties were told; a partial item of a calendar that was never told whole leaves gaps. */
  readonly isWhole: boolean;
  readonly text: string;
};

/** What a perfect client holds after it has followed the answers up to this link. */
export type Reference = {
  readonly mailboxId: string;
  readonly strategy: "delta" | "list";
  /** `seen`: in mid full round, and `state` is what the round has seen so far. Else `state` is all there is. */
  readonly kind: "seen" | "midway" | "complete";
  /** A full round led here. */
  readonly isFull: boolean;
  readonly state: ReadonlyMap<string, Seen>;
  readonly itemsOnPage: number;
  /** When the answer was handed out, and when its round was opened. */
  readonly step: number;
  readonly openedStep: number;
};

export type HandedOut = {
  readonly mailboxId: string;
  /** Path and query that were asked. */
  readonly target: string;
  readonly strategy: "delta" | "list";
  readonly body: unknown;
  readonly step: number;
};

type Page = {
  readonly items: readonly JsonObject[];
  readonly nextLink: string | null;
  readonly deltaLink: string | null;
};

/**
 * Remembers what every link stands for that Graph has handed out. Built from the answers alone: whatever the product
 * makes of them has no part in it.
 */
export class References {
  readonly #byTarget = new Map<string, Reference>();
  /** Links that lead away, to somebody else, or to something else than calendars: nobody may follow them. */
  readonly #poisoned = new Set<string>();
  readonly #fullEnds = new Map<string, Reference[]>();
  readonly #recent = new Map<string, Reference[]>();
  readonly #removals = new Map<string, Set<string>>();

  constructor(private readonly root: string) {}

  isPoisoned(target: string): boolean {
    return this.#poisoned.has(target);
  }

  at(target: string): Reference | null {
    return this.#byTarget.get(target) ?? null;
  }

  /** Of a stored link. */
  ofLink(link: string): Reference | null {
    return link.startsWith(`${this.root}/`) ? this.at(link.slice(this.root.length)) : null;
  }

  /** Ends of full rounds, newest last. */
  fullEnds(mailboxId: string): readonly Reference[] {
    return this.#fullEnds.get(mailboxId) ?? [];
  }

  recent(mailboxId: string): readonly Reference[] {
    return this.#recent.get(mailboxId) ?? [];
  }

  wasRemoved(mailboxId: string, calendarId: string): boolean {
    return this.#removals.get(mailboxId)?.has(calendarId) ?? false;
  }

  /** Takes an answer in. What is no page is none to a perfect client either. */
  handOut({ mailboxId, target, strategy, body, step }: HandedOut): void {
    const page = pageOf(body, strategy);
    if (page === null) return;
    const from = target.includes("?") ? this.at(target) : null;
    if (target.includes("?") && from === null) return; // Asked without right: told where requests are checked.
    const opensFull = from === null;
    const isFull = opensFull || from.kind === "seen" || strategy === "list";
    const base = opensFull ? new Map<string, Seen>() : from.state;
    const isOver = page.nextLink === null;
    const reference: Reference = {
      mailboxId,
      strategy,
      kind: isOver ? "complete" : isFull ? "seen" : "midway",
      isFull,
      state: this.#followed(mailboxId, base, page.items),
      itemsOnPage: page.items.length,
      step,
      openedStep: from === null || from.kind === "complete" ? step : from.openedStep,
    };
    if (isOver && isFull) pushTo(this.#fullEnds, mailboxId, reference, 12);
    pushTo(this.#recent, mailboxId, reference, 12);
    const link = page.nextLink ?? page.deltaLink;
    if (link !== null) this.#note(link, reference);
  }

  #followed(mailboxId: string, base: ReadonlyMap<string, Seen>, items: readonly JsonObject[]): Map<string, Seen> {
    const state = new Map(base);
    for (const item of items) {
      const id = String(item["id"]);
      const before = state.get(id);
      if (item["@removed"] !== undefined) {
        const removals = this.#removals.get(mailboxId) ?? new Set<string>();
        this.#removals.set(mailboxId, removals.add(id));
        state.set(id, {
          isRemoved: true,
          resource: before?.resource ?? {},
          isWhole: before?.isWhole ?? false,
          text: "",
        });
        continue;
      }
      const resource = { ...before?.resource, ...item };
      const isWhole = (before?.isWhole ?? false) || item["owner"] !== undefined;
      state.set(id, { isRemoved: false, resource, isWhole, text: contentText(resource) });
    }
    return state;
  }

  #note(link: string, reference: Reference): void {
    const path = /^[a-z]+:\/\/[^/]*(\/.*)$/i.exec(link)?.[1] ?? link;
    const isHome = link.startsWith(`${this.root}/`);
    const isOwn = path.includes(reference.mailboxId) && /\/calendars(\/delta)?\?/.test(path);
    if (!isHome || !isOwn) this.#poisoned.add(path);
    else if (!this.#byTarget.has(path)) this.#byTarget.set(path, reference); // A link that repeats itself leads nowhere.
  }
}

function pageOf(body: unknown, strategy: "delta" | "list"): Page | null {
  if (typeof body !== "object" || body === null || "error" in body) return null;
  const { value, "@odata.nextLink": next, "@odata.deltaLink": delta } = body as Record<string, unknown>;
  if (!Array.isArray(value) || value.some((item) => typeof item?.id !== "string")) return null;
  const nextLink = typeof next === "string" ? next : null;
  const deltaLink = typeof delta === "string" ? delta : null;
  const isOne = strategy === "list" ? deltaLink === null : (nextLink === null) !== (deltaLink === null);
  return isOne ? { items: value as JsonObject[], nextLink, deltaLink } : null;
}

function pushTo(map: Map<string, Reference[]>, key: string, reference: Reference, max: number): void {
  const list = map.get(key) ?? [];
  list.push(reference);
  if (list.length > max) list.shift();
  map.set(key, list);
}
