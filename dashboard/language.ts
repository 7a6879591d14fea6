import { nextTask } from "./dom.js";
import { clockTime } from "./times.js";
import { number } from "./words.js";

/**
 * The first text that is compared, and the first number and time that are written, make the browser load data of the reader's
 * language. Together that takes a slow phone longer than anything that the page does itself.
 */
const firstUses: readonly (() => unknown)[] = [() => "a".localeCompare("b"), () => number(1_000), () => clockTime(0)];

/** Loads it piece by piece, so that the page answers its viewer in between. */
export async function loadLanguage(): Promise<void> {
  for (const use of firstUses) {
    await nextTask();
    use();
  }
}
