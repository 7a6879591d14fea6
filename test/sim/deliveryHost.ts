import { SharedLogs } from "../../shared/push/sharedLogs.js";
import { logNumberOf } from "../../shared/store/keys.js";
import { createStore, type Store } from "../../shared/store/store.js";
import type { Table } from "../../shared/table/table.js";
import type { Mortal } from "./scheduler.js";
import type { World } from "./world.js";

/** How many processes deliver: what is shared is shared within one, and another has looked at another time. */
const hostsMax = 2;

/** A delivery as its process knows it. `end`: it has ended, or has died with its process. */
export type HostedDelivery = { readonly end: () => void };

/** A process that delivers to subscribers: its deliveries share what they read of the logs, as in the product, and die together. */
export type DeliveryHost = Mortal & {
  readonly store: Store;
  readonly logs: SharedLogs;
  readonly newId: () => string;
  readonly deliveries: Set<HostedDelivery>;
  readonly die: () => void;
};

/**
 * The processes of a world that deliver.
 * @param nowMs Of the deliveries.
 */
export class DeliveryHosts {
  readonly #hosts: (DeliveryHost | null)[] = Array.from({ length: hostsMax }, () => null);
  #lives = 0;

  constructor(private readonly nowMs: (world: World) => number) {}

  /** The process of that place; a new one where the last has died. */
  at(world: World, place: number): DeliveryHost {
    const index = place % hostsMax;
    const host = this.#hosts[index] ?? this.#spawn(world, index);
    this.#hosts[index] = host;
    return host;
  }

  #spawn(world: World, index: number): DeliveryHost {
    this.#lives += 1;
    const mortal: Mortal = { name: `deliverer ${this.#lives}`, isDead: false };
    const deliveries = new Set<HostedDelivery>();
    const die = () => {
      world.scheduler.kill(mortal);
      this.#hosts[index] = null;
      for (const { end } of deliveries) end();
    };
    let ids = 0;
    const newId = () => `${mortal.name} ${ids++}`;
    const table = spoiltTable(world.tableFor(mortal, die), world.plan.seed);
    const onUnreadable = () => undefined;
    const store = createStore({ table, shards: world.plan.shards, newCommitId: newId, onUnreadable });
    const logs = new SharedLogs(() => this.nowMs(world), { rowsMax: 3, readsAtOnceMax: 2 });
    return Object.assign(mortal, { store, logs, newId, deliveries, die });
  }
}

/** Our choice: of the rows of a log about so many are spoilt, as a foreign hand would, in one of three worlds. */
const spoilt = { worldsOf: 3, rowsOf: 16 } as const;

/** A table of whose logs some rows cannot be read, always the same ones: nothing of them, or not what has changed. */
function spoiltTable(table: Table, seed: number): Table {
  if (seed % spoilt.worldsOf !== 0) return table;
  return {
    ...table,
    pages: async function* (...asked) {
      for await (const page of table.pages(...asked)) {
        yield page.map((entity) => {
          const drawn = ((logNumberOf(entity.rowKey) ?? 0) * 7919 + seed) % spoilt.rowsOf;
          if (logNumberOf(entity.rowKey) === null || drawn > 1) return entity;
          const columns = drawn === 0 ? { ...entity.columns, at: "spoilt" } : { ...entity.columns, changes: "spoilt" };
          return { ...entity, columns };
        });
      }
    },
  };
}
