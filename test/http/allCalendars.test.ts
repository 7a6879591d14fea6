import { gunzipSync } from "node:zlib";
import { HttpRequest } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { allCalendarsRoute } from "../../shared/http/beta/beta.js";
import { httpHandler } from "../../shared/http/handler.js";
import { openapiDocument } from "../../shared/http/openapi/description.js";
import { applyRetention } from "../../shared/rounds/retention.js";
import { dayMs } from "../../shared/sync/time.js";
import { fitUsers, fleet } from "../worlds/fleet.js";
import { context, httpOf, origin, routesOver } from "../worlds/http.js";
import { tickMs } from "../worlds/parts.js";
import { validatorOf } from "./openapiValidator.js";

const collection = "/users/getAllCalendars";
const misfit = validatorOf(openapiDocument(`${origin}/api`));

async function opened(options: Parameters<typeof fleet>[0] = {}) {
  const world = fleet({
    mailboxes: 9,
    calendars: { min: 2, max: 4 },
    shards: 4,
    source: { kind: "directory" },
    ...options,
  });
  await world.store.open();
  await world.discover();
  await world.tick();
  await world.tick();
  const http = httpOf(world);
  /** Walks from a link to a deltaLink, or to the last page, and returns what came by mailbox and calendar. */
  const walk = async (path: string, copy = new Map<string, Set<string>>(), prefer = "odata.maxpagesize=3") => {
    let pages = 0;
    for (let next = path; ; pages++) {
      const { status, body, headers } = await http.beta(next, { prefer });
      if (status !== 200) return { copy, link: "", status, location: headers["location"] ?? "", pages };
      for (const item of body.value) taken(copy, item);
      const { "@odata.nextLink": more, "@odata.deltaLink": end } = body as Record<string, string>;
      if (more === undefined) return { copy, link: end ?? "", status, location: "", pages };
      next = more;
    }
  };
  /** The living calendars of each mailbox that Graph has and the mirror serves. */
  const truth = (without: readonly string[] = []) =>
    new Map(
      fitUsers(world)
        .filter((id) => !without.includes(id))
        .map((id) => [id, new Set(world.graph.truth(id).map((calendar) => String(calendar["id"])))]),
    );
  return { world, http, walk, truth };
}

function taken(copy: Map<string, Set<string>>, item: Record<string, unknown>): void {
  const own = copy.get(String(item["userId"])) ?? new Set();
  copy.set(String(item["userId"]), own);
  if (item["@odata.type"] === "#microsoft.graph.user") copy.delete(String(item["userId"]));
  else if (item["@removed"] === undefined) own.add(String(item["id"]));
  else own.delete(String(item["id"]));
}

const sorted = (copy: ReadonlyMap<string, Set<string>>) =>
  [...copy].map(([id, calendars]) => [id, [...calendars].sort()]).sort();

/** All pages of the list in a format, by the links that stand in their headers. */
async function pagesAs(world: ReturnType<typeof fleet>, accept: string, query = "?$top=3") {
  const { ports } = routesOver(world.storeOf(), world.clock.nowMs, {}, world.shards);
  const handler = httpHandler(allCalendarsRoute, async () => ports, world.clock.nowMs);
  const pages: string[] = [];
  for (let url: string | undefined = `${origin}/api/beta${collection}${query}`; url !== undefined; ) {
    const request = new HttpRequest({ method: "GET", url, headers: { accept } });
    const { status, headers, body } = (await handler(request, context)) as {
      status: number;
      headers: Record<string, string>;
      body: string;
    };
    expect([status, headers["vary"]]).toEqual([200, "Accept, Accept-Encoding"]);
    expect(headers["content-type"]).toContain(accept);
    pages.push(body);
    url = /^<(.+)>; rel="next"$/.exec(headers["link"] ?? "")?.[1];
  }
  return pages;
}

