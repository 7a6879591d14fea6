import { describe, expect, test } from "vitest";
import { discovered, type FleetOptions, fitUsers } from "../worlds/fleet.js";
import { httpOf, type Reply } from "../worlds/http.js";

async function opened(options: FleetOptions = {}) {
  const world = await discovered({ mailboxes: 40, ...options });
  await world.tick();
  return { world, http: httpOf(world), ids: fitUsers(world) };
}

const codeOf = ({ status, body }: Reply) => `${status} ${(body as { error: { code: string } }).error.code}`;
const listOf = ({ body }: Reply) => body as { value: { id: string; state: string }[]; cursor: string | null };

describe("GET mailboxes", () => {
  test("pages through all of the roster, each mailbox once", async () => {
    const { http, ids } = await opened();
    const seen: string[] = [];
    let cursor: string | null = "";
    let pages = 0;
    while (cursor !== null) {
      const page = listOf(await http.list(`?top=7${cursor === "" ? "" : `&cursor=${cursor}`}`));
      seen.push(...page.value.map(({ id }) => id));
      cursor = page.cursor;
      pages += 1;
    }
    expect([...seen].sort()).toEqual([...ids].sort());
    expect(pages).toBeGreaterThanOrEqual(Math.ceil(ids.length / 7));
  });

  test("filters by state, by the start of an id, and by words of a display name", async () => {
    const { world, http, ids } = await opened();
    const [id = "", other = ""] = ids;
    world.graph.mailboxes.setState(id, { kind: "denied" });
    await world.tick();
    expect(listOf(await http.list("?state=parked")).value).toMatchObject([{ id, state: "parked" }]);
    expect(listOf(await http.list(`?search=${other.slice(0, 12).toUpperCase()}`)).value).toMatchObject([{ id: other }]);
    const named = listOf(await http.list("?search=ravi%20i&top=500")).value;
    expect(named.length).toBeGreaterThan(0);
    expect(named).toEqual(named.map((one) => expect.objectContaining({ id: one.id, displayName: "Ravi Iyer" })));
  });

  test("filters by state, reason and kind together, and a reason by its part before the colon", async () => {
    const { world, http, ids } = await opened();
    const [denied = "", waiting = ""] = ids;
    world.graph.mailboxes.setState(denied, { kind: "denied" });
    world.graph.faults.add({ kind: "mailboxInfoStale", mailboxId: waiting });
    await world.tick();
    const idsOf = async (query: string) => listOf(await http.list(query)).value.map(({ id }) => id);
    expect(await idsOf("?reason=denied")).toEqual([denied]);
    expect(await idsOf("?reason=denied:ErrorAccessDenied&state=parked")).toEqual([denied]);
    expect(await idsOf("?reason=denied&state=waiting")).toEqual([]);
    for (const reason of ["den", "noMailbox"]) expect(await idsOf(`?reason=${reason}`)).toEqual([]);
    const [{ lastErrorCode = "" } = {}] =
      (await http.get(waiting)).body === null ? [] : [(await http.get(waiting)).body as { lastErrorCode?: string }];
    expect(await idsOf(`?reason=${lastErrorCode}&state=waiting&kind=user`)).toEqual([waiting]);
    expect(await idsOf(`?reason=${lastErrorCode}&kind=equipment`)).toEqual([]);
  });

  test("says, as a single read does, since when a mailbox fails and which answer of Graph's says why", async () => {
    const { world, http, ids } = await opened();
    const [id = "", fine = ""] = ids;
    world.graph.mailboxes.setState(id, { kind: "denied" });
    const failingSince = new Date(world.clock.ms).toISOString();
    await world.tick();
    const told = { failingSince, lastRequestId: expect.stringMatching(/^[\da-f-]{36}$/) };
    expect(listOf(await http.list("?state=parked")).value).toMatchObject([{ id, ...told }]);
    expect((await http.get(id)).body).toMatchObject(told);
    expect((await http.get(fine)).body).toMatchObject({ failingSince: null, lastRequestId: null });
  });

  test("finds any words of a name and an address, in any order, at their starts", async () => {
    const { world, http, ids } = await opened();
    const [id = ""] = ids;
    const held = await world.store.readMailbox(id);
    if (held === null) throw new Error("The mailbox is not there.");
    const next = {
      ...held.checkpoint,
      displayName: "Zoë van Dyk",
      userPrincipalName: "z.vandyk-admin@fabrikam.example",
    };
    await world.store.commitUnits([{ held, rows: [], next }], null);
    const found = async (search: string) =>
      listOf(await http.list(`?search=${encodeURIComponent(search)}`)).value.map((one) => one.id);
    for (const search of ["dyk", "DYK zo", "vandyk", "admin", "fabrikam zoë", "z.vandyk-admin@fab", "admin@fabrikam"]) {
      expect(await found(search), search).toEqual([id]);
    }
    for (const search of ["yk", "dyk sam", "@", "brikam"]) expect(await found(search), search).toEqual([]);
  });

  test("finds a whole id with one read", async () => {
    const { http, ids } = await opened();
    const [, id = ""] = ids;
    expect(listOf(await http.list(`?search=${id.toUpperCase()}`))).toMatchObject({ value: [{ id }], cursor: null });
    expect(listOf(await http.list(`?search=${id}&state=parked`)).value).toEqual([]);
  });

  test("never tells a link", async () => {
    const { http } = await opened();
    expect(JSON.stringify(await http.list("?top=500"))).not.toMatch(/deltatoken|skiptoken|graph\.microsoft/);
  });

  test.each([
    ["?state=sad"],
    ["?kind=robot"],
    ["?kind=Room"],
    ["?top=0"],
    ["?top=501"],
    ["?top=x"],
    ["?cursor=nonsense"],
    [`?search=${"x".repeat(129)}`],
    [`?reason=${"x".repeat(257)}`],
  ])("refuses %s", async (query) => {
    const { http } = await opened({ mailboxes: 2 });
    expect(codeOf(await http.list(query))).toBe("400 invalidRequest");
  });
});
