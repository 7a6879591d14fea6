import type { DirectoryClient, DirectorySource } from "../graph/directory.js";
import type { Log } from "../log.js";
import type { Store } from "../store/store.js";
import { minuteMs } from "../sync/time.js";

/** How much one invocation of discovery does before it hands on. Passed in: a simulation makes them tiny. */
export type DiscoverLimits = {
  readonly runMsMax: number;
  /** The longest wait inside an invocation, for a throttle or a stumble. Longer ones are left to the next schedule. */
  readonly waitMsMax: number;
  readonly waitsMax: number;
  /** Point reads of the table in flight. */
  readonly readsAtOnceMax: number;
  /** Single users that are looked up at a time. */
  readonly lookupsAtOnceMax: number;
  /** Once so many users of a page could not be told, the others are not looked up. */
  readonly lookupsInVainMax: number;
  /** Each turn loses only to a worker that wrote in between. */
  readonly turnsMax: number;
};

export const discoverLimits: DiscoverLimits = {
  runMsMax: 4 * minuteMs,
  waitMsMax: 30_000,
  waitsMax: 5,
  readsAtOnceMax: 32,
  lookupsAtOnceMax: 4,
  lookupsInVainMax: 20,
  turnsMax: 10,
};

/** All that discovery needs from outside. */
export type DiscoverPorts = {
  readonly clock: { nowMs(): number; sleep(ms: number): Promise<void> };
  readonly random: { next(): number };
  readonly newId: () => string;
  readonly store: Store;
  readonly directory: DirectoryClient;
  readonly log: Log;
  /** Null: mailboxes are put on the roster by hand alone. */
  readonly source: DirectorySource | null;
  /** All shards, in key order. */
  readonly shards: readonly string[];
  /** How long the rows of a suspended mailbox are kept. */
  readonly tombstoneMs: number;
  readonly limits: DiscoverLimits;
};

/** The source as rows carry it. */
export function sourceName(source: DirectorySource): string {
  return source.kind === "directory" ? "directory" : `group:${source.groupId}`;
}