describe("GET beta/users/getAllCalendars as text", () => {
  test("NDJSON has the items of the JSON page, one a line, and each page but the last names the next one", async () => {
    const { world, http } = await opened();
    const pages = (await pagesAs(world, "application/x-ndjson")).map((page) =>
      page
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    );
    const isLink = (line: Record<string, unknown>) => line["@odata.nextLink"] !== undefined;
    expect(pages.length).toBeGreaterThan(2);
    expect(pages.map((lines) => lines.slice(-1).some(isLink))).toEqual(
      pages.map((_, index) => index < pages.length - 1),
    );
    expect(pages.flat().filter((line) => !isLink(line))).toEqual((await http.beta(collection)).body.value);
  });

  test("CSV has a line for each calendar, and says in its last line whether more is to come", async () => {
    const { world, truth } = await opened();
    const pages = await pagesAs(world, "text/csv");
    const rows = pages.map((page) => page.trimEnd().split("\r\n").slice(1));
    const isMore = rows.map((lines) => (lines.at(-1) ?? "").includes("$skiptoken="));
    expect(isMore).toEqual(pages.map((_, index) => index < pages.length - 1));
    const ids = rows
      .flat()
      .map((line) => line.split(",").slice(0, 2))
      .filter(([userId]) => userId !== "");
    expect(ids.sort()).toEqual([...truth()].flatMap(([id, own]) => [...own].map((one) => [id, one])).sort());
  });

  test("what fails is an error in JSON, and no part of a page", async () => {
    const { http } = await opened({ mailboxes: 1 });
    const { status, body } = await http.beta(`${collection}?$skiptoken=x`, { accept: "text/csv" });
    expect([status, body.error.code]).toEqual([400, "syncStateInvalid"]);
  });
});

describe("GET beta/users/getAllCalendars", () => {
  test("gives every calendar once, with its mailbox, page by page, in the described form", async () => {
    const { http, walk, truth } = await opened();
    expect(sorted((await walk(collection)).copy)).toEqual(sorted(truth()));
    const page = await http.beta(`${collection}?$top=2&$select=name`);
    expect(misfit("get", "beta/users/getAllCalendars", page.status, page.body)).toEqual([]);
    expect(page.body.value).toHaveLength(2);
    for (const item of page.body.value) {
      expect(Object.keys(item).sort()).toEqual(["@odata.type", "id", "name", "userId"]);
    }
    expect(page.body["@odata.nextLink"]).toMatch(/getAllCalendars\?\$select=name&\$top=2&\$skiptoken=/);
  });

  test("a property that nobody knows is refused; one that Graph has added need not stand in each mailbox", async () => {
    const { world, http, truth } = await opened();
    const [first] = (await http.beta(`${collection}?$top=1`)).body.value;
    const [userId, id] = [String(first?.["userId"]), String(first?.["id"])];
    world.graph.updateCalendar(userId, id, { later: 5 });
    await world.tick();
    const unknown = await http.beta(`${collection}?$select=name,latter`);
    expect([unknown.status, unknown.body.error.code, unknown.body.error.message]).toEqual([
      400,
      "RequestBroker--ParseUri",
      "Could not find a property named 'latter' on type 'microsoft.graph.calendar'.",
    ]);
    const items = [];
    for (let next: unknown = `${collection}?$top=3&$select=LATER,UserId,owner/name`; next !== undefined; ) {
      const { status, body } = await http.beta(String(next));
      expect(status).toBe(200);
      items.push(...body.value);
      next = body["@odata.nextLink"];
    }
    expect(items.length).toBe([...truth().values()].reduce((sum, own) => sum + own.size, 0));
    expect(items.filter((item) => item["later"] === 5).map((item) => item["id"])).toEqual([id]);
    expect(items[1]).toEqual({
      "@odata.type": "#microsoft.graph.calendar",
      id: expect.any(String),
      userId: expect.any(String),
      owner: { name: expect.any(String) },
    });
  });

  test("a mailbox whose first full round has not ended, and one that is suspended, are not in it", async () => {
    const { world, walk, truth } = await opened();
    const [leaver = ""] = fitUsers(world);
    world.graph.mailboxes.remove(leaver);
    await world.discover();
    expect(sorted((await walk(collection)).copy)).toEqual(sorted(truth([leaver])));
  });

  test.each([
    ["$top=0", "ErrorInvalidUrlQuery"],
    ["$filter=x", "ErrorInvalidUrlQuery"],
    ["$skiptoken=nonsense", "syncStateInvalid"],
  ])("%s is refused in the words of the other lists", async (query, code) => {
    const { http } = await opened();
    const reply = await http.beta(`${collection}?${query}`);
    expect([reply.status, reply.body.error.code]).toEqual([400, code]);
    expect((await http.beta(`${collection}/other`)).status).toBe(404);
  });
});

