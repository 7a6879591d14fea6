import { describe, expect, test } from "vitest";
import { applied, simulator, verdict } from "../worlds/simulator.js";

describe("the calendar list", () => {
  test("comes in pages of ten by $skip, without types", () => {
    const { graph, mailboxId, page } = simulator({ calendars: 23 });
    const first = page(`/beta/users/${mailboxId}/calendars`);
    expect(first["@odata.nextLink"]).toBe(`https://graph.microsoft.com/beta/users/${mailboxId}/calendars?%24skip=10`);
    const second = page(first["@odata.nextLink"] ?? "");
    const third = page(second["@odata.nextLink"] ?? "");
    expect(third["@odata.nextLink"]).toBeUndefined();
    expect([first, second, third].flatMap(({ value }) => value)).toEqual(graph.truth(mailboxId));
  });

  test("takes $top, and keeps it in its link", () => {
    const { page } = simulator({ calendars: 5 });
    const first = page("/v1.0/me/calendars?$top=4");
    expect(first.value).toHaveLength(4);
    expect(page(first["@odata.nextLink"] ?? "").value).toHaveLength(1);
  });

  test("knows users by principal name too, and forgets the name when it changes", () => {
    const { graph, mailboxId, ask, page } = simulator();
    const user = page(`/beta/users/${mailboxId}`) as unknown as { userPrincipalName: string };
    const named = `/beta/users/${encodeURIComponent(user.userPrincipalName)}/calendars`;
    expect(ask(named).status).toBe(200);
    graph.mailboxes.updateUser(mailboxId, { userPrincipalName: "new.name@contoso.example" });
    expect(verdict(ask(named))).toBe("404 Request_ResourceNotFound");
    expect(ask("/beta/users/new.name%40contoso.example/calendars").status).toBe(200);
  });
});

describe("ids", () => {
  test("look as real ones do, differ everywhere, and follow from the seed alone", () => {
    const { graph, mailboxId } = simulator({ mailboxes: 50, calendars: 20 });
    const ids = graph.mailboxes.ids().flatMap((id) => graph.truth(id).map((calendar) => calendar.id));
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => /^AAMkA[\w-]{110,144}={0,2}$/.test(id))).toBe(true);
    expect(ids.some((id) => id.includes("-")) && ids.some((id) => id.includes("_"))).toBe(true);
    expect(mailboxId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(simulator({ mailboxes: 50, calendars: 20 }).graph.truth(mailboxId)).toEqual(graph.truth(mailboxId));
    expect(simulator({ seed: 2 }).mailboxId).not.toBe(mailboxId);
  });

  test("are replaced as a set when a mailbox comes back anew, and its old links are void", () => {
    const { graph, mailboxId, start, round, ask } = simulator();
    const before = round(start);
    graph.mailboxes.replaceIds(mailboxId);
    expect(verdict(ask(before.link))).toBe("410 SyncStateNotFound");
    const after = round(start);
    expect(after.rows.map(({ name }) => name)).toEqual(before.rows.map(({ name }) => name));
    expect(after.rows.filter(({ id }) => applied(before.rows).has(id))).toEqual([]);
  });
});

describe("writing calendars", () => {
  test("POST creates, PATCH changes, DELETE removes, and delta returns it all", () => {
    const { mailboxId, start, round, ask, send } = simulator({ calendars: 1 });
    const { link } = round(start);
    const list = `/beta/users/${mailboxId}/calendars`;
    const created = send("POST", list, { name: "Volunteers" });
    const { id } = JSON.parse(created.body) as { id: string };
    expect([created.status, ask(`${list}/${encodeURIComponent(id)}`).status]).toEqual([201, 200]);
    const changed = send("PATCH", `${list}/${id}`, { name: "Helpers", color: "lightGreen" });
    expect(JSON.parse(changed.body)).toMatchObject({ id, name: "Helpers", color: "lightGreen" });
    const after = round(link);
    expect(after.rows).toMatchObject([{ id, name: "Helpers" }]);
    expect(send("DELETE", `${list}/${id}`, undefined).status).toBe(204);
    expect(round(after.link).rows).toMatchObject([{ id, "@removed": { reason: "deleted" } }]);
    expect(verdict(ask(`${list}/${id}`))).toBe("404 ErrorItemNotFound");
  });

  test("refuses what Graph refuses", () => {
    const { graph, mailboxId, send } = simulator();
    const list = `/beta/users/${mailboxId}/calendars`;
    const [calendar] = graph.truth(mailboxId);
    expect(verdict(send("DELETE", `${list}/${calendar?.id}`, undefined))).toBe("400 ErrorCannotDeleteObject");
    expect(verdict(send("POST", list, { name: "Birthdays" }))).toBe("409 ErrorFolderExists");
    expect(verdict(send("POST", list, { color: "auto" }))).toBe("400 ErrorInvalidArgument");
    expect(verdict(send("PATCH", `${list}/${calendar?.id}`, { canEdit: false }))).toBe("400 ErrorInvalidArgument");
    expect(verdict(send("PUT", list, {}))).toBe("405 Request_BadRequest");
  });
});

