import { stateOf } from "../../sync/state.js";
import type { Checkpoint } from "../../sync/types.js";

/** Headers of answers and refusals about one mailbox: its state, its kind, and the age of its copy in seconds. */
export function freshnessOf(checkpoint: Checkpoint, nowMs: number): Record<string, string> {
  const { lastSuccessMs } = checkpoint;
  return {
    "x-mirror-state": stateOf(checkpoint),
    "x-mirror-kind": checkpoint.mailboxKind,
    ...(lastSuccessMs === null
      ? {}
      : {
          age: String(Math.max(0, Math.floor((nowMs - lastSuccessMs) / 1_000))),
          "x-mirror-last-success": new Date(lastSuccessMs).toISOString(),
        }),
  };
}

/** Headers of answers that are served: whose mailbox it is, where the directory or whoever added it has said so. */
export function namesOf({ displayName, userPrincipalName }: Checkpoint): Record<string, string> {
  return {
    ...(displayName === null ? {} : { "x-mirror-display-name": extendedValue(displayName) }),
    ...(userPrincipalName === null ? {} : { "x-mirror-user-principal-name": extendedValue(userPrincipalName) }),
  };
}

/**
 * Any text as ASCII without blanks, quotation marks, commas and line breaks: a header cannot be broken or faked by it.
 * @see RFC 8187 §3.2.1: charset, no language, and all but `attr-char` percent-encoded.
 */
function extendedValue(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed());
  return `UTF-8''${encoded.replace(/[*'()]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)}`;
}
