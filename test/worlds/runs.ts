import { createGraphClient } from "../../shared/graph/client.js";
import { trialToken } from "../../shared/graph/token.js";
import { createTransport } from "../../shared/graph/transport.js";
import type { RoundsMessage } from "../../shared/messages.js";
import { type Ports, runLimits } from "../../shared/rounds/ports.js";
import { createStore } from "../../shared/store/store.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { noTelemetry, type Telemetry } from "../../shared/telemetry/telemetry.js";
import { tracedTransport } from "../../shared/telemetry/tracedGraph.js";
import { tracedTable } from "../../shared/telemetry/tracedTable.js";
import { noTimers } from "./timers.js";

/** Drivers over the in-memory table and a Graph over real HTTP; time stands still unless a test moves it. */
export function trialPorts(
  graphUrl: string,
  settings: { pageSize?: number; batchSize?: number; token?: string; telemetry?: Telemetry } = {},
) {
  let names = 0;
  let nowMs = Date.UTC(2026, 0, 1);
  const newId = () => `00000000-0000-4000-8000-${String(++names).padStart(12, "0")}`;
  const clock = {
    nowMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
    after: noTimers,
  };
  const table = memoryTable();
  const { token = "test", telemetry = noTelemetry } = settings;
  const store = createStore({ table: tracedTable(table, telemetry), shards: 1, newCommitId: newId });
  const way = createTransport({ root: graphUrl, token: trialToken(token), newId });
  const transport = tracedTransport(way, telemetry);
  const logged: string[] = [];
  const log: Ports["log"] = (level, message, fields) =>
    logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
  const batchSize = settings.batchSize ?? 20;
  const graphSettings = { root: graphUrl, version: "beta", pageSize: settings.pageSize ?? 50, batchSize };
  const ports: Ports = {
    clock,
    random: { next: () => 1 },
    newId,
    graph: createGraphClient({ settings: graphSettings, transport, clock, log }),
    store,
    nudge: null,
    log,
    limits: runLimits,
    batchSize,
    auditMs: 7 * 86_400_000,
  };
  let ticks = 0;
  return {
    ports,
    table,
    logged,
    transport,
    advance: (ms: number) => {
      nowMs += ms;
    },
    tick: (): RoundsMessage => ({ shard: "00", tick: `tick-${++ticks}` }),
  };
}
