import * as z from "zod";
import { explained } from "../../reasons.js";
import type { MailboxView } from "../../views/mailboxSchema.js";
import type { Status } from "../../views/statusSchema.js";
import { shown } from "./shapes.js";

export const causeSchema = z.looseObject({
  code: z.string().describe("Graph's error code, or the mirror's own name for the cause."),
  means: z.string(),
  helps: z.string().nullable().describe("What an operator can do. Null: nothing, it goes on by itself."),
});
type Cause = z.infer<typeof causeSchema>;

/** Why a mailbox is as it is. */
export type Verdict = {
  /** Graph has not answered for it since the start of the tick before the newest one. Null: no tick has come yet. */
  readonly isBehind: boolean | null;
  /** In one sentence. */
  readonly summary: string;
  /** What holds it up, what concerns all mailboxes first. */
  readonly causes: readonly Cause[];
  /** When Graph is asked again for it, where a time is known; else with the next tick, unless it is suspended. */
  readonly triedAgain: string | null;
};

/** Says why a mailbox is behind, from its own view and from the state of the whole mirror at the same time. */
export function whyBehind(mailbox: MailboxView, status: Status): Verdict {
  const isBehind = behind(mailbox, status);
  const isAsked = mailbox.state !== "suspended" && mailbox.state !== "removing";
  const causes = [...(isAsked ? causesForAll(status) : []), ...ownCauses(mailbox)];
  const until = status.application?.until ?? (status.brake.isOn ? status.brake.until : null);
  const times = [mailbox.notBefore, until].filter((time) => time !== null).sort();
  const triedAgain = isAsked ? (times.at(-1) ?? null) : null;
  return { isBehind, summary: summaryOf(mailbox, isBehind, causes.length > 0), causes, triedAgain };
}

function behind({ lastSuccess }: MailboxView, { activity, ticks }: Status): boolean | null {
  const starts = [...activity.ticks.map(({ started }) => started), ticks.newest].filter((time) => time !== null);
  const inOrder = [...new Set(starts)].sort();
  const before = inOrder.at(-2) ?? inOrder.at(-1);
  if (before === undefined) return null;
  return lastSuccess === null || Date.parse(lastSuccess) < Date.parse(before);
}

function causesForAll({ application, brake, ticks, now }: Status): readonly Cause[] {
  const causes: Cause[] = [];
  if (application !== null) {
    const code = application.code ?? "unknown";
    const means = `Graph refused nearly all mailboxes that were asked, so none is read, and only one is tried now and then. ${explained(code).means}`;
    const helps = `${explained(code).helps ?? "Look at the app's permissions."} Once one is answered, all are read again.`;
    causes.push({ code: shown(code), means, helps });
  }
  if (brake.isOn) {
    const means = `Graph throttles the whole application until ${brake.until ?? "an unknown time"}: no mailbox is read meanwhile.`;
    const helps = "It ends by itself. If it comes back in every tick, choose a longer SYNC_SCHEDULE.";
    causes.push({ code: shown(brake.code ?? "unknown"), means, helps });
  }
  if (ticks.isLate) {
    const means = `No tick has come since ${ticks.newest ?? "the start"} (now ${now}), though three or more were due: no mailbox is read.`;
    causes.push({
      code: "ticksLate",
      means,
      helps: "Look at the invocations of the function startRounds, and at its log.",
    });
  }
  return causes;
}

function ownCauses({ state, parkedReason, lastErrorCode, heldRemovals }: MailboxView): readonly Cause[] {
  const of = (code: string): Cause => {
    const { means, helps } = explained(code);
    return { code: shown(code), means, helps };
  };
  switch (state) {
    case "parked":
    case "suspended":
    case "removing": {
      const codes = [
        parkedReason ?? state,
        ...(state === "suspended" && lastErrorCode !== null ? [lastErrorCode] : []),
      ];
      return codes.map(of);
    }
    case "held":
      return [{ ...of("massRemoval"), means: `${of("massRemoval").means} ${heldRemovals} were missing.` }];
    case "waiting":
      return [of(lastErrorCode ?? "unknown")];
    case "new":
      return [
        {
          code: "new",
          means: "Its first sync has not ended yet. In one tick each shard begins 600 of them.",
          helps: null,
        },
      ];
    case "inProgress": {
      const reading = { code: "inProgress", means: "A sync is at work. Every tick continues it.", helps: null };
      return lastErrorCode === null ? [reading] : [reading, of(lastErrorCode)];
    }
    default:
      return [];
  }
}

const stopped: Partial<Record<MailboxView["state"], string>> = {
  parked: "It needs attention: work on it has stopped. It is asked again now and then, by longer and longer waits.",
  suspended: "It is suspended: it is neither asked nor served.",
  removing: "It is being removed.",
};

function summaryOf({ state, lastSuccess }: MailboxView, isBehind: boolean | null, hasCauses: boolean): string {
  const known = stopped[state];
  if (known !== undefined) return known;
  if (isBehind === null) return "No tick has come yet, so no mailbox was read.";
  if (!isBehind) return hasCauses ? "It is up to date for now, though not all is well." : "It is up to date.";
  const since =
    lastSuccess === null ? "Graph has never answered for it" : `Graph last answered for it at ${lastSuccess}`;
  if (hasCauses) return `It is behind: ${since}.`;
  return `It is behind: ${since}. Nothing is known to be wrong with it: ticks take longer than the time between them.`;
}