describe("GET beta/users/getAllCalendars/delta", () => {
  test("I13: begins with all calendars, then gives what changed, calendars and mailboxes that go among it", async () => {
    const { world, http, walk, truth } = await opened();
    const first = await walk(`${collection}/delta`);
    expect(sorted(first.copy)).toEqual(sorted(truth()));
    const [renamed = "", leaver = "", removed = ""] = fitUsers(world);
    world.graph.createCalendar(renamed, { name: "New" });
    const [gone] = world.graph.truth(renamed);
    world.graph.deleteCalendar(renamed, String(gone?.["id"]));
    world.graph.mailboxes.remove(leaver);
    await world.discover();
    await world.tick();
    expect((await http.remove(removed)).status).toBe(204);
    world.clock.ms += tickMs;
    await world.tick();
    const second = await walk(first.link, first.copy);
    const truthNow = truth([leaver, removed]);
    expect(sorted(second.copy)).toEqual(sorted(truthNow));
    const quiet = await http.beta(second.link);
    expect(misfit("get", "beta/users/getAllCalendars/delta", quiet.status, quiet.body)).toEqual([]);
    expect(quiet.body.value).toEqual([]);
    expect(quiet.body["@odata.deltaLink"]).toMatch(/\/getAllCalendars\/delta\?\$deltatoken=/);
  });

  test("I13: a mailbox that was removed and added anew is given anew: what went meanwhile goes", async () => {
    const { world, http, walk, truth } = await opened();
    const { copy, link } = await walk(`${collection}/delta`);
    const [id = ""] = fitUsers(world);
    await http.remove(id);
    const [gone] = world.graph.truth(id);
    world.graph.deleteCalendar(id, String(gone?.["id"]));
    await http.put(id, JSON.stringify({ source: "manual" }));
    world.clock.ms += tickMs;
    await world.tick();
    world.clock.ms += tickMs;
    await world.tick();
    expect(sorted((await walk(link, copy)).copy)).toEqual(sorted(truth()));
  });

  test("I13: a mailbox of which retention has forgotten a removal is given anew", async () => {
    const { world, http, walk, truth } = await opened();
    const { copy, link } = await walk(`${collection}/delta`);
    const [id = "", other = ""] = fitUsers(world);
    for (const each of [id, other]) world.graph.deleteCalendar(each, String(world.graph.truth(each)[0]?.["id"]));
    await world.tick();
    world.clock.ms += tickMs;
    const retention = { tombstoneMs: 1, historyMs: 30 * dayMs, runMsMax: 60_000 };
    expect(await applyRetention({ ...world.discoverPorts(), ...retention })).toMatchObject({
      kind: "done",
      deleted: 2,
      logRows: 0,
    });
    expect((await http.beta(link)).status).toBe(200);
    expect(sorted((await walk(link, copy)).copy)).toEqual(sorted(truth()));
  });

  test("I10: a mailbox that cannot be read is left out, and harms no other, of those who copy and of those who follow", async () => {
    const { world, walk, truth } = await opened();
    const before = await walk(`${collection}/delta`);
    const [id = "", other = ""] = fitUsers(world);
    for (const each of [id, other]) world.graph.createCalendar(each, { name: "New" });
    await world.tick();
    const held = await world.store.readMailbox(id);
    const key = `mailbox|${id}`;
    const shard = world.store.shardOf(id);
    const columns = { mailboxId: "of another key" };
    await world.table.transact(shard, [{ kind: "update", rowKey: key, columns, etag: held?.etag ?? "" }]);
    expect(sorted((await walk(`${collection}/delta`)).copy)).toEqual(sorted(truth([id])));
    const after = await walk(before.link, before.copy);
    expect([...(after.copy.get(other) ?? [])].sort()).toEqual([...(truth().get(other) ?? [])].sort());
  });

  test("a token of a mailbox, of the list, or altered, is refused with 400", async () => {
    const { world, http } = await opened();
    const [id = ""] = fitUsers(world);
    const tokenOf = (body: Record<string, unknown>, link: string) => String(body[link]).split("token=")[1] ?? "";
    const ofMailbox = tokenOf((await http.beta(`/users/${id}/calendars/delta`)).body, "@odata.deltaLink");
    const ofList = tokenOf((await http.beta(`${collection}?$top=1`)).body, "@odata.nextLink");
    for (const token of [ofMailbox, ofList, `${ofList}x`, ""]) {
      expect((await http.beta(`${collection}/delta?$deltatoken=${token}`)).status).toBe(400);
    }
  });

  test("I13: a position that the log does not reach back to is answered with 410, and where to start over", async () => {
    const { world, walk } = await opened({ shards: 1 });
    const [id = ""] = fitUsers(world);
    const { link } = await walk(`${collection}/delta`);
    for (let change = 0; change < 3; change++) {
      world.graph.createCalendar(id, { name: `No. ${change}` });
      world.clock.ms += tickMs;
      await world.tick();
    }
    expect((await walk(link)).status).toBe(200);
    await world.store.retireLog("00", world.clock.ms - tickMs, () => false);
    expect(await walk(link)).toMatchObject({ status: 410, location: expect.stringMatching(/getAllCalendars\/delta$/) });
    // A position whose own row is gone, and the next one stands, is valid.
    const { link: current } = await walk(`${collection}/delta`);
    expect((await walk(current)).status).toBe(200);
  });

  test("asks the table once for each shard when nothing has changed, and twice for each mailbox that has", async () => {
    const { world, walk } = await opened({ mailboxes: 40 });
    const { link } = await walk(`${collection}/delta`, undefined, "");
    const before = world.store.transactions();
    const asked = async (path: string) => {
      const store = world.storeOf();
      const { ask } = routesOver(store, world.clock.nowMs, {}, world.shards);
      const { body } = await ask(path);
      return { requests: store.transactions(), items: body.value.length };
    };
    expect(before).toBeGreaterThanOrEqual(0);
    expect(await asked(link)).toEqual({ requests: 4, items: 0 });
    const changed = fitUsers(world).slice(0, 10);
    for (const id of changed) world.graph.createCalendar(id, { name: "New" });
    world.clock.ms += tickMs;
    await world.tick();
    expect(await asked(link)).toEqual({ requests: 4 + 2 * changed.length, items: changed.length });
  });
});

