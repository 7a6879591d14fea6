import { type Address, addressOf, idIn } from "./address.js";
import { apiFor } from "./api.js";
import { byId, el, nextTask } from "./dom.js";
import { titleView } from "./title.js";
import type { Mounted, Now, View } from "./view.js";
import { views } from "./views.js";

/** Shows the view that the address names. Back and forward are the browser's own. */

type Current = {
  readonly view: View | null;
  readonly path: string;
  readonly mounted: Mounted;
  readonly ended: AbortController;
};

let current: Current | null = null;
let now: Now | null = null;
/** What had the focus when a view was left, by address: back leads there. */
const focusOf = new Map<string, string>();
const focusesMax = 50;

/** Follows the address from now on. @param refreshNow Reads the status at once. */
export function initRouter(refreshNow: () => void): void {
  drawNav();
  window.addEventListener("hashchange", () => follow(refreshNow));
  // What is activated is what back leads to; at the time of the change the focus may have gone.
  document.addEventListener("click", (event) => remember(event.target), true);
  void nextTask().then(() => follow(refreshNow)); // The page's script has been one long piece of work already.
}

/** Tells the view what was read. */
export function tellView(read: Now): void {
  now = read;
  void current?.mounted.refresh?.(read);
}

function remember(target: EventTarget | null): void {
  if (current === null || !(target instanceof Element)) return;
  const id = target.closest("#view a[id], #view button[id]")?.id;
  if (id === undefined) return;
  focusOf.delete(current.path);
  focusOf.set(current.path, id);
  for (const path of [...focusOf.keys()].slice(0, -focusesMax)) focusOf.delete(path);
}

function follow(refreshNow: () => void): void {
  const address = addressOf(location.hash);
  const view = views.find(({ route }) => idIn(route, address.path) !== undefined) ?? null;
  markNav(view);
  if (current !== null && current.view === view && current.path === address.path && current.mounted.update) {
    current.mounted.update(address);
    return;
  }
  for (const dialog of document.querySelectorAll<HTMLDialogElement>("dialog[open]")) dialog.close();
  const isFirst = current === null;
  current?.ended.abort();
  current?.mounted.unmount?.();
  const ended = new AbortController();
  const place = byId("view");
  place.replaceChildren();
  titleView(view?.title ?? "No such view");
  if (!isFirst) {
    window.scrollTo(0, 0);
    byId("title").focus({ preventScroll: true });
  }
  current = { view, path: address.path, mounted: mountOf(view, place, address, ended.signal, refreshNow), ended };
  if (now !== null) void begin(current, now, isFirst);
}

function mountOf(
  view: View | null,
  place: HTMLElement,
  address: Address,
  signal: AbortSignal,
  refreshNow: () => void,
): Mounted {
  if (view === null) {
    place.append(el("p", {}, "This address names no view. ", el("a", { href: "#/" }, "Go to the overview")));
    return {};
  }
  const id = idIn(view.route, address.path) ?? "";
  return view.mount(place, address, { api: apiFor(signal), id, setTitle: titleView, refreshNow });
}

/** Back leads to what was activated, as soon as it is there again. */
async function begin(begun: Current, read: Now, isFirst: boolean): Promise<void> {
  await begun.mounted.refresh?.(read);
  const id = focusOf.get(begun.path);
  if (isFirst || current !== begun || id === undefined || document.activeElement !== byId("title")) return;
  document.getElementById(id)?.focus();
}

function drawNav(): void {
  const list = el("ul");
  for (const { route, nav } of views) {
    if (nav !== null) list.append(el("li", {}, el("a", { href: `#${route}`, "data-route": route }, nav)));
  }
  byId("nav").append(list);
}

function markNav(view: View | null): void {
  for (const link of document.querySelectorAll<HTMLElement>("#nav a")) {
    const isHere = link.dataset["route"] === view?.route;
    const isWithin = view?.route.startsWith(`${link.dataset["route"]}/`) === true;
    if (isHere) link.setAttribute("aria-current", "page");
    else if (isWithin) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}
