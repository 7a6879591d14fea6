import type { After } from "../../shared/timer.js";

/** For worlds whose calls are answered at once, or whose time stands still: nothing ever falls due. */
export const noTimers: After = () => () => undefined;
