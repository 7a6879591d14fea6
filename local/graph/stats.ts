import type { RouteKind } from "./route.js";

/** What the simulator has been asked so far. An answer is one for a resource: a request of its own or a batch item. */
export type GraphStats = {
  readonly httpRequests: number;
  readonly batchRequests: number;
  readonly batchItems: number;
  /** The most items in one batch. */
  readonly batchItemsMax: number;
  /** The most items of one batch that Graph works on at the same time. */
  readonly itemsInFlightMax: number;
  /** The most items for one mailbox in one batch. */
  readonly itemsPerMailboxInBatchMax: number;
  readonly answersByKind: Readonly<Partial<Record<RouteKind, number>>>;
  readonly answersByStatus: Readonly<Record<string, number>>;
  /** HTTP requests that asked what mailboxes are for, alone or in a batch; refused ones too. */
  readonly kindRequests: number;
  /** Status of outer batch answers that were not 200. */
  readonly batchRefusals: number;
  readonly fullRounds: number;
  readonly deltaPages: number;
  /** Delta pages without a row. */
  readonly quietPages: number;
  /** Delta calls that did not ask for a page size, which has to be done on each. */
  readonly deltaWithoutPageSize: number;
};

type Counters = { -readonly [name in keyof GraphStats]: GraphStats[name] } & {
  answersByKind: Partial<Record<RouteKind, number>>;
  answersByStatus: Record<string, number>;
};

/** Counts what is asked, until it is reset. */
export type Stats = {
  readonly count: Counters;
  countAnswer(kind: RouteKind, status: number): void;
  read(): GraphStats;
  reset(): void;
};

const zero = (): Counters => ({
  httpRequests: 0,
  batchRequests: 0,
  batchItems: 0,
  batchItemsMax: 0,
  itemsInFlightMax: 0,
  itemsPerMailboxInBatchMax: 0,
  answersByKind: {},
  answersByStatus: {},
  kindRequests: 0,
  batchRefusals: 0,
  fullRounds: 0,
  deltaPages: 0,
  quietPages: 0,
  deltaWithoutPageSize: 0,
});

/** All counters at zero. */
export function createStats(): Stats {
  const count = zero();
  return {
    count,
    countAnswer(kind, status) {
      count.answersByKind[kind] = (count.answersByKind[kind] ?? 0) + 1;
      count.answersByStatus[status] = (count.answersByStatus[status] ?? 0) + 1;
    },
    read: () => ({
      ...count,
      answersByKind: { ...count.answersByKind },
      answersByStatus: { ...count.answersByStatus },
    }),
    reset: () => {
      Object.assign(count, zero());
    },
  };
}