describe("the state of a mailbox", () => {
  test("full: delta alone is refused, the list works", () => {
    const { graph, mailboxId, start, ask } = simulator();
    graph.mailboxes.setState(mailboxId, { kind: "full" });
    expect(verdict(ask(start))).toBe("403 ErrorQuotaExceeded");
    expect(ask(`/beta/users/${mailboxId}/calendars`).status).toBe(200);
  });

  test("gone and denied: nothing works, until it is normal again", () => {
    const { graph, mailboxId, start, ask } = simulator();
    graph.mailboxes.setState(mailboxId, { kind: "gone", code: "ErrorNonExistentMailbox" });
    expect(verdict(ask(start))).toBe("404 ErrorNonExistentMailbox");
    graph.mailboxes.setState(mailboxId, { kind: "denied" });
    expect(verdict(ask(`/beta/users/${mailboxId}/calendars`))).toBe("403 ErrorAccessDenied");
    graph.mailboxes.setState(mailboxId, { kind: "normal" });
    expect(ask(start).status).toBe(200);
  });
});

describe("the door", () => {
  test("takes the configured bearer token only", () => {
    const { graph, start } = simulator({ token: "right" });
    const ask = (authorization?: string) =>
      verdict(graph.handle({ method: "GET", url: start, headers: { authorization } }));
    expect(ask("Bearer right")).toBe("200");
    for (const wrong of [undefined, "Bearer wrong", "Basic right", "Bearer "]) {
      expect(ask(wrong)).toBe("401 InvalidAuthenticationToken");
    }
  });

  test("has no /me for an app-only token, and no other versions, segments or users", () => {
    const { start, ask } = simulator({ me: null });
    expect(verdict(ask("/beta/me/calendars/delta"))).toBe("400 BadRequest");
    expect(verdict(ask(start.replace("beta", "v2.0")))).toBe("400 RequestBroker--ParseUri");
    expect(verdict(ask("/beta/users//calendars/delta"))).toBe("400 RequestBroker--ParseUri");
    expect(verdict(ask("/beta/users/nobody/calendars/delta"))).toBe("404 Request_ResourceNotFound");
  });

  test("gives ids, date and Graph's error shape", () => {
    const { start, ask } = simulator();
    const { headers, body } = ask(`${start}?$top=1`, { "client-request-id": "mine" });
    expect(headers).toMatchObject({ "client-request-id": "mine", date: "Thu, 08 Oct 2026 12:00:00 GMT" });
    const innerError = {
      date: "2026-10-08T12:00:00",
      "request-id": headers["request-id"],
      "client-request-id": "mine",
    };
    expect(JSON.parse(body)).toEqual({
      error: { code: "ErrorInvalidUrlQuery", message: expect.stringContaining("'Calendars'"), innerError },
    });
  });
});

describe("shared calendars that move", () => {
  test("take new ids, up to six at once, and keep all else; the default calendar stays", () => {
    const { graph, mailboxId, start, round } = simulator({ calendars: 27 });
    const before = new Map(graph.truth(mailboxId).map((calendar) => [calendar.id, calendar]));
    const { link } = round(start);
    const moves = graph.moveCalendars(mailboxId);
    const after = new Map(graph.truth(mailboxId).map((calendar) => [calendar.id, calendar]));
    expect([moves.length, after.size]).toEqual([6, 27]);
    // Those that others share in come first; of 27 calendars that is every ninth.
    expect(moves.map((move) => before.get(move.old)?.isSharedWithMe)).toEqual([true, true, true, false, false, false]);
    for (const move of moves) {
      expect(before.get(move.old)?.isDefaultCalendar).toBe(false);
      const { changeKey } = after.get(move.new) ?? {};
      expect(after.get(move.new)).toEqual({ ...before.get(move.old), id: move.new, changeKey });
    }
    const { rows } = round(link);
    const ofKind = (isRemoved: boolean) => rows.filter((row) => (row["@removed"] !== undefined) === isRemoved);
    expect(new Set(ofKind(true).map(({ id }) => id))).toEqual(new Set(moves.map((move) => move.old)));
    expect(new Set(ofKind(false).map(({ id }) => id))).toEqual(new Set(moves.map((move) => move.new)));
  });

  test("do not exist where there is the default calendar alone", () => {
    const { graph, mailboxId } = simulator({ calendars: 1 });
    expect(graph.moveCalendars(mailboxId)).toEqual([]);
  });
});
