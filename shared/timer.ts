/** Calls once, after so many milliseconds. What it returns calls that off. Passed in like the clock. */
export type After = (ms: number, call: () => void) => () => void;

/** By the timers of Node.js. */
export const after: After = (ms, call) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};
