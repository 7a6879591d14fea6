import type { GuideLine } from "../local/guide.js";
import { byId } from "./dom.js";

let lines: readonly GuideLine[] | null = null;

/** The lines of `docs/operations.md` on words, states, reasons and codes, which the build puts into the page. */
export function guideLines(): readonly GuideLine[] {
  lines ??= JSON.parse(byId("guide").textContent) as readonly GuideLine[];
  return lines;
}

/** The line for a state, a reason or a code; null where the guide has none. */
export function guideLineFor(asked: string): GuideLine | null {
  const fits = (code: string) => isMeant(code.toLowerCase(), asked.toLowerCase());
  return guideLines().find(({ codes }) => codes.some(fits)) ?? null;
}

/** `denied:<code>` means all that begin with `denied:`, and `http5…` all that begin with `http5`. */
function isMeant(code: string, asked: string): boolean {
  const [start = "", rest] = code.split(/<[^>]*>|…/);
  return rest === undefined ? code === asked : asked.startsWith(start);
}
