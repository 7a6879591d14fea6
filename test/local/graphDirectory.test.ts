import { describe, expect, test } from "vitest";
import { simulator, verdict } from "../worlds/simulator.js";

const USERS = "/beta/users/delta";

describe("users/delta", () => {
  test("begins with all users, in pages, with what was selected and always the id", () => {
    const { graph, round } = simulator({ mailboxes: 30 });
    const { rows, pages } = round(`${USERS}?$select=displayName,userType`, 12);
    expect([rows.length, pages]).toEqual([30, 3]);
    expect(rows.map(({ id }) => id)).toEqual(graph.mailboxes.ids());
    expect(new Set(rows.flatMap((row) => Object.keys(row)))).toEqual(new Set(["id", "displayName", "userType"]));
  });

  test("shows all properties that a roster needs when nothing is selected", () => {
    const [user] = simulator().round(USERS).rows;
    expect(user).toEqual({
      id: expect.any(String),
      userPrincipalName: "samantha.booth.0@contoso.example",
      mail: "samantha.booth.0@contoso.example",
      displayName: "Samantha Booth",
      accountEnabled: true,
      userType: "Member",
    });
  });

  test("then returns arrivals, changes, removals of both kinds, and returns", () => {
    const { graph, round } = simulator({ mailboxes: 4 });
    const first = round(USERS);
    const [changed = "", soft = "", hard = ""] = graph.mailboxes.ids();
    const [added] = graph.mailboxes.add(1);
    graph.mailboxes.updateUser(changed, { accountEnabled: false });
    graph.mailboxes.remove(soft);
    graph.mailboxes.remove(hard, "deleted");
    const second = round(first.link);
    expect(second.rows).toMatchObject([
      { id: added, accountEnabled: true },
      { id: changed, accountEnabled: false },
      { id: soft, "@removed": { reason: "changed" } },
      { id: hard, "@removed": { reason: "deleted" } },
    ]);
    expect([graph.mailboxes.restore(soft), graph.mailboxes.restore(hard)]).toEqual([true, false]);
    const third = round(second.link);
    expect(third.rows).toMatchObject([{ id: soft, displayName: expect.any(String) }]);
    expect(round(third.link).rows).toEqual([]);
  });

  test("gives changed properties only when asked to return=minimal", () => {
    const { graph, mailboxId, round, ask } = simulator();
    const { link } = round(USERS);
    graph.mailboxes.updateUser(mailboxId, { displayName: "Sam" });
    const { value } = JSON.parse(ask(link, { prefer: "return=minimal" }).body) as { value: unknown };
    expect(value).toEqual([{ displayName: "Sam", id: mailboxId }]);
  });

  test("begins at the end with $deltatoken=latest", () => {
    const { graph, round } = simulator({ mailboxes: 3 });
    const { rows, link } = round(`${USERS}?$deltatoken=latest`);
    expect(rows).toEqual([]);
    const [added] = graph.mailboxes.add(1);
    expect(round(link).rows.map(({ id }) => id)).toEqual([added]);
  });

  test("forgets links after seven days, and says where to begin anew", () => {
    const { clock, round, ask } = simulator();
    const { link } = round(USERS);
    const weekMs = 7 * 24 * 60 * 60 * 1000;
    clock.ms += weekMs;
    expect(ask(link).status).toBe(200);
    clock.ms += 1;
    const late = ask(link);
    expect(verdict(late)).toBe("410 syncStateNotFound");
    expect(late.headers["location"]).toBe("https://graph.microsoft.com/beta/users/delta?$deltatoken=");
    expect(round(late.headers["location"] ?? "").rows).toHaveLength(1);
  });

  test("refuses other options, and tokens that are not its own", () => {
    const { start, round, ask } = simulator();
    expect(verdict(ask(`${USERS}?$top=5`))).toBe("400 Request_UnsupportedQuery");
    const foreign = round(start).link.split("token=")[1];
    expect(verdict(ask(`${USERS}?$deltatoken=${foreign}`))).toBe("400 BadRequest");
  });
});

describe("members of a group", () => {
  test("are everybody, in pages, without those who left", () => {
    const { graph, page } = simulator({ mailboxes: 7 });
    graph.mailboxes.remove(graph.mailboxes.idAt(2));
    const path = `/v1.0/groups/${graph.groups.everybodyId()}/transitiveMembers/microsoft.graph.user`;
    const first = page(`${path}?$top=4&$select=id`);
    const second = page(first["@odata.nextLink"] ?? "");
    expect([first.value.length, second.value.length]).toEqual([4, 2]);
    expect([...first.value, ...second.value]).toEqual(graph.mailboxes.ids().map((id) => ({ id })));
    expect(second["@odata.nextLink"]).toBeUndefined();
  });

  test("are those of the group, and an unknown group is not found", () => {
    const { graph, page, ask } = simulator({ mailboxes: 3 });
    graph.groups.add("Staff", [graph.mailboxes.idAt(2)]);
    const path = (group: string) => `/beta/groups/${group}/transitiveMembers/microsoft.graph.user`;
    expect(page(path("staff")).value.map(({ id }) => id)).toEqual([graph.mailboxes.idAt(2)]);
    expect(verdict(ask(path("none")))).toBe("404 Request_ResourceNotFound");
  });
});
