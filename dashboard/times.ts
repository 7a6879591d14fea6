import { el } from "./dom.js";
import { ago } from "./words.js";

/** How far the mirror's clock is ahead of this device's: ages are by the mirror's, so that all of them agree. */
let aheadMs = 0;

/** Takes the mirror's time, as an answer has just told it. */
export function setClock(iso: string): void {
  aheadMs = Date.parse(iso) - Date.now();
}

/** The mirror's time. */
export function mirrorNowMs(): number {
  return Date.now() + aheadMs;
}

/** A time as its distance from now, which `updateTimes` keeps up to date, with the exact time as its tooltip. */
export function timeAgo(iso: string | null): HTMLElement | string {
  if (iso === null) return ago(null, 0);
  return el("time", { datetime: iso, title: new Date(iso).toLocaleString() }, ago(iso, mirrorNowMs()));
}

/** Updates all times on the page. */
export function updateTimes(): void {
  const nowMs = mirrorNowMs();
  for (const element of document.querySelectorAll("time")) {
    const text = ago(element.dateTime, nowMs);
    if (element.textContent !== text) element.textContent = text;
  }
}

// Made when first needed, as that is what loads data of the reader's language: see `language.ts`.
let clock: Intl.DateTimeFormat | null = null;
let dated: Intl.DateTimeFormat | null = null;

/** A time of day, as the reader writes it, in the reader's time zone. */
export function clockTime(ms: number): string {
  clock ??= new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
  return clock.format(ms);
}

/** The same with its day. */
export function dayAndTime(ms: number): string {
  dated ??= new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  return dated.format(ms);
}
