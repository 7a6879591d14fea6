import { createHash } from "node:crypto";

/** Stands for a mailbox in telemetry: the same one each time, and told back by nothing but the roster. */
export function mailboxHash(mailboxId: string): string {
  return createHash("sha256").update(mailboxId).digest("hex").slice(0, 16);
}
