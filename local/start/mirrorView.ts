import { tableClientOf } from "../../shared/azure/tableClient.js";
import { shardNames } from "../../shared/store/keys.js";
import { createStore, type Store } from "../../shared/store/store.js";
import { statedReason, stateOf } from "../../shared/sync/state.js";
import type { CalendarRow, Checkpoint } from "../../shared/sync/types.js";
import { azureTable } from "../../shared/table/azureTable.js";

/** The state of the whole mirror at one moment. */
export type Snapshot = {
  readonly mailboxes: number;
  /** Mailboxes whose last round ended well since `sinceMs`. */
  readonly fresh: number;
  readonly calendars: number;
  /** The others: why, and how many. */
  readonly notFresh: Readonly<Record<string, number>>;
};

/** Reads the mirror's table, as any other program could. */
export type MirrorView = {
  /** @throws StorageError when the storage does not answer. */
  isReachable(): Promise<void>;
  snapshot(sinceMs: number): Promise<Snapshot>;
  calendars(mailboxId: string): Promise<readonly CalendarRow[]>;
  /** Whether the mailbox is on the roster, and not suspended. */
  isMirrored(mailboxId: string): Promise<boolean>;
  /** As the directory says, or whoever added the mailbox; null: there is no name, or no such mailbox. */
  displayName(mailboxId: string): Promise<string | null>;
};

/** Looks into the table of a mirror. @param shards The app's setting `SHARDS`. */
export function mirrorView(connectionString: string, tableName: string, shards: number): MirrorView {
  const table = azureTable(tableClientOf({ kind: "connectionString", connectionString }, tableName, null));
  const store = createStore({ table, shards, newCommitId: () => "never written" });
  return {
    isReachable: () => table.createIfMissing(),
    snapshot: (sinceMs) => snapshot(store, shards, sinceMs),
    calendars: (mailboxId) => store.readCalendars(mailboxId),
    displayName: async (mailboxId) => (await store.readMailbox(mailboxId))?.checkpoint.displayName ?? null,
    isMirrored: async (mailboxId) => {
      const held = await store.readMailbox(mailboxId);
      return held !== null && stateOf(held.checkpoint) !== "suspended";
    },
  };
}

async function snapshot(store: Store, shards: number, sinceMs: number): Promise<Snapshot> {
  let mailboxes = 0;
  let fresh = 0;
  let calendars = 0;
  const notFresh: Record<string, number> = {};
  const look = async (shard: string) => {
    for await (const page of store.readMailboxes(shard, { after: null, upTo: null })) {
      for (const { checkpoint } of page) {
        mailboxes += 1;
        calendars += checkpoint.calendarCount;
        const why = reasonOf(checkpoint, sinceMs);
        if (why === null) fresh += 1;
        else notFresh[why] = (notFresh[why] ?? 0) + 1;
      }
    }
  };
  await Promise.all(shardNames(shards).map(look));
  return { mailboxes, fresh, calendars, notFresh };
}

/** Why a mailbox is not fresh; null: its last round ended well after `sinceMs`. */
function reasonOf(checkpoint: Checkpoint, sinceMs: number): string | null {
  const state = stateOf(checkpoint);
  if (state === "fresh") return (checkpoint.lastSuccessMs ?? 0) >= sinceMs ? null : "not asked yet";
  const why = statedReason(checkpoint) ?? checkpoint.lastErrorCode;
  return why === null ? state : `${state}: ${why}`;
}
