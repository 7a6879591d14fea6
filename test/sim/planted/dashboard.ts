import type { Mutant } from "./mutant.js";

const states = ["test/dashboard/states.test.ts"];
const texts = ["test/dashboard/texts.test.ts"];

/** Faults in what the dashboard says and offers: people believe it. */
export const inTheDashboard: readonly Mutant[] = [
  {
    name: "show a mirror that does not answer as well",
    file: "dashboard/freshness.ts",
    from: `return { kind: "bad", text: readAgoSeconds === null`,
    to: `return { kind: "good", text: readAgoSeconds === null`,
    unit: states,
  },
  {
    name: "show the states of the last reading as today's while the application is refused",
    file: "dashboard/freshness.ts",
    from: `return application !== null ? "refused" : brake.isOn`,
    to: `return brake.isOn`,
    unit: states,
  },
  {
    name: "show the states of the last reading as today's while no tick comes",
    file: "dashboard/freshness.ts",
    from: `if (ticks.isLate) return "late";`,
    to: ``,
    unit: states,
  },
  {
    name: "count nobody who is held as in need of attention",
    file: "dashboard/freshness.ts",
    from: `const troubled = parked + held;`,
    to: `const troubled = parked;`,
    unit: states,
  },
  {
    name: "leave a key in the address, which people copy",
    file: "dashboard/key.ts",
    from: `address.searchParams.delete("code");`,
    to: ``,
    unit: texts,
  },
  {
    name: "let the id of a mailbox be a path of its own in the address of its view",
    file: "dashboard/address.ts",
    from: `\`#/mailboxes/\${encodeURIComponent(id)}\``,
    to: `\`#/mailboxes/\${id}\``,
    unit: texts,
  },
  {
    name: "forget the key in the page alone, and not in the browser",
    file: "dashboard/key.ts",
    from: `withStorage((storage) => storage.removeItem(storedAs));`,
    to: ``,
    unit: texts,
  },
  {
    name: "offer a retry again at once, as if nobody had asked for it",
    file: "dashboard/asked.ts",
    from: `if (startedMs > atMs) asked.delete(what);`,
    to: `if (startedMs < atMs) asked.delete(what);`,
    unit: states,
  },
  {
    name: "promise a retry with the next tick while the application is refused",
    file: "dashboard/asked.ts",
    from: `(application ?? brake).until`,
    to: `brake.until`,
    unit: states,
  },
  {
    name: "take ages by this device's clock, and waits by the mirror's",
    file: "dashboard/times.ts",
    from: `return Date.now() + aheadMs;`,
    to: `return Date.now();`,
    unit: states,
  },
  {
    name: "offer actions to a key that only reads",
    file: "dashboard/operator.ts",
    from: `return status === 401 || status === 403 ? "reads" : "unknown";`,
    to: `return status === 401 ? "reads" : "acts";`,
    unit: states,
  },
  {
    name: "offer a retry to those who come back with the application",
    file: "dashboard/attention.ts",
    from: `reason === code || reason.endsWith(`,
    to: `reason === code && reason.endsWith(`,
    unit: states,
  },
  {
    name: "offer a retry to those whose user has left",
    file: "dashboard/attention.ts",
    from: `return !isPart && state !== "suspended";`,
    to: `return !isPart;`,
    unit: states,
  },
  {
    name: "round the share of fresh mailboxes up to all of them",
    file: "dashboard/measures.ts",
    from: `Math.floor(value * 10) / 10`,
    to: `Math.round(value * 10) / 10`,
    unit: texts,
  },
  {
    name: "tell a calendar that was replaced as removed",
    file: "dashboard/gone.ts",
    from: `if (replacedId !== null) replacedIds.add(replacedId);`,
    to: ``,
    unit: texts,
  },
  {
    name: "read the history of replaced calendars from the newest that has gone on",
    file: "dashboard/gone.ts",
    from: `Math.min(...known)`,
    to: `Math.max(...known)`,
    unit: texts,
  },
];
