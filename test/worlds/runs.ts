import { createGraphClient } from "../../shared/graph/client.js";
import { trialToken } from "../../shared/graph/token.js";
import { createTransport } from "../../shared/graph/transport.js";
import type { RoundsMessage } from "../../shared/messages.js";
import { createStore } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { noTelemetry, type Telemetry } from "../../shared/telemetry/telemetry.js";
import { tracedTransport } from "../../shared/telemetry/tracedGraph.js";
import { tracedTable } from "../../shared/telemetry/tracedTable.js";
import { clockAt, countingIds, graphSettings, keptLog, runPorts } from "./parts.js";

/**
 * One shard's runs. Real: the drivers, the store, telemetry, and Graph's client and transport, which speak HTTP to whatever
 * stands at `graphUrl`. Fake: the table in memory, and a clock that stands still unless a test moves it.
 */
export function shardRuns(
  graphUrl: string,
  settings: { pageSize?: number; batchSize?: number; token?: string; telemetry?: Telemetry } = {},
) {
  const newId = countingIds();
  const clock = clockAt(Date.UTC(2026, 0, 1));
  const table = memoryTable();
  const { token = "test", telemetry = noTelemetry } = settings;
  const store = createStore({ table: tracedTable(table, telemetry), shards: 1, newCommitId: newId });
  const way = createTransport({ root: graphUrl, token: trialToken(token), newId });
  const transport = tracedTransport(way, telemetry);
  const { logged, log } = keptLog();
  const { batchSize = 20, pageSize = 50 } = settings;
  const ofGraph = { ...graphSettings(graphUrl), pageSize, batchSize };
  const graph = createGraphClient({ settings: ofGraph, transport, clock, log });
  const ports = runPorts({ clock, newId, graph, store, log, batchSize });
  let ticks = 0;
  return {
    ports,
    table,
    logged,
    transport,
    advance: (ms: number) => {
      clock.ms += ms;
    },
    tick: (): RoundsMessage => ({ shard: "00", tick: `tick-${++ticks}` }),
  };
}
