import "./page.js";
import { describe, expect, test } from "vitest";
import type { Status } from "../../dashboard/api.js";
import { askedFor, forgetAnswered, noteAsked, retryText } from "../../dashboard/asked.js";
import { canRetryAll, canRetryOne, groupsOf } from "../../dashboard/attention.js";
import { haltOf, silenceOf, verdictOf } from "../../dashboard/freshness.js";
import { standingBy } from "../../dashboard/operator.js";
import { clockTime, mirrorNowMs, setClock } from "../../dashboard/times.js";

/** What the dashboard says of the whole mirror, and what it offers to do: only what is true, and only what helps. */

const now = "2026-11-28T12:00:00.000Z";
const at = (seconds: number) => new Date(Date.parse(now) + seconds * 1_000).toISOString();
const nobody = { new: 0, fresh: 0, inProgress: 0, waiting: 0, held: 0, parked: 0, suspended: 0, removing: 0 };

type Told = {
  readonly byState?: Partial<Status["mailboxes"]["byState"]>;
  readonly fresh?: number;
  readonly isLate?: boolean;
  readonly brake?: Status["brake"];
  readonly application?: Status["application"];
  readonly troubles?: Partial<Status["troubles"]>;
  readonly ticks?: readonly { readonly started: string }[];
};

/** A status of ten mailboxes, all fresh, with this in it. */
function statusWith({ byState = { fresh: 10 }, fresh = 10, isLate = false, ...told }: Told = {}): Status {
  const off = { isOn: false, code: null, since: null, until: null };
  return {
    now,
    mailboxes: {
      total: 10,
      byState: { ...nobody, ...byState },
      freshWithinTwoTicks: { count: fresh, of: 10, share: fresh / 10 },
    },
    ticks: { newest: at(-30), intervalSeconds: 60, isLate },
    brake: told.brake ?? off,
    application: told.application ?? null,
    roster: { held: null },
    troubles: { parked: [], held: [], waiting: [], suspended: [], ...told.troubles },
    activity: { ticks: told.ticks ?? [] },
  } as unknown as Status; // What these functions read of it.
}

const refused = { code: "ErrorAccessDenied", since: at(-10), until: at(50) };
const throttled = { isOn: true, code: "TooManyRequests", since: at(-10), until: at(50) };

describe("the verdict", () => {
  test("is good only where all mailboxes are read", () => {
    expect(verdictOf(statusWith())).toEqual({ kind: "good", text: "All 10 mailboxes are fresh" });
    expect(verdictOf(statusWith({ fresh: 9 })).kind).toBe("busy");
  });

  test.each([
    ["late", { isLate: true }, "No tick for 30 s"],
    ["refused", { application: refused }, "No mailbox is read: Graph refused nearly all that were asked"],
    ["throttled", { brake: throttled }, `Graph throttles the application until ${clockTime(Date.parse(at(50)))}`],
  ] as const)(
    "%s: is bad although all were fresh, and their states are said to be of the last reading",
    (halt, told, text) => {
      expect(verdictOf(statusWith(told))).toEqual({ kind: "bad", text });
      expect(haltOf(statusWith(told))).toBe(halt);
    },
  );

  test("nothing is halted while mailboxes are read, whoever of them needs attention", () => {
    expect(haltOf(statusWith({ byState: { parked: 10 }, fresh: 0 }))).toBeNull();
  });

  test.each([
    [{ fresh: 8, parked: 1, held: 1 }, "2 mailboxes need attention"],
    [{ fresh: 9, held: 1 }, "1 mailbox needs attention"],
    [{ fresh: 7, suspended: 3 }, "3 of 10 mailboxes are suspended"],
  ])("%o is bad, and counts who needs somebody", (byState, text) => {
    expect(verdictOf(statusWith({ byState }))).toEqual({ kind: "bad", text });
  });

  test("two of ten suspended are leavers as there always are", () => {
    expect(verdictOf(statusWith({ byState: { fresh: 8, suspended: 2 } })).kind).toBe("good");
  });

  test("while the mirror does not answer nothing is good, whatever was read before", () => {
    expect(silenceOf(false, 65)).toEqual({ kind: "bad", text: "No answer for 1 min" });
    expect(silenceOf(false, null)).toEqual({ kind: "bad", text: "No figures" });
    expect(silenceOf(true, 65)).toEqual({ kind: "bad", text: "Locked" });
  });
});

describe("what was asked for", () => {
  test("stands in place of its button until a tick has ended that began afterwards", () => {
    setClock(now);
    noteAsked("parked denied:X", "Retrying at 12:01");
    forgetAnswered(statusWith({ ticks: [{ started: at(-5) }] }));
    expect(askedFor("parked denied:X")).toBe("Retrying at 12:01");
    expect(askedFor("parked denied:Y")).toBeNull();
    forgetAnswered(statusWith({ ticks: [{ started: at(5) }] }));
    expect(askedFor("parked denied:X")).toBeNull();
  });

  test("says when: with the next tick, or once Graph may be asked at all", () => {
    setClock(now);
    const [until, nextTick] = [clockTime(Date.parse(at(50))), clockTime(Date.parse(at(30)))];
    expect(retryText(statusWith())).toBe(`Retrying at ${nextTick}`);
    expect(retryText(statusWith({ brake: throttled }))).toBe(
      `Noted: the whole application is throttled until ${until}`,
    );
    expect(retryText(statusWith({ application: refused }))).toBe(
      `Noted: one mailbox is tried at ${until}, and if it is answered, all are`,
    );
  });

  test("ages and waits are by the mirror's clock, however wrong this device's is", () => {
    setClock("2031-01-01T00:00:00.000Z");
    expect(Math.abs(mirrorNowMs() - Date.parse("2031-01-01T00:00:00.000Z"))).toBeLessThan(60_000);
  });
});

describe("who may act, and what is offered", () => {
  test.each([
    [200, "acts"],
    [401, "reads"],
    [403, "reads"],
    [0, "unknown"],
    [503, "unknown"],
  ] as const)("a key that is answered %i: %s", (status, standing) => {
    expect(standingBy(status)).toBe(standing);
  });

  const groupIn = (
    state: "parked" | "held" | "waiting" | "suspended",
    reason: string,
    application = false,
    count = 2,
  ) => {
    const troubles = { [state]: [{ reason, count, examples: [] }] };
    const [group] = groupsOf(statusWith({ troubles, ...(application ? { application: refused } : {}) }));
    if (group === undefined) throw new Error("There is no group.");
    return [canRetryAll(group), canRetryOne(group)];
  };

  test("a retry of all where there are several with one reason, and a retry can help", () => {
    expect(groupIn("parked", "denied:ErrorAccessDenied")).toEqual([true, true]);
    expect(groupIn("waiting", "ErrorQuotaExceeded")).toEqual([true, true]);
    expect(groupIn("parked", "denied:ErrorAccessDenied", false, 1)).toEqual([false, true]);
    expect(groupIn("held", "massRemoval")).toEqual([false, true]);
    expect(groupIn("parked", "other")).toEqual([false, true]); // Several reasons: no request names them.
    expect(groupIn("suspended", "left")).toEqual([false, false]);
  });

  test("none for those that come back with the application, by its code alone or after the mirror's own word", () => {
    expect(groupIn("parked", "denied:ErrorAccessDenied", true)).toEqual([false, false]);
    expect(groupIn("waiting", "ErrorAccessDenied", true)).toEqual([false, false]);
    expect(groupIn("parked", "noMailbox:MailboxNotEnabledForRESTAPI", true)).toEqual([true, true]);
  });
});
