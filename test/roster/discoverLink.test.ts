import { describe, expect, test } from "vitest";
import type { DirectorySource } from "../../shared/graph/directory.js";
import { throttled } from "../../shared/sync/brake.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "../worlds/fleet.js";
import { httpOf } from "../worlds/http.js";

/** A refusal of the roster's link is no word about the roster: the link is dropped, and a full round begins. */

const groupId = "11111111-2222-4333-8444-555555555555";
const group: DirectorySource = { kind: "group", groupId };
const hourMs = 3_600_000;

type Refusal = readonly [status: number, body: unknown];
const coded = (status: number, code: string): Refusal => [status, { error: { code, message: "" } }];

/** A world whose directory refuses what `isRefused` says of the request's URL. */
async function opened(refusal: Refusal, options: FleetOptions = {}) {
  const world = fleet({ mailboxes: 60, usersPerPage: 10, ...options });
  await world.store.open();
  world.graph.groups.add(groupId, world.graph.mailboxes.ids());
  const handle = world.graph.handle;
  const asked: string[] = [];
  const refused = { isRefused: (_url: string) => false };
  world.graph.handle = (request) => {
    asked.push(request.url);
    if (!refused.isRefused(request.url)) return handle(request);
    const [status, body] = refusal;
    return { ...handle(request), status, body: body === null ? "" : JSON.stringify(body) };
  };
  return { world, asked, refused };
}

const stateOf = async (world: Fleet) => (await world.store.readDirectory())?.state;
const suspended = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [id] : []));
const hasToken = (url: string) => /token=/.test(url);

const refusals: readonly Refusal[] = [
  coded(404, "UnknownError"),
  coded(400, "BadRequest"),
  coded(410, "syncStateNotFound"),
  coded(403, "Authorization_RequestDenied"),
  coded(403, "ErrorAccessDenied"),
  coded(404, "Request_ResourceNotFound"),
  coded(400, "Directory_ExpiredPageToken"),
  coded(405, "Request_BadRequest"),
  coded(422, "Unheard_Of"),
];

describe.each(refusals)("a stored link that answers %i %j for ever", (...refusal) => {
  test("is asked once, and a full round serves: who has left is suspended", async () => {
    const { world, asked, refused } = await opened(refusal);
    await world.discover();
    const [gone = ""] = fitUsers(world);
    world.graph.mailboxes.remove(gone, "deleted");
    refused.isRefused = (url) => url.includes("$deltatoken=");
    asked.length = 0;
    expect(await world.discover()).toBe("done");
    expect(asked.filter((url) => url.includes("$deltatoken="))).toHaveLength(1);
    expect(await stateOf(world)).toMatchObject({ isFull: true, generation: 2, lastErrorCode: null });
    expect(await suspended(world)).toEqual([gone]);
  });

  test("is an error of the roster once the start is refused too, and the links of a walk are tried thrice a pass at most", async () => {
    const { world, asked, refused } = await opened(refusal);
    await world.discover();
    refused.isRefused = () => true;
    expect(await world.discover()).toBe("waiting");
    expect((await stateOf(world))?.lastErrorCode).toBe((refusal[1] as { error: { code: string } }).error.code);
    refused.isRefused = hasToken;
    world.clock.ms += hourMs;
    asked.length = 0;
    expect(await world.discover()).toBe("waiting");
    expect(asked.filter(hasToken).length).toBeLessThanOrEqual(3);
    expect(await suspended(world)).toEqual([]);
    refused.isRefused = () => false;
    world.clock.ms += hourMs;
    expect(await world.discover()).toBe("done");
  });
});

test("a group's page that is refused begins the reading anew", async () => {
  const { world, refused } = await opened(coded(404, "UnknownError"), { source: group });
  let left = 1;
  refused.isRefused = (url) => hasToken(url) && left-- > 0;
  expect(await world.discover()).toBe("done");
  expect([...(await world.states()).keys()].sort()).toEqual([...fitUsers(world)].sort());
});

test.each([
  [404, null],
  [500, { error: { code: "UnknownError", message: "" } }],
  [200, { value: "no list" }],
])("a link that fails without end in another way (%i) is given up within a day", async (status, body) => {
  const { world, refused } = await opened([status, body]);
  await world.discover();
  refused.isRefused = (url) => url.includes("$deltatoken=");
  const kinds: string[] = [];
  for (let hour = 0; hour < 24 && kinds.at(-1) !== "done"; hour++) {
    world.clock.ms += hourMs;
    kinds.push(await world.discover());
  }
  expect(kinds.length).toBeGreaterThan(2);
  expect(kinds.at(-1)).toBe("done");
  expect(await stateOf(world)).toMatchObject({ isFull: true, lastErrorCode: null });
});

describe("POST roster/discover", () => {
  async function asked(world: Fleet) {
    const http = httpOf(world);
    const reply = await http.roster("discover");
    const [message] = http.sent;
    if (message === undefined || !("discover" in message)) throw new Error("Nothing was sent.");
    return { reply, end: (await world.discoverOnce(message.discover)).kind };
  }

  test("does what it says while a wait of our own runs, and asks no link that has failed", async () => {
    const { world, asked: urls, refused } = await opened(coded(500, "UnknownError"));
    await world.discover();
    refused.isRefused = hasToken;
    for (let hour = 0; hour < 3; hour++) {
      await world.discover();
      world.clock.ms += hourMs;
    }
    await world.discover();
    expect((await stateOf(world))?.notBeforeMs).toBeGreaterThan(world.clock.ms + 30_000);
    refused.isRefused = () => false;
    urls.length = 0;
    const { reply, end } = await asked(world);
    expect(reply).toMatchObject({ status: 202, body: { notBefore: null } });
    expect(end).toBe("done");
    expect(urls[0]).toMatch(/^\/beta\/users\/delta\?\$select=/);
  });

  test("keeps the wait that Graph asked for, and says until when", async () => {
    const { world } = await opened(coded(500, "UnknownError"));
    await world.discover();
    world.graph.faults.add({ kind: "throttled", on: "directory", seconds: 3_000, count: 1 });
    expect(await world.discover()).toBe("waiting");
    const until = new Date(world.clock.ms + 3_000_000).toISOString();
    world.clock.ms += 60_000;
    const { reply, end } = await asked(world);
    expect([reply, end]).toMatchObject([{ status: 202, body: { notBefore: until } }, "waiting"]);
    world.clock.ms += 3_000_000;
    expect((await asked(world)).end).toBe("done");
  });

  test("says until when the brake holds it", async () => {
    const { world } = await opened(coded(500, "UnknownError"));
    const untilMs = world.clock.ms + 600_000;
    await world.store.changeBrake((brake) => throttled(brake, "http429", 600_000, world.clock.ms));
    const { reply, end } = await asked(world);
    expect(reply).toMatchObject({ status: 202, body: { notBefore: new Date(untilMs).toISOString() } });
    expect(end).toBe("waiting");
  });
});
