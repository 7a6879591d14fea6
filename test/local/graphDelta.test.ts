import { describe, expect, test } from "vitest";
import { applied, simulator, tokenOf, verdict } from "../worlds/simulator.js";

const byId = (rows: Iterable<{ readonly id: string }>) => [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));

describe("a full round", () => {
  test("gives the present state with all 18 properties and the type, then a deltaLink", () => {
    const { graph, mailboxId, start, page } = simulator({ calendars: 10 });
    const { value, ...rest } = page(start);
    expect(Object.keys(rest)).toEqual(["@odata.context", "@odata.deltaLink"]);
    expect(rest["@odata.context"]).toBe("https://graph.microsoft.com/beta/$metadata#Collection(calendar)");
    expect(value.map(({ "@odata.type": _type, ...calendar }) => calendar)).toEqual(graph.truth(mailboxId));
    expect(value[0]?.["@odata.type"]).toBe("#microsoft.graph.calendar");
    expect(Object.keys(value[0] ?? {})).toHaveLength(1 + 18);
    expect(Object.keys(value[0] ?? {}).slice(1)).toEqual(Object.keys(graph.truth(mailboxId)[0] ?? {}));
    expect(value[0]).toMatchObject({ name: "Calendar", isDefaultCalendar: true, isRemovable: false });
    expect(value[1]).toMatchObject({ name: "Birthdays", canEdit: false });
  });

  test("comes in pages of ten unless each call asks otherwise", () => {
    const { start, page, graph } = simulator({ calendars: 25 });
    const first = page(start);
    const second = page(first["@odata.nextLink"] ?? "", 4);
    const third = page(second["@odata.nextLink"] ?? "");
    expect([first, second, third].map(({ value }) => value.length)).toEqual([10, 4, 10]);
    expect(graph.stats()).toMatchObject({ deltaPages: 3, deltaWithoutPageSize: 2, fullRounds: 1 });
  });

  test("never shows what was removed before it", () => {
    const { graph, mailboxId, start, round } = simulator();
    const [, birthdays] = graph.truth(mailboxId);
    graph.deleteCalendar(mailboxId, birthdays?.id ?? "");
    expect(round(start).rows.map(({ name }) => name)).toEqual(["Calendar", expect.any(String)]);
  });

  test("returns a change that falls into it, also of a calendar that it has handed out already", () => {
    const { graph, mailboxId, start, page, round } = simulator({ calendars: 6 });
    const first = page(start, 2);
    const [gone, renamed] = first.value;
    graph.deleteCalendar(mailboxId, gone?.id ?? "");
    graph.renameCalendar(mailboxId, renamed?.id ?? "", "Later name");
    const rest = round(first["@odata.nextLink"] ?? "", 2);
    const held = applied([...first.value, ...rest.rows]);
    expect(byId(held.values())).toEqual(byId(graph.truth(mailboxId)));
    expect(round(rest.link).rows).toEqual([]);
  });

  test("under /me links say `me`, and a keyed link style still works", () => {
    expect(simulator().page("/beta/me/calendars/delta")["@odata.deltaLink"]).toContain("/beta/me/calendars/delta?");
    const { mailboxId, start, round } = simulator({ linkStyle: "keyed" });
    const { link } = round(start);
    expect(link).toContain(`/beta/users('${mailboxId}')/calendars/delta?$deltatoken=`);
    expect(round(link).rows).toEqual([]);
  });

  test.each(["delta", "delta()", "microsoft.graph.delta()", "Delta"])("is also spelled %s", (spelling) => {
    const { mailboxId, round } = simulator();
    expect(round(`/beta/users/${mailboxId}/calendars/${spelling}`).rows).toHaveLength(3);
  });

  test("in v1.0 lacks the properties that only beta has", () => {
    const { mailboxId, round } = simulator();
    const [row] = round(`/v1.0/users/${mailboxId}/calendars/delta`).rows;
    expect(Object.keys(row ?? {})).not.toContain("groupClassId");
    expect(Object.keys(row ?? {})).toHaveLength(1 + 14);
  });
});

describe("an incremental round", () => {
  test("is empty while nothing changes, and its link is new each time", () => {
    const { start, round } = simulator();
    const first = round(start);
    const second = round(first.link);
    expect(second.rows).toEqual([]);
    expect(second.link).not.toBe(first.link);
  });

  test("returns creations and changes with all properties, and removals with id and reason alone", () => {
    const { graph, mailboxId, start, round } = simulator();
    const { rows, link } = round(start);
    const created = graph.createCalendar(mailboxId, { name: "Lab bookings 2027" });
    const renamed = graph.renameCalendar(mailboxId, rows[0]?.id ?? "", "Main");
    graph.deleteCalendar(mailboxId, rows[1]?.id ?? "");
    const type = { "@odata.type": "#microsoft.graph.calendar" };
    expect(round(link).rows).toEqual([
      { ...type, ...created },
      { ...type, ...renamed },
      { ...type, id: rows[1]?.id, "@removed": { reason: "deleted" } },
    ]);
  });

  test("moves the changeKey with every change, and keeps the id", () => {
    const { graph, mailboxId } = simulator();
    const [before] = graph.truth(mailboxId);
    const after = graph.updateCalendar(mailboxId, before?.id ?? "", { color: "lightRed" });
    expect(after.id).toBe(before?.id);
    expect(after.changeKey).not.toBe(before?.changeKey);
  });

  test("says nothing of a calendar that came and went since the link", () => {
    const { graph, mailboxId, start, round } = simulator();
    const { link } = round(start);
    graph.deleteCalendar(mailboxId, graph.createCalendar(mailboxId, { name: "Brief" }).id);
    expect(round(link).rows).toEqual([]);
  });

  test("asked twice gives the same rows, or newer ones", () => {
    const { graph, mailboxId, start, round } = simulator({ generationsKept: 10 });
    const { rows, link } = round(start);
    const id = rows[2]?.id ?? "";
    graph.renameCalendar(mailboxId, id, "v1");
    const stalled = round(link);
    expect(round(link).rows).toEqual(stalled.rows);
    graph.renameCalendar(mailboxId, id, "v2");
    const twin = round(link);
    expect(twin.rows.map(({ name }) => name)).toEqual(["v2"]);
    // Each link stands for what was handed out with it: the twin's owes nothing, the stalled one's owes v2.
    expect(round(twin.link).rows).toEqual([]);
    expect(round(stalled.link).rows.map(({ name }) => name)).toEqual(["v2"]);
  });

  test("always ends with the truth, whatever people do (seeds 1 to 20)", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { graph, mailboxId, start, page } = simulator({ seed, calendars: 7, generationsKept: 10 });
      let held = applied([]);
      let link = start;
      for (let call = 0; call < 60; call++) {
        if (call < 50) graph.editAtRandom();
        const answer = page(link, 3);
        held = applied(answer.value, held);
        link = answer["@odata.nextLink"] ?? answer["@odata.deltaLink"] ?? "";
      }
      expect(byId(held.values())).toEqual(byId(graph.truth(mailboxId)));
    }
  });
});

