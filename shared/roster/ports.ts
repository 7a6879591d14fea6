import type { DirectoryClient, DirectorySource } from "../graph/directory.js";
import type { MailboxKindsClient } from "../graph/mailboxKinds.js";
import type { Log } from "../log.js";
import type { Store } from "../store/store.js";
import type { MailboxKind } from "../sync/mailboxKind.js";
import { minuteMs } from "../sync/time.js";

/** Bounds of one invocation of discovery, all of them our choice. Passed in, so that a simulation makes them tiny. */
export const discoverLimits = {
  /** Well within the 10 minutes of `functionTimeout`. */
  runMsMax: 4 * minuteMs,
  /** The longest wait inside an invocation, for a throttle or a passing failure. Longer ones are left to the schedule. */
  waitMsMax: 30_000,
  waitsMax: 5,
  /** Point reads of the table in flight. */
  readsAtOnceMax: 32,
  /** Lookups of single users in flight, and batches of 20 that ask for kinds. */
  lookupsAtOnceMax: 4,
  /** After so many lookups of a page without a result the others are left out. */
  lookupsInVainMax: 20,
  /** Attempts to write a row; each fails only when another worker wrote in between. */
  attemptsMax: 10,
};
/** The same bounds, perhaps with other values. */
export type DiscoverLimits = { readonly [Name in keyof typeof discoverLimits]: number };

/** What discovery needs from outside. */
export type DiscoverPorts = {
  readonly clock: { nowMs(): number; sleep(ms: number): Promise<void> };
  readonly random: { next(): number };
  readonly newId: () => string;
  readonly store: Store;
  readonly directory: DirectoryClient;
  readonly mailboxKinds: MailboxKindsClient;
  readonly log: Log;
  /** Null: mailboxes are put on the roster by hand only. */
  readonly source: DirectorySource | null;
  /** Kinds that the roster takes. One that is not known is taken. */
  readonly kinds: ReadonlySet<MailboxKind>;
  /** How old a full roster round may be, and what is known of a kind. */
  readonly auditMs: number;
  /** All shards, in key order. */
  readonly shards: readonly string[];
  /** How long the rows of a suspended mailbox are kept. */
  readonly tombstoneMs: number;
  readonly limits: DiscoverLimits;
};

/** The source as roster rows name it: `directory` or `group:<object id>`. */
export function sourceName(source: DirectorySource): string {
  return source.kind === "directory" ? "directory" : `group:${source.groupId}`;
}
