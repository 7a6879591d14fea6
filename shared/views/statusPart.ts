import type { Status } from "./statusSchema.js";

/** What of the status is wanted. A page that reads it every few seconds has most of it already. */
export type StatusPart = {
  /** The newest ticks, so many at most. */
  readonly ticks: number;
  /** Only this tick and those after it; null: all. Where it is not known, as in a new table, all are given. */
  readonly since: string | null;
  /** Ids for each trouble, at most. */
  readonly examples: number;
  /** Whether each shard is listed. */
  readonly hasShards: boolean;
};

/** The part of the status that is wanted. `activity.total` stays the sum over the newest ticks, listed or not. */
export function partOf(status: Status, { since, examples, hasShards }: StatusPart): Status {
  const { ticks, total } = status.activity;
  const first = since === null ? -1 : ticks.findIndex(({ tick }) => tick === since);
  const fewer = (list: Status["troubles"]["parked"]) =>
    list.map((trouble) => ({ ...trouble, examples: trouble.examples.slice(0, examples) }));
  const { parked, held, waiting, suspended } = status.troubles;
  return {
    ...status,
    activity: { total, ticks: first === -1 ? ticks : ticks.slice(first) },
    troubles: { parked: fewer(parked), held: fewer(held), waiting: fewer(waiting), suspended: fewer(suspended) },
    shards: hasShards ? status.shards : [],
  };
}
