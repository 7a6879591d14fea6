import type { Mutant } from "./mutant.js";

const schedule = "shared/schedule.ts";
const settings = "shared/settings.ts";

/** Faults in what the app reads when it starts, and in what `npm start` shows. */
export const inTheStart: readonly Mutant[] = [
  {
    name: "take weekday 7 for Sunday, as other crons do",
    file: schedule,
    from: `    max: 6,`,
    to: `    max: 7,`,
    unit: ["test/schedule"],
  },
  {
    name: "read a tab between the fields of a schedule as a blank",
    file: schedule,
    from: `text.split(" ")`,
    to: `text.split(/\\s/)`,
    unit: ["test/schedule"],
  },
  {
    name: "fire on a day that fits by month or by week",
    file: schedule,
    from: `schedule.days.includes(date.getUTCDate()) && schedule`,
    to: `schedule.days.includes(date.getUTCDate()) || schedule`,
    unit: ["test/schedule"],
  },
  {
    name: "take a reversed range of a schedule in silence",
    file: settings,
    from: `if (range !== undefined) {`,
    to: `if (range === null) {`,
    unit: ["test/settings.test.ts", "test/schedule"],
  },
  {
    name: "take a schedule that never fires",
    file: settings,
    from: `nextFire(read, 0) === null ?`,
    to: `nextFire(read, 0) === 0 ?`,
    unit: ["test/settings.test.ts", "test/schedule"],
  },
  {
    name: "take a connection string beside an identity in silence",
    file: "shared/storageSettings.ts",
    from: `if (beside !== undefined) {`,
    to: `if (beside === "") {`,
    unit: ["test/settings.test.ts"],
  },
  {
    name: "show changes by the bare id of a mailbox that has a name",
    file: "local/start/shown.ts",
    from: `displayName: item?.mailbox.displayName ?? null,`,
    to: `displayName: null,`,
    unit: ["test/local/startChanges.test.ts"],
  },
  {
    name: "call a mirror right that lacks mailboxes of the roster",
    file: "local/start/compare.ts",
    from: `isWanted === isMirrored &&`,
    to: `(isWanted || !isMirrored) &&`,
    unit: ["test/local/startCompare.test.ts"],
  },
  {
    name: "show a moved calendar without what the history tells of it",
    file: "local/start/shown.ts",
    from: `/^(\\d+)[cd]?$/`,
    to: `/^(\\d+)$/`,
    unit: ["test/local/startChanges.test.ts"],
  },
  {
    name: "take a notification that anybody may have sent",
    file: "local/start/receiver.ts",
    from: `if (sent === null) return [400];`,
    to: `if (sent === null) return [202];`,
    unit: ["test/local/startReceiver.test.ts"],
  },
  {
    name: "accept a notification that could not be handled",
    file: "local/start/receiver.ts",
    from: `[503] as const`,
    to: `[202] as const`,
    unit: ["test/local/startReceiver.test.ts"],
  },
  {
    name: "handle a notification twice that comes twice",
    file: "local/start/receiver.ts",
    from: `id !== undefined && !known.has(id)`,
    to: `id !== undefined`,
    unit: ["test/local/startReceiver.test.ts"],
  },
  {
    name: "call a subscriber's copy right that lacks a calendar",
    file: "local/start/compare.ts",
    from: `mirrored.size === calendars.length &&`,
    to: `mirrored.size >= calendars.length &&`,
    unit: ["test/local/startReceiver.test.ts"],
  },
  {
    name: "let Graph tell of a change that the simulator has not saved",
    file: "local/graph/server.ts",
    from: `else saveChanges();`,
    to: `else isChanged = request.method !== "GET";`,
    unit: ["test/local/graphSaved.test.ts"],
  },
  {
    name: "let two runs have one folder of data",
    file: "local/start/kept.ts",
    from: `locking_mode = EXCLUSIVE`,
    to: `locking_mode = NORMAL`,
    unit: ["test/local/npmStart.test.ts"],
  },
  {
    name: "take up a kept tenant as one of another size",
    file: "local/start/world.ts",
    from: `given.given.has(name) && given[name] !== before?.[name]`,
    to: `given.given.has(name) && before === undefined`,
    unit: ["test/local/npmStart.test.ts"],
  },
  {
    name: "listen on another port than the links of the last run name",
    file: "local/start/world.ts",
    from: `return isFree ? { port: before, lost: null }`,
    to: `return isFree ? { port: 0, lost: null }`,
    unit: ["test/local/npmStart.test.ts"],
  },
  {
    name: "let a mailbox's name control the terminal",
    file: "local/start/screen.ts",
    from: `printable(displayName).slice(1, -1)`,
    to: `displayName`,
    unit: ["test/local/startChanges.test.ts"],
  },
];
