import { describe, expect, test } from "vitest";
import type { FaultRule } from "../../local/graph/faults.js";
import { startMs } from "../worlds/parts.js";
import { applied, simulator, verdict } from "../worlds/simulator.js";

/** A simulator whose mailbox has had its first round, so that there is a link to follow. */
function trialWithLink(calendars = 6) {
  const made = simulator({ calendars, generationsKept: 1000 });
  return { ...made, list: `/beta/users/${made.mailboxId}/calendars`, link: made.round(made.start).link };
}

describe("a refusing fault", () => {
  test.each([
    [{ kind: "throttled" }, "429 ApplicationThrottled"],
    [{ kind: "throttledApplication" }, "429 TooManyRequests"],
    [{ kind: "unavailable" }, "503"],
    [{ kind: "mailboxInfoStale" }, "503 MailboxInfoStale"],
    [{ kind: "gatewayTimeout" }, "504 UnknownError"],
    [{ kind: "serverError" }, "500 ErrorInternalServerError"],
    [{ kind: "claimsChallenge" }, "401 InvalidAuthenticationToken"],
    [{ kind: "tokenRefused" }, "401 InvalidAuthenticationToken"],
    [{ kind: "resetSync", code: "SyncStateInvalid" }, "410 SyncStateInvalid"],
    [{ kind: "mailboxFull" }, "403 ErrorQuotaExceeded"],
    [{ kind: "deltaNotOffered" }, "400 BadRequest"],
    [{ kind: "denied" }, "403 ErrorAccessDenied"],
    [{ kind: "noMailbox", code: "ErrorInvalidUser" }, "404 ErrorInvalidUser"],
  ] satisfies [FaultRule, string][])("%o says %s once, and all is well again", (rule, expected) => {
    const { graph, link, ask } = trialWithLink();
    graph.faults.add({ ...rule, count: 1 });
    expect([ask(link), ask(link)].map(verdict)).toEqual([expected, "200"]);
    expect(graph.faults.injected()[rule.kind]).toBe(1);
  });

  test("asks to wait in every way that Graph knows, or in none", () => {
    const { graph, link, ask } = trialWithLink();
    for (const retryAfter of ["integer", "fraction", "date", "none"] as const) {
      graph.faults.add({ kind: "throttled", retryAfter, seconds: 2.128, count: 1 });
    }
    const waits = [1, 2, 3, 4].map(() => ask(link).headers["retry-after"]);
    expect(waits).toEqual(["3", "2.128", new Date(startMs + 2128).toUTCString(), undefined]);
  });

  test("of claims says which ones", () => {
    const { graph, link, ask } = trialWithLink();
    graph.faults.add({ kind: "claimsChallenge" });
    const challenge = ask(link).headers["www-authenticate"] ?? "";
    expect(challenge).toContain('error="insufficient_claims"');
    const claims = Buffer.from(/claims="([^"]+)"/.exec(challenge)?.[1] ?? "", "base64").toString();
    expect(JSON.parse(claims)).toHaveProperty("access_token.nbf.essential", true);
  });

  test("is injected only into what its rule names", () => {
    const { graph, mailboxId, ask, start } = simulator({ mailboxes: 2 });
    const other = graph.mailboxes.idAt(1);
    graph.faults.add({ kind: "serverError", mailboxId: other, on: "list" });
    expect(ask(start).status).toBe(200);
    expect(ask(`/beta/users/${mailboxId}/calendars`).status).toBe(200);
    expect(ask(`/beta/users/${other}/calendars/delta`).status).toBe(200);
    expect(ask(`/beta/users/${other}/calendars`).status).toBe(500);
  });

  test("is injected at its rate, the same way for the same random numbers", () => {
    const statuses = () => {
      const { graph, list, ask } = trialWithLink();
      graph.faults.add({ kind: "serverError", rate: 0.25 });
      const all = Array.from({ length: 400 }, () => ask(list).status);
      expect(all.filter((status) => status === 500)).toHaveLength(graph.faults.injected().serverError);
      return all;
    };
    const first = statuses();
    expect(first.filter((status) => status === 500).length).toBeGreaterThan(60);
    expect(first.filter((status) => status === 500).length).toBeLessThan(140);
    expect(statuses()).toEqual(first);
  });

  test.each([
    ["UnknownError", "404 UnknownError"],
    ["BadRequest", "400 BadRequest"],
    ["ErrorAccessDenied", "403 ErrorAccessDenied"],
    ["emptyBody", "404"],
  ] as const)("linkRefused: old links answer %s for good, the start and its links are served", (code, refused) => {
    const { graph, start, link, ask, round } = trialWithLink();
    graph.faults.add({ kind: "linkRefused", code, count: 1 });
    expect(verdict(ask(start))).toBe("200");
    expect([ask(link), ask(link)].map(verdict)).toEqual([refused, refused]);
    expect(verdict(ask(round(start).link))).toBe("200");
  });

  test("with a reset needs a link to lose; links that are forgotten stay so", () => {
    const { graph, start, link, ask } = trialWithLink();
    graph.faults.add({ kind: "linksForgotten", count: 1 });
    expect(ask(start).status).toBe(200);
    expect([ask(link), ask(link)].map(verdict)).toEqual(["410 SyncStateNotFound", "410 SyncStateNotFound"]);
    expect(graph.faults.injected().linksForgotten).toBe(1);
  });

  test("in a batch is injected into single items, each with its own wait", () => {
    const { graph, batch } = simulator({ mailboxes: 3 });
    graph.faults.add({ kind: "throttled", mailboxId: graph.mailboxes.idAt(1), seconds: 7 });
    const requests = graph.mailboxes
      .ids()
      .map((id, at) => ({ id: `${at}`, method: "GET", url: `/users/${id}/calendars/delta` }));
    const items = batch(requests);
    expect(["0", "1", "2"].map((id) => items.get(id)?.status)).toEqual([200, 429, 200]);
    const wait = Object.entries(items.get("1")?.headers ?? {}).find(([name]) => name.toLowerCase() === "retry-after");
    expect(wait?.[1]).toBe("7");
  });
});

