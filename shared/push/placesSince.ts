import { mapAtOnce } from "../mapAtOnce.js";
import type { Store } from "../store/store.js";
import type { LogRow } from "../sync/changeLog.js";
import type { PushPosition, Subscription } from "../sync/subscription.js";
import { minuteMs } from "../sync/time.js";
import { logNumbersOf } from "./logNumbers.js";

/** Our choice, as for the history: the clocks of two instances differ by less, so times in a log may be out of order. */
const clocksDifferMsMax = 5 * minuteMs;
const shardsAtOnceMax = 16;

type LogStore = Pick<Store, "readShardRow" | "lastLogNumber" | "readLogOn">;

/** Where in the logs a time is. */
export type PlacesSince = {
  /** Before the first row of that time, or a few minutes before it. A shard without a log that reaches so far is not among them. */
  readonly places: PushPosition;
  /** Where rows before it may be gone: the time of the first row that stands in each log. Null: nothing of that time is gone. */
  readonly goesBackToMs: number | null;
};

/**
 * The places before all that the logs of a subscription tell since a time. Reads about twenty heads of each log.
 * @param sinceMs Epoch milliseconds.
 */
export async function placesSince(
  { position }: Pick<Subscription, "position">,
  sinceMs: number,
  store: LogStore,
): Promise<PlacesSince> {
  const shards = Object.keys(position);
  const numbers = await logNumbersOf(store, shards);
  const found = await mapAtOnce(shards, shardsAtOnceMax, async (shard) => {
    const last = numbers[shard] ?? 0;
    // A log that ends before the place is one that the table has lost: the delivery tells of that.
    if ((position[shard]?.number ?? 0) > last) return { shard, number: null, goneBeforeMs: null };
    return { shard, ...(await placeIn(shard, last, sinceMs, store)) };
  });
  const gone = found.flatMap(({ goneBeforeMs }) => goneBeforeMs ?? []);
  const places = found.flatMap(({ shard, number }) => {
    return number === null ? [] : [[shard, { number, entries: 0, sent: 0 }] as const];
  });
  return { places: Object.fromEntries(places), goesBackToMs: gone.length === 0 ? null : Math.max(...gone) };
}

/** The number of the row before the first one of that time. */
async function placeIn(shard: string, last: number, sinceMs: number, store: LogStore) {
  const firstAfter = async (after: number): Promise<LogRow | undefined> => {
    const [row] = await store.readLogOn(shard, { after, upTo: null, top: 1, headsOnly: true });
    return row !== undefined && "unreadable" in row ? firstAfter(row.number) : row;
  };
  const oldest = await firstAfter(0);
  if (oldest === undefined) return { number: null, goneBeforeMs: null };
  let [low, high] = [oldest.number, last + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = await firstAfter(middle - 1); // Where retention came in between, the first that stands.
    if (row === undefined || row.atMs >= sinceMs - clocksDifferMsMax) high = middle;
    else low = row.number + 1;
  }
  const isGone = oldest.number > 1 && oldest.atMs > sinceMs;
  return { number: low - 1, goneBeforeMs: isGone ? oldest.atMs : null };
}
