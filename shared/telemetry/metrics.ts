/** Counters count what happened since the last export; gauges show a state, most that of a shard. `infra/telemetry.bicep` names them too. */
export const metrics = {
  "calendar_mirror.rounds": { kind: "counter", unit: "{round}", about: "Syncs (rounds) that ended" },
  "calendar_mirror.pages": { kind: "counter", unit: "{page}", about: "Pages of Graph that were committed" },
  "calendar_mirror.changes": { kind: "counter", unit: "{change}", about: "Real changes of calendars" },
  "calendar_mirror.throttles": { kind: "counter", unit: "{answer}", about: "429 responses, and the like, of Graph" },
  "calendar_mirror.transactions": { kind: "counter", unit: "{transaction}", about: "Table transactions" },
  "calendar_mirror.lag": {
    kind: "gauge",
    unit: "s",
    about: "Age of the shard's stalest mailbox: time since its last success",
  },
  "calendar_mirror.parked": { kind: "gauge", unit: "{mailbox}", about: "Parked mailboxes" },
  "calendar_mirror.drift": { kind: "gauge", unit: "{change}", about: "Changes missed by delta, which audits found" },
  "calendar_mirror.brake": { kind: "gauge", unit: "1", about: "1 while the whole application is throttled, else 0" },
  "calendar_mirror.refused": { kind: "gauge", unit: "1", about: "1 while the whole application is refused, else 0" },
  "calendar_mirror.fresh_share": { kind: "gauge", unit: "1", about: "Share of mailboxes fresh within two ticks" },
  "calendar_mirror.notifications": { kind: "counter", unit: "{notification}", about: "Accepted by subscribers" },
  "calendar_mirror.subscriber_requests": { kind: "counter", unit: "{request}", about: "To subscribers, by outcome" },
  "calendar_mirror.subscriber_lag": { kind: "gauge", unit: "s", about: "Time that the most belated subscriber waits" },
  "calendar_mirror.subscribers": { kind: "gauge", unit: "{subscriber}", about: "Subscribers, by state" },
} as const satisfies Record<string, { kind: "counter" | "gauge"; unit: string; about: string }>;

/** The name of a metric. */
export type MetricName = keyof typeof metrics;
