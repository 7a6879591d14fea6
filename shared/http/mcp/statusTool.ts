import * as z from "zod";
import { explained } from "../../reasons.js";
import { mailboxStates } from "../../sync/state.js";
import type { Status } from "../../views/statusSchema.js";
import { toolOf } from "./mirror.js";
import { ageOf, ageSchema, flag, number, numberOrNull, shown, shownOrNull, text, textOrNull } from "./shapes.js";

/** Our choice: an hour of ticks as they come by default; and how many reasons, each with how many mailboxes, are told. */
const limits = { ticks: 12, reasonsMax: 12, examplesMax: 3 } as const;

const troubleStates = ["parked", "held", "waiting", "suspended"] as const;

const whySchema = z
  .looseObject({ code: textOrNull, means: textOrNull, since: textOrNull, until: textOrNull })
  .nullable();

const attentionSchema = z.looseObject({
  state: z.enum(troubleStates),
  reason: text,
  mailboxes: number,
  examples: z.array(text).describe("Object ids of some of them, for explain_mailbox."),
  means: text,
  helps: textOrNull.describe("What an operator can do. Null: nothing, it goes on by itself."),
});

export const statusTool = toolOf({
  name: "get_mirror_status",
  title: "How is the mirror?",
  description:
    "The state of the whole mirror: how many mailboxes are up to date, which need attention and why, whether Microsoft Graph " +
    "throttles or refuses the app, whether ticks come in time, and what was done lately.",
  input: z.strictObject({}),
  output: z.looseObject({
    now: text,
    mailboxes: z.looseObject({
      total: number,
      mirrored: number.describe("Without those that are suspended or being removed."),
      upToDate: number.describe("Of those mirrored: read within the last two ticks."),
      neverRead: number,
      byState: z.record(z.enum(mailboxStates), number),
    }),
    calendars: number,
    needsAttention: z.array(attentionSchema).describe("Why mailboxes are not up to date, the commonest first."),
    moreReasons: number.describe("Further reasons that are not shown."),
    throttled: whySchema.describe("Graph throttles the whole application; null: it does not."),
    refused: whySchema.describe(
      "Graph refused nearly all mailboxes that were asked, so none is read; null: it did not.",
    ),
    ticks: z.looseObject({
      newest: textOrNull.describe("When the newest one began."),
      everySeconds: numberOrNull.describe("The usual time between two; null before the second one."),
      isLate: flag.describe("Three or more were due since: mailboxes are not read."),
    }),
    lately: z
      .looseObject({
        since: textOrNull,
        changes: number,
        graphRequests: number,
        throttles: number.describe("429 responses."),
      })
      .describe("What the last ticks did, an hour of them by default."),
    roster: z
      .looseObject({
        source: text,
        state: text,
        lastSuccess: textOrNull,
        lastErrorCode: textOrNull,
        leavingHeld: number
          .nullable()
          .describe("Mailboxes that a sudden shrink would take, while it waits to be confirmed."),
      })
      .describe("Who is mirrored: by hand, or by discovery in the directory."),
    age: ageSchema,
  }),
  answer: async (_asked, mirror) => {
    const status = await mirror.get<Status>("status", { ticks: limits.ticks });
    const { mailboxes, activity, ticks, roster } = status;
    const troubles = troublesOf(status);
    const { changes, graphRequests, throttles } = activity.total;
    return {
      now: status.now,
      mailboxes: {
        total: mailboxes.total,
        mirrored: mailboxes.mirrored,
        upToDate: mailboxes.freshWithinTwoTicks.count,
        neverRead: mailboxes.neverSucceeded,
        byState: mailboxes.byState,
      },
      calendars: mailboxes.calendars,
      needsAttention: troubles.slice(0, limits.reasonsMax),
      moreReasons: Math.max(0, troubles.length - limits.reasonsMax),
      throttled: status.brake.isOn ? whyOf(status.brake) : null,
      refused: status.application === null ? null : whyOf(status.application),
      ticks: { newest: ticks.newest, everySeconds: ticks.intervalSeconds, isLate: ticks.isLate },
      lately: { since: activity.ticks[0]?.started ?? null, changes, graphRequests, throttles },
      roster: {
        source: roster.source,
        state: roster.state,
        lastSuccess: roster.lastSuccess,
        lastErrorCode: shownOrNull(roster.lastErrorCode),
        leavingHeld: roster.held?.leaving ?? null,
      },
      age: ageOf(mailboxes.oldestSuccess?.at ?? null, mirror.nowMs),
    };
  },
});

function whyOf({ code, since, until }: { code: string | null; since: string | null; until: string | null }) {
  return { code: shownOrNull(code), means: code === null ? null : explained(code).means, since, until };
}

function troublesOf({ troubles }: Status): z.infer<typeof attentionSchema>[] {
  const all = troubleStates.flatMap((state) =>
    troubles[state].map(({ reason, count: mailboxes, examples }) => ({
      state,
      reason: shown(reason),
      mailboxes,
      examples: examples.slice(0, limits.examplesMax),
      means: explained(reason).means,
      helps: explained(reason).helps,
    })),
  );
  return all.sort((one, other) => other.mailboxes - one.mailboxes);
}