test("I13: of a shard with more mailboxes than a page of the table holds, each row is read once", async () => {
  const { world, http } = await opened({ mailboxes: 1_250, calendars: 1, shards: 1 });
  const store = world.storeOf();
  const { ask } = routesOver(store, world.clock.nowMs, {}, world.shards);
  const ids: string[] = [];
  for (let link: string | undefined = collection; link !== undefined; ) {
    const { body }: Awaited<ReturnType<typeof http.beta>> = await ask(link);
    ids.push(...body.value.map(({ id }) => String(id)));
    link = body["@odata.nextLink"] as string | undefined;
  }
  const expected = fitUsers(world).length;
  expect(expected).toBeGreaterThan(1_000);
  expect([ids.length, new Set(ids).size]).toEqual([expected, expected]);
  expect(store.transactions()).toBeLessThanOrEqual(2 + 3); // Of mailboxes and of calendars, with what page ends add.
});

test("long answers are compressed for those who accept it", async () => {
  const { world } = await opened();
  const through = async (headers: Record<string, string>) => {
    const request = new HttpRequest({ url: `${origin}/api/beta${collection}`, method: "GET", headers });
    const { ports } = routesOver(world.store, world.clock.nowMs, {}, world.shards);
    return httpHandler(allCalendarsRoute, async () => ports, world.clock.nowMs)(request, context);
  };
  const plain = await through({ "accept-encoding": "gzip;q=0, br" });
  const zipped = await through({ "accept-encoding": "br, gzip" });
  if (!("body" in zipped) || !(zipped.body instanceof Uint8Array)) throw new Error("The answer has no bytes.");
  expect(zipped.headers).toMatchObject({ "content-encoding": "gzip", vary: "Accept, Accept-Encoding" });
  expect(JSON.parse(gunzipSync(zipped.body).toString())).toEqual("jsonBody" in plain ? plain.jsonBody : null);
});
