import * as z from "zod";
import { mailboxKinds } from "../../sync/mailboxKind.js";
import { mailboxStates } from "../../sync/state.js";
import { listLimits } from "../../views/mailboxList.js";
import type { MailboxView } from "../../views/mailboxSchema.js";
import type { Status } from "../../views/statusSchema.js";
import type { MailboxPage } from "../openapi/operators.js";
import { cursor, fitting, mailbox, nextCursor, toolOf, top } from "./mirror.js";
import { ageOf, ageSchema, flag, mailboxOf, mailboxSchema, number, shownOrNull, text, textOrNull } from "./shapes.js";
import { causeSchema, whyBehind } from "./whyBehind.js";

export const findMailboxesTool = toolOf({
  name: "find_mailboxes",
  title: "Find mailboxes",
  description:
    "Finds mailboxes that are mirrored, by words of the name or the start of an address or id, by state and by kind. Use it " +
    "first when only a person's name is known. state parked: those that need attention.",
  input: z.strictObject({
    search: z
      .string()
      .min(1)
      .max(listLimits.searchMax)
      .optional()
      .describe("Words of the name, or their beginnings, in any order; or how the address or the id begins."),
    state: z.enum(mailboxStates).optional(),
    kind: z.enum(mailboxKinds).optional(),
    top,
    cursor,
  }),
  output: z.looseObject({
    mailboxes: z.array(
      mailboxSchema.extend({ calendarCount: number, parkedReason: textOrNull, lastErrorCode: textOrNull }),
    ),
    cursor: nextCursor,
    age: ageSchema,
  }),
  answer: async ({ top: most, ...query }, mirror) => {
    const oldest = await mirror.oldestSuccess();
    return fitting(most, async (few) => {
      const page = await mirror.get<MailboxPage>("mailboxes", { ...query, top: few });
      return {
        mailboxes: page.value.map((view) => ({
          ...mailboxOf(view),
          calendarCount: view.calendarCount,
          parkedReason: shownOrNull(view.parkedReason),
          lastErrorCode: shownOrNull(view.lastErrorCode),
        })),
        cursor: page.cursor,
        age: ageOf(oldest, mirror.nowMs),
      };
    });
  },
});

export const explainMailboxTool = toolOf({
  name: "explain_mailbox",
  title: "Explain a mailbox's state",
  description:
    "Why is this mailbox behind, or not in the mirror's answers? Says in words whether it is up to date, what holds it up, what " +
    "Microsoft Graph said, when it is asked again, and what an operator can do.",
  input: z.strictObject({ mailbox }),
  output: z.looseObject({
    mailbox: mailboxSchema,
    isBehind: flag
      .nullable()
      .describe("Graph has not answered for it within the last two ticks. Null: no tick has come yet."),
    summary: text,
    causes: z.array(causeSchema).describe("What holds it up; what concerns all mailboxes comes first."),
    triedAgain: textOrNull.describe("When Graph is asked again. Null: with the next tick, unless it is suspended."),
    syncMode: z
      .enum(["delta", "list"])
      .describe("Whether changes alone are read, or the whole list, where delta is refused."),
    calendarCount: number,
    lastChange: textOrNull,
    lastFullSync: textOrNull,
    failuresInARow: number,
    failingSince: textOrNull.describe(
      "The first failure since a page was read last. Null: it does not fail, or that is unknown.",
    ),
    requestId: textOrNull.describe(
      "Graph's request id of the answer that failed last: what Microsoft's support asks for.",
    ),
    leaveReason: textOrNull.describe("Why its user has left the roster, where that is so."),
    age: ageSchema,
  }),
  answer: async ({ mailbox: asked }, mirror) => {
    const view = await mirror.get<MailboxView>("mailbox", {}, asked);
    const { isBehind, summary, causes, triedAgain } = whyBehind(view, await mirror.get<Status>("status", { ticks: 2 }));
    return {
      mailbox: mailboxOf(view),
      isBehind,
      summary,
      causes: [...causes],
      triedAgain,
      syncMode: view.strategy,
      calendarCount: view.calendarCount,
      lastChange: view.lastChange,
      lastFullSync: view.lastFullRound,
      failuresInARow: view.failuresInARow,
      failingSince: view.failingSince,
      requestId: shownOrNull(view.lastRequestId),
      leaveReason: shownOrNull(view.roster?.leaveReason),
      age: ageOf(view.lastSuccess, mirror.nowMs),
    };
  },
});
