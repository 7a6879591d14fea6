import { createHash } from "node:crypto";

/** Stands for a mailbox in telemetry: always the same, and resolved only by hashing the roster's ids. */
export function mailboxHash(mailboxId: string): string {
  return createHash("sha256").update(mailboxId).digest("hex").slice(0, 16);
}
