import type { Reader } from "./readers.js";
import type { CallKind, Fate, Mortal } from "./scheduler.js";

/** What the storm did to calls, before a chance is drawn: for the sweep of n-th failures. */
type FateRule = (kind: CallKind, owner: Mortal, drawn: Fate) => Fate;

export type WorldOptions = {
  readonly trace?: (line: string) => void;
  readonly fateRule?: FateRule;
  readonly readers?: readonly Reader[];
};
