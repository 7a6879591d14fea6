import { byId } from "./dom.js";

/** Heading and window title: which view it is, and what the whole mirror comes to. */

let view = "";
let verdict = "";

/** Names the view. */
export function titleView(title: string): void {
  view = title;
  byId("title").textContent = title;
  titleWindow();
}

/** Says what the mirror comes to, where a tab is all that is seen of the page. */
export function titleVerdict(text: string): void {
  verdict = text;
  titleWindow();
}

function titleWindow(): void {
  document.title = [verdict, view, "calendar-mirror"].filter((part) => part !== "").join(" · ");
}
