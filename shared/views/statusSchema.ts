import * as z from "zod";
import { mailboxKinds } from "../sync/mailboxKind.js";
import { mailboxStates } from "../sync/state.js";
import { counterNames } from "../sync/types.js";
import { rosterSchema } from "./rosterSchema.js";
import { count, countsOf, flag, text, textOrNull, time, timeOrNull } from "./schemaParts.js";
import { subscriberCountsSchema } from "./subscriberSchema.js";

const mailboxes = z.object({
  total: count,
  mirrored: count.describe("Without those that are suspended or being removed."),
  byState: countsOf(mailboxStates),
  byKind: countsOf(mailboxKinds).describe("Of all, suspended ones too, as `GET mailboxes?kind=` lists them."),
  byStrategy: countsOf(["delta", "list"]).describe("By sync mode: changes by delta, or the whole list."),
  strategyNote: textOrNull.describe("Why whole lists are read instead of changes; null where none is."),
  calendars: count,
  freshWithinTwoTicks: z
    .object({ count, of: count, share: z.number().nullable().describe("0 to 1; null where nothing is mirrored.") })
    .describe("Mailboxes whose last success is not older than the start of the tick before."),
  neverSucceeded: count,
  oldestSuccess: z.object({ at: timeOrNull, mailbox: text }).nullable().describe("The stalest mailbox."),
});

const troubles = z.array(z.object({ reason: text, count, examples: z.array(text).describe("Ids of some of them.") }));

const tick = z.looseObject({
  tick: text,
  started: timeOrNull,
  seconds: z.number(),
  shards: count.describe("How many shards have finished it."),
  standing: z
    .object({
      mirrored: count,
      fresh: count.describe("Of them: as in `freshWithinTwoTicks`."),
      attention: count.describe("Parked, or held."),
    })
    .nullable()
    .describe("How mailboxes stood at its end, in the shards that counted all of theirs; null where none did."),
  version: textOrNull.describe(
    "Of the product, in the shard that finished it last; null where a release did it that does not tell.",
  ),
  ...countsOf(counterNames).shape,
});

const shard = z.object({
  shard: text,
  mailboxes: count,
  counted: timeOrNull.describe("When its mailboxes were last counted."),
  tick: textOrNull.describe("The tick of its last run."),
  started: timeOrNull,
  finished: timeOrNull,
});

const why = {
  code: textOrNull.describe("The error code of Graph."),
  since: timeOrNull,
  until: timeOrNull.describe("When Graph is asked again."),
};

/** What all instances obey: Graph throttles the whole application, or refuses it whatever mailbox is asked. */
export const brakeSchema = z.object({
  brake: z.object({ isOn: flag, ...why }).describe("Whether, and until when, Graph throttles the whole application."),
  application: z
    .object({ ...why, until: timeOrNull.describe("When one mailbox is tried again.") })
    .nullable()
    .describe(
      "Graph refused nearly all mailboxes that a run asked, so none is read, and only one is tried now and then; null: it did not.",
    ),
});
export type BrakeView = z.infer<typeof brakeSchema>;

/** By name, as each has a type of its own. Open, as a later release may show more. */
const settings = z
  .looseObject({
    syncSchedule: text,
    rosterSchedule: text,
    roster: text,
    rosterKinds: text,
    shards: count,
    graphCloud: text,
    graphApiVersion: text,
    graphBatchSize: count,
    graphPageSize: count,
    auditDays: z.number(),
    tombstoneDays: z.number(),
    historyDays: z.number(),
    changeNudges: flag,
    newMailboxesPerTick: count,
  })
  .partial()
  .describe("Settings that matter to people; no secrets.");

/** The state of the whole mirror. */
export const statusSchema = z
  .object({
    now: time,
    mailboxes,
    troubles: z
      .object({ parked: troubles, held: troubles, waiting: troubles, suspended: troubles })
      .describe("The reasons for each state that somebody may want to look into, the most frequent first."),
    drift: z.object({ changes: count, mailboxes: count }).describe("Changes missed by delta, which audits found."),
    activity: z.object({ total: countsOf(counterNames), ticks: z.array(tick).describe("The oldest first.") }),
    ticks: z.object({
      newest: timeOrNull.describe("When the newest tick started."),
      intervalSeconds: z.number().nullable().describe("The usual time between ticks; null before the second one."),
      isLate: flag.describe("Three ticks or more were due since the newest one."),
    }),
    shards: z.array(shard),
    roster: rosterSchema,
    subscribers: subscriberCountsSchema,
    ...brakeSchema.shape,
    settings,
    about: z.object({
      version: text.describe("Of the release that answers."),
      app: textOrNull.describe("The name of the Function App; null outside Azure."),
      tenantId: textOrNull.describe("`TENANT_ID`, where it is set."),
    }),
  })
  .meta({ id: "Status" });
export type Status = z.infer<typeof statusSchema>;

export const healthSchema = z.object({ status: z.enum(["healthy", "unhealthy"]), reason: text }).meta({ id: "Health" });
export type HealthView = z.infer<typeof healthSchema>;