describe("a link", () => {
  test("looks as real ones do: base64url, a dot, base64url", () => {
    const { start, round } = simulator();
    expect(tokenOf(round(start).link)).toMatch(/^[\w-]{107}\.[\w-]{43}$/);
  });

  test("with one byte changed is refused, wherever the byte stands", () => {
    const { start, round, ask } = simulator();
    const { link } = round(start);
    const tokenStart = link.length - tokenOf(link).length;
    for (let at = tokenStart; at < link.length; at++) {
      const other = link[at] === "A" ? "B" : "A";
      const response = ask(`${link.slice(0, at)}${other}${link.slice(at + 1)}`);
      expect(verdict(response)).toBe("400 BadRequest");
      expect(response.body).toContain("Badly formed token");
    }
  });

  test("of an escaped style must come back byte for byte", () => {
    const { start, round, ask } = simulator({ tokenStyle: "escaped" });
    const { link } = round(start);
    expect(tokenOf(link)).toMatch(/%2B.+%3D$/);
    expect(ask(link).status).toBe(200);
    const altered = [
      decodeURIComponent,
      (url: string) => url.replaceAll("%", "%25"),
      (url: string) => url.toLowerCase(),
    ];
    for (const alter of altered) {
      const token = tokenOf(link);
      expect(verdict(ask(link.replace(token, () => alter(token))))).toBe("400 BadRequest");
    }
    expect(verdict(ask(link.replace("%2B", "").replace("%3D", "")))).toBe("400 BadRequest");
  });

  test("of another mailbox is refused", () => {
    const { graph, start, mailboxId, round, ask } = simulator({ mailboxes: 2 });
    const stolen = round(start).link.replace(mailboxId, graph.mailboxes.idAt(1));
    expect(verdict(ask(stolen))).toBe("400 BadRequest");
  });

  test("is kept for three generations, then it is 410 SyncStateNotFound with the generations named", () => {
    const { start, round, ask } = simulator();
    const { link } = round(start);
    expect([ask(link), ask(link), ask(link)].map(({ status }) => status)).toEqual([200, 200, 200]);
    const late = ask(link);
    expect(verdict(late)).toBe("410 SyncStateNotFound");
    expect(late.body).toContain("generation=1;[highest=4][4][2][3]");
  });

  test("is forgotten on demand, for one mailbox or for all", () => {
    const { graph, start, round, ask } = simulator({ mailboxes: 2 });
    const others = `/beta/users/${graph.mailboxes.idAt(1)}/calendars/delta`;
    const [link, otherLink] = [round(start).link, round(others).link];
    graph.mailboxes.forgetLinks(graph.mailboxes.idAt(0));
    expect([ask(link), ask(otherLink)].map(verdict)).toEqual(["410 SyncStateNotFound", "200"]);
    graph.mailboxes.forgetLinks();
    expect(verdict(ask(otherLink))).toBe("410 SyncStateNotFound");
    expect(round(start).rows).toHaveLength(3);
  });

  test("`$deltatoken=latest` is ignored, as Outlook does", () => {
    const { start, round } = simulator();
    expect(round(`${start}?$deltatoken=latest`).rows).toHaveLength(3);
  });
});

test.each(["$select=name", "$top=5", "$filter=x", "$orderby=x", "$expand=x", "$search=x", "$count=true", "%24skip=1"])(
  "calendar delta refuses %s",
  (option) => {
    const { start, ask } = simulator();
    expect(verdict(ask(`${start}?${option}`))).toBe("400 ErrorInvalidUrlQuery");
  },
);

test.each([
  ["notTracked", "400 BadRequest"],
  ["unknownSegment", "400 RequestBroker--ParseUri"],
  ["readAsId", "400 ErrorInvalidIdMalformed"],
] as const)("where calendar delta is not available (%s) it says %s, while the list works", (availability, expected) => {
  const { graph, mailboxId, ask } = simulator();
  graph.switchDelta("v1.0", availability);
  expect(verdict(ask(`/v1.0/users/${mailboxId}/calendars/delta`))).toBe(expected);
  expect(ask(`/v1.0/users/${mailboxId}/calendars`).status).toBe(200);
  expect(ask(`/beta/users/${mailboxId}/calendars/delta`).status).toBe(200);
});