describe("a fault of a whole batch", () => {
  test.each([
    [{ kind: "throttledApplication" }, "429 TooManyRequests"],
    [{ kind: "throttled", on: "batch" }, "429 ApplicationThrottled"],
    [{ kind: "unavailable", on: "batch" }, "503"],
    [{ kind: "claimsChallenge", on: "batch" }, "401 InvalidAuthenticationToken"],
  ] satisfies [FaultRule, string][])("%o refuses it, and no item is worked on", (rule, expected) => {
    const { graph, mailboxId, send } = simulator();
    graph.faults.add({ ...rule, count: 1 });
    const requests = [{ id: "a", method: "GET", url: `/users/${mailboxId}/calendars` }];
    expect(verdict(send("POST", "/beta/$batch", { requests }))).toBe(expected);
    expect(graph.stats().batchItems).toBe(0);
    expect(send("POST", "/beta/$batch", { requests }).status).toBe(200);
  });
});

describe("a distorting fault", () => {
  test("latency takes its time", () => {
    const { graph, link, ask } = trialWithLink();
    graph.faults.add({ kind: "latency", latencyMs: 700, count: 1 });
    expect([ask(link).delayMs, ask(link).delayMs]).toEqual([700, 0]);
  });

  test("emptyPages come before each real page, and the round still ends", () => {
    const { graph, start, round } = trialWithLink();
    graph.faults.add({ kind: "emptyPages", pages: 3 });
    const { rows, pages } = round(start, 4);
    expect([rows.length, pages]).toEqual([6, 8]);
  });

  test("repeatedItems come twice in a page, or again in a later page of the round", () => {
    const { graph, mailboxId, start, round } = trialWithLink();
    for (const form of ["page", "round"] as const) {
      graph.faults.clear();
      graph.faults.add({ kind: "repeatedItems", form });
      const { rows } = round(start, 4);
      expect(rows).toHaveLength(8);
      expect(applied(rows).size).toBe(graph.truth(mailboxId).length);
    }
  });

  test("partialItems carry the id and what changed since the link, but new calendars are whole", () => {
    const { graph, mailboxId, link, round } = trialWithLink();
    graph.faults.add({ kind: "partialItems" });
    const [main] = graph.truth(mailboxId);
    graph.renameCalendar(mailboxId, main?.id ?? "", "Main");
    const renamed = round(link);
    expect(renamed.rows.map((row) => Object.keys(row))).toEqual([["@odata.type", "id", "name", "changeKey"]]);
    graph.updateCalendar(mailboxId, main?.id ?? "", { color: "lightPink" });
    graph.createCalendar(mailboxId, { name: "New" });
    expect(round(renamed.link).rows.map((row) => Object.keys(row).length)).toEqual([4, 19]);
  });

  test("partialItems of a later page still carry what changed since the link that began the round", () => {
    const { graph, mailboxId, link, page } = trialWithLink();
    graph.faults.add({ kind: "partialItems" });
    const [first = "", second = "", third = ""] = graph.truth(mailboxId).map(({ id }) => id);
    graph.updateCalendar(mailboxId, first, { color: "lightPink" });
    const created = graph.createCalendar(mailboxId, { name: "New" });
    graph.renameCalendar(mailboxId, second, "Second");
    graph.renameCalendar(mailboxId, third, "Third");
    graph.renameCalendar(mailboxId, first, "First");
    graph.renameCalendar(mailboxId, created.id, "Newer");
    const pages = [page(link, 2)];
    for (let next = pages[0]?.["@odata.nextLink"]; next !== undefined; next = pages.at(-1)?.["@odata.nextLink"])
      pages.push(page(next, 2));
    const [changed, whole] = pages.flatMap(({ value }) => value).slice(2);
    expect(changed).toMatchObject({ id: first, name: "First", color: "lightPink" });
    expect(whole).toEqual({ "@odata.type": "#microsoft.graph.calendar", ...graph.truth(mailboxId).at(-1) });
  });

  test("replays bring old rows again", () => {
    const { graph, link, round } = trialWithLink();
    graph.faults.add({ kind: "replays", items: 2, count: 1 });
    expect(round(link).rows).toHaveLength(2);
  });

  test("oversizedPage gives more than was asked for, even over 99 rows", () => {
    const { graph, start, page } = trialWithLink(130);
    graph.faults.add({ kind: "oversizedPage" });
    expect(page(start, 5).value).toHaveLength(130);
  });

  test("halvedList hides every second calendar from lists and full rounds, not from the truth", () => {
    const { graph, mailboxId, list, start, page, round } = trialWithLink();
    graph.faults.add({ kind: "halvedList" });
    expect([page(list).value.length, round(start).rows.length]).toEqual([3, 3]);
    expect(graph.truth(mailboxId)).toHaveLength(6);
    graph.faults.clear();
    expect([page(list).value.length, round(start).rows.length]).toEqual([6, 6]);
  });

  test("endlessLinks rotate over one payload, or stay the same, until the rule is taken away", () => {
    for (const form of ["rotating", "same"] as const) {
      const { graph, start, page, round } = trialWithLink();
      const rule = graph.faults.add({ kind: "endlessLinks", form, count: 1 });
      const links = [start];
      const payloads = new Set<string>();
      for (let step = 0; step < 5; step++) {
        const answer = page(links.at(-1) ?? "");
        payloads.add(JSON.stringify(answer.value));
        links.push(answer["@odata.nextLink"] ?? "");
      }
      expect(payloads.size).toBe(1);
      expect(new Set(links).size).toBe(form === "rotating" ? 6 : 2);
      graph.faults.remove(rule);
      expect(round(links.at(-1) ?? "").rows).toHaveLength(6);
    }
  });

  test.each([
    ["host", /^https:\/\/graph\.attacker\.example\/beta\/users\//],
    ["emptyUser", /\/beta\/users\/\/calendars\/delta\?/],
    ["scheme", /^http:\/\/graph\.microsoft\.com\//],
    ["longerPath", /\/calendars\/delta\/calendars\?\$deltatoken=/],
  ] as const)("poisonedLink leads elsewhere: %s", (form, expected) => {
    const { graph, link, page } = trialWithLink();
    graph.faults.add({ kind: "poisonedLink", form });
    expect(page(link)["@odata.deltaLink"]).toMatch(expected);
  });

  test("poisonedLink leads to another user", () => {
    const { graph, start, page } = simulator({ mailboxes: 2 });
    graph.faults.add({ kind: "poisonedLink", form: "user" });
    expect(page(start)["@odata.deltaLink"]).toContain(`/users/${graph.mailboxes.idAt(1)}/`);
  });

  test("batches lose an item, double one, or are no JSON", () => {
    const { graph, mailboxId, send } = simulator();
    const requests = ["a", "b", "c"].map((id) => ({ id, method: "GET", url: `/users/${mailboxId}/calendars` }));
    const ids = () =>
      (JSON.parse(send("POST", "/beta/$batch", { requests }).body) as { responses: { id: string }[] }).responses.map(
        ({ id }) => id,
      );
    graph.faults.add({ kind: "batchMissingItem", count: 1 });
    expect(ids()).toHaveLength(2);
    graph.faults.add({ kind: "batchDoubledItem", count: 1 });
    const doubled = ids();
    expect([doubled.length, new Set(doubled).size]).toEqual([4, 3]);
    graph.faults.add({ kind: "batchNotJson", count: 1 });
    expect(send("POST", "/beta/$batch", { requests }).body).toMatch(/^<html>/);
  });

  test("truncatedBody breaks off, connectionReset never answers, and both had their effect", () => {
    const { graph, list, mailboxId, send, ask } = trialWithLink();
    graph.faults.add({ kind: "truncatedBody", on: "list", count: 1 });
    expect(() => JSON.parse(ask(list).body)).toThrow(SyntaxError);
    graph.faults.add({ kind: "connectionReset", on: "write", count: 1 });
    expect(send("POST", list, { name: "Made in the dark" }).connectionReset).toBe(true);
    expect(graph.truth(mailboxId)).toHaveLength(7);
    expect(graph.faults.injected()).toMatchObject({ truncatedBody: 1, connectionReset: 1 });
  });
});

test("rules are listed with what is left of them, and a malformed rule is refused", () => {
  const { graph, start, ask } = simulator();
  const id = graph.faults.add({ kind: "serverError", count: 2 });
  ask(start);
  expect(graph.faults.rules()).toEqual([{ kind: "serverError", count: 2, id, left: 1 }]);
  expect(() => graph.faults.add({ kind: "serverError", rate: 2 })).toThrow();
  expect(graph.faults.remove(id)).toBe(true);
  expect(graph.faults.rules()).toEqual([]);
});
