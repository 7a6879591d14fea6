import { describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { manualSource } from "../../shared/store/store.js";
import { discovered, type Fleet, fitUsers } from "../worlds/fleet.js";
import { httpOf, origin, type Reply, routesOver } from "../worlds/http.js";

/** Paths that name a mailbox by its user's userPrincipalName. */

async function opened() {
  const world = await discovered({ mailboxes: 20, calendars: 3 });
  await world.tick();
  const [first = "", second = ""] = fitUsers(world);
  const name = (await world.store.roster.read(first))?.row.userPrincipalName ?? "";
  return { world, http: httpOf(world), first, second, name };
}

async function rename(world: Fleet, id: string, userPrincipalName: string): Promise<void> {
  world.graph.mailboxes.updateUser(id, { userPrincipalName });
  await world.discover();
  await world.tick();
}

const refusalOf = ({ status, body }: Reply) => {
  const { code, message } = (body as { error: { code: string; message: string } }).error;
  return `${status} ${code}: ${message}`;
};
const linkOf = ({ body }: Reply<Record<string, unknown>>) =>
  String(body["@odata.deltaLink"] ?? body["@odata.nextLink"]);
const idsOf = ({ body }: Reply<{ value: readonly Record<string, unknown>[] }>) => body.value.map(({ id }) => id).sort();

describe("users/{userPrincipalName}/calendars", () => {
  test("answers as users/{id} does, in any case of letters; links and contexts keep the user as it was asked for", async () => {
    const { http, first, name } = await opened();
    const asked = [name, name.toUpperCase(), name.replace("@", "%40")];
    const [calendar = ""] = idsOf(await http.beta(`/users/${first}/calendars`));
    for (const rest of ["", "?$top=2", "/delta", `/${calendar}`]) {
      const byId = await http.beta(`/users/${first}/calendars${rest}`);
      for (const user of asked) {
        const byName = await http.beta(`/users/${user}/calendars${rest}`);
        expect([byName.status, byName.headers]).toEqual([200, byId.headers]);
        const { "@odata.context": context, "@odata.nextLink": nextLink, ...body } = byName.body;
        const { "@odata.context": _context, "@odata.nextLink": nextLinkOfId, ...bodyOfId } = byId.body;
        const { "@odata.deltaLink": deltaLink, ...rows } = body;
        const { "@odata.deltaLink": deltaLinkOfId, ...rowsOfId } = bodyOfId;
        expect(rows).toEqual(rowsOfId);
        const key = `users('${encodeURIComponent(decodeURIComponent(user))}')/calendars`;
        if (rest !== "/delta") expect(context).toContain(`$metadata#${key}`);
        for (const [link, linkOfId] of [
          [nextLink, nextLinkOfId],
          [deltaLink, deltaLinkOfId],
        ]) {
          expect(link === undefined).toBe(linkOfId === undefined);
          if (link !== undefined) expect(link).toContain(`${origin}/api/beta/users/${user}/calendars`);
        }
      }
    }
  });

  test("a walk may go on by id where it began by name, and the other way round", async () => {
    const { world, http, first, name } = await opened();
    const links = {
      [name]: linkOf(await http.beta(`/users/${name}/calendars/delta`)),
      [first]: linkOf(await http.beta(`/users/${first}/calendars/delta`)),
    };
    const { id } = world.graph.createCalendar(first, { name: "New" });
    await world.tick();
    for (const [user, link] of Object.entries(links)) {
      const other = user === name ? first : name;
      expect(idsOf(await http.beta(link))).toEqual([id]);
      expect(idsOf(await http.beta(link.replace(`/users/${user}/`, `/users/${other}/`)))).toEqual([id]);
    }
  });

  test.each([
    ["user_fabrikam.com#EXT#@contoso.example", "user_fabrikam.com%23EXT%23@contoso.example"],
    ["user_fabrikam.com#EXT#@contoso.example", "User_fabrikam.com%2523ext%2523%2540contoso.example"],
    ["o'brien@contoso.example", "o'brien@contoso.example"],
    ["o'brien@contoso.example", "O%27Brien%40contoso.example"],
    ["$x@contoso.example", "$x@contoso.example"],
  ])("%s may be asked for as %s, and its links can be followed", async (name, asked) => {
    const { world, http, first } = await opened();
    await rename(world, first, name);
    const list = await http.beta(`/users/${asked}/calendars?$top=2`);
    const plain = decodeURIComponent(decodeURIComponent(asked));
    const key = encodeURIComponent(plain.replaceAll("'", "''"));
    expect(list.body["@odata.context"]).toBe(`${origin}/api/beta/$metadata#users('${key}')/calendars`);
    expect(linkOf(list)).toContain(`/users/${asked}/calendars?`);
    expect([...idsOf(list), ...idsOf(await http.beta(linkOf(list)))].sort()).toEqual(
      idsOf(await http.beta(`/users/${first}/calendars`)),
    );
  });

  test("I14: after a renaming the new name serves, and links that hold the old one are 404, which says what to do", async () => {
    const { world, http, first, name } = await opened();
    const link = linkOf(await http.beta(`/users/${name}/calendars/delta`));
    await rename(world, first, "new@contoso.example");
    for (const url of [link, `/users/${name}/calendars`]) {
      expect(refusalOf(await http.beta(url))).toMatch(/^404 ResourceNotFound: .*Ask by the user's object id/);
    }
    const moved = link.replace(name, "new@contoso.example");
    expect((await http.beta(moved)).body.value).toEqual([]);
  });

  test("I14: where another user has the name by then, such a link is 410 and begins a walk of the new owner's calendars", async () => {
    const { world, http, first, second, name } = await opened();
    const links = [
      linkOf(await http.beta(`/users/${name}/calendars/delta`)),
      linkOf(await http.beta(`/users/${name}/calendars?$top=2`)),
    ];
    world.graph.mailboxes.updateUser(first, { userPrincipalName: "new@contoso.example" });
    await rename(world, second, name);
    for (const link of links) {
      const refused = await http.beta(link);
      expect(refusalOf(refused)).toMatch(/^410 syncStateNotFound: .*start over/);
      const anew = await http.beta(refused.headers["location"] ?? "");
      const ofSecond = idsOf(await http.beta(`/users/${second}/calendars`));
      expect(ofSecond).toEqual(expect.arrayContaining([...idsOf(anew)]));
    }
    // By id nobody can have taken it over: such a token is none of ours.
    const byId = links[0]?.replace(name, second) ?? "";
    expect(refusalOf(await http.beta(byId))).toMatch(/^400 syncStateInvalid/);
  });

  test("I14: a name that two users have serves neither, and says so", async () => {
    const { world, http, second, name } = await opened();
    await rename(world, second, name.toUpperCase());
    expect(refusalOf(await http.beta(`/users/${name}/calendars`))).toMatch(
      /^404 ResourceNotFound: .*Several users of the roster have this userPrincipalName/,
    );
  });

  test("I14: whoever has left, was purged or is kept by hand is not served by name", async () => {
    const { world, http, first, second, name } = await opened();
    const other = (await world.store.roster.read(second))?.row.userPrincipalName ?? "";
    expect([(await http.beta(`/users/${name}/calendars`)).status, (await http.get(second)).status]).toEqual([200, 200]);
    world.graph.mailboxes.remove(first, "changed");
    await world.discover();
    expect((await http.beta(`/users/${name}/calendars`)).status).toBe(404);
    world.graph.mailboxes.restore(first);
    await world.discover();
    await world.tick();
    expect((await http.beta(`/users/${name}/calendars`)).status).toBe(200);
    expect((await http.remove(first)).status).toBe(204);
    expect((await http.beta(`/users/${name}/calendars`)).status).toBe(404);
    await addMailbox(second, { source: manualSource }, world.store, world.newId);
    expect((await http.beta(`/users/${other}/calendars`)).status).toBe(404);
    expect((await http.beta(`/users/${second}/calendars`)).status).toBe(200);
  });

  test("a roster that is kept by hand says that it knows no names; what can be no name is refused without a request", async () => {
    const { world } = await opened();
    const store = world.storeOf();
    const { ask } = routesOver(store, world.clock.nowMs, { mailboxNamed: async () => ({ kind: "notFollowed" }) });
    expect(refusalOf(await ask("/users/a@contoso.example/calendars"))).toMatch(
      /^404 ResourceNotFound: .*ROSTER=manual/,
    );
    const long = `${"a".repeat(320)}@contoso.example`;
    const over = routesOver(store, world.clock.nowMs);
    expect(refusalOf(await over.ask(`/users/${long}/calendars`))).toMatch(/^404 ResourceNotFound: .*at most 320/);
    expect(refusalOf(await over.ask("/users/%25E0%25A4%25A/calendars"))).toMatch(/^404 ResourceNotFound/);
    expect(store.transactions()).toBe(0);
  });
});

describe("mailboxes/{userPrincipalName}", () => {
  test("shows the mailbox, its calendars and its history, and takes actions", async () => {
    const { http, first, name } = await opened();
    const user = name.toUpperCase();
    expect((await http.get(user)).body).toEqual((await http.get(first)).body);
    expect((await http.mailboxHistory(user)).body).toEqual((await http.mailboxHistory(first)).body);
    const calendarsOf = (id: string) => http.ask("calendars", "GET", `mailboxes/${id}/calendars`, { id });
    expect((await calendarsOf(user)).body).toEqual((await calendarsOf(first)).body);
    expect((await http.act(user, "sync")).status).toBe(202);
    expect(http.sent).toEqual([{ mailbox: first, sync: expect.any(String) }]);
  });

  test("adds and removes nobody: for good a mailbox is named by its id alone", async () => {
    const { http, first, name } = await opened();
    for (const answer of [await http.put(name), await http.remove(name)]) {
      expect(refusalOf(answer)).toMatch(/^400 invalidRequest: .*object id, not an address/);
    }
    expect((await http.get(first)).status).toBe(200);
  });

  test("that nobody has is 404 and says what to do", async () => {
    const { http } = await opened();
    for (const answer of [await http.get("no@one.example"), await http.act("no@one.example", "sync")]) {
      expect(refusalOf(answer)).toMatch(/^404 itemNotFound: .*Ask by the user's object id/);
    }
    expect(http.sent).toEqual([]);
  });
});

test("the list of mailboxes shows the address, and `search` finds by the whole of it and by its words, in any case", async () => {
  const { http, first, name } = await opened();
  const found = async (search: string) => {
    const { value } = (await http.list(`?top=500&search=${encodeURIComponent(search)}`)).body as {
      value: { id: string; userPrincipalName: string }[];
    };
    return value.flatMap(({ id, userPrincipalName }) => (userPrincipalName === name ? id : []));
  };
  for (const search of [
    name,
    name.toUpperCase(),
    name.slice(0, 12),
    name.slice(0, name.indexOf("@") + 1),
    name.slice(name.indexOf("@")),
  ]) {
    expect([search, await found(search)]).toEqual([search, [first]]);
  }
  expect(await found(name.slice(name.indexOf("@") + 2))).toEqual([]);
});
