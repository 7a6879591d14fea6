import { el } from "./dom.js";
import { ago } from "./words.js";

/** A time as its distance from now, which `tellTimes` keeps true; the exact time shows when pointed at. */
export function timeAgo(iso: string | null): HTMLElement | string {
  if (iso === null) return ago(null, 0);
  return el("time", { datetime: iso, title: new Date(iso).toLocaleString() }, ago(iso, Date.now()));
}

/** Brings all times on the page up to now. */
export function tellTimes(): void {
  const nowMs = Date.now();
  for (const element of document.querySelectorAll("time")) {
    const text = ago(element.dateTime, nowMs);
    if (element.textContent !== text) element.textContent = text;
  }
}
