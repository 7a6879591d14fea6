import { afterEach, expect, test } from "vitest";
import { createGraph } from "../../local/graph/graph.js";
import { randomFrom } from "../../local/graph/random.js";
import { type GraphServer, startGraphServer } from "../../local/graph/server.js";
import { startMs } from "../worlds/parts.js";
import type { Page } from "../worlds/simulator.js";

const open: GraphServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function start() {
  const core = createGraph({ clock: { nowMs: () => startMs }, random: randomFrom(7), mailboxes: 3 });
  const server = await startGraphServer({ core, token: "right" });
  open.push(server);
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(path.startsWith("http") ? path : `${server.url}${path}`, {
      ...init,
      headers: { authorization: "Bearer right" },
    });
  /** The control API; no bearer. */
  const control = async (method: string, path: string, body?: unknown) => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
    return (await fetch(`${server.url}/_control/${path}`, init)).json() as Promise<Record<string, unknown>>;
  };
  return { core, server, ask, control, mailboxId: core.mailboxes.idAt(0) };
}

test("links lead back to the server, and work as they are", async () => {
  const { server, ask, core, mailboxId } = await start();
  const first = (await (await ask(`/beta/users/${mailboxId}/calendars/delta`)).json()) as Page;
  const link = first["@odata.deltaLink"] ?? "";
  expect(link.startsWith(`${server.url}/beta/users/${mailboxId}/calendars/delta?$deltatoken=`)).toBe(true);
  core.renameCalendar(mailboxId, first.value[0]?.id ?? "", "Käsekuchen ☂");
  const second = await ask(link);
  expect(second.headers.get("date")).toBe("Thu, 08 Oct 2026 12:00:00 GMT");
  expect(((await second.json()) as Page).value).toMatchObject([{ name: "Käsekuchen ☂" }]);
});

test("the server's token is the only one", async () => {
  const { server, mailboxId } = await start();
  const url = `${server.url}/beta/users/${mailboxId}/calendars`;
  expect((await fetch(url, { headers: { authorization: "Bearer wrong" } })).status).toBe(401);
});

test("a reset really breaks the connection, once", async () => {
  const { ask, control, mailboxId } = await start();
  await control("POST", "faults", { kind: "connectionReset", count: 1 });
  const path = `/beta/users/${mailboxId}/calendars`;
  await expect(ask(path)).rejects.toThrow("fetch failed");
  expect((await ask(path)).status).toBe(200);
});

test("the control API switches faults and counts them", async () => {
  const { ask, control, mailboxId } = await start();
  const { ids } = await control("POST", "faults", [
    { kind: "unavailable", count: 1 },
    { kind: "serverError", rate: 0 },
  ]);
  expect(ids).toEqual([1, 2]);
  expect((await ask(`/beta/users/${mailboxId}/calendars`)).status).toBe(503);
  expect(await control("GET", "faults")).toMatchObject({
    injected: { unavailable: 1 },
    rules: [{ left: 0 }, { id: 2 }],
  });
  await control("DELETE", "faults");
  expect(await control("GET", "faults")).toMatchObject({ rules: [] });
  expect(await control("POST", "faults", { kind: "nonsense" })).toHaveProperty("error");
});

test("the control API edits, and returns the truth and the stats", async () => {
  const { core, ask, control, mailboxId } = await start();
  const { edits } = await control("POST", "edits", { random: 4 });
  expect(edits).toHaveLength(4);
  await control("POST", "edits", { edit: "create", mailboxId, values: { name: "By hand" } });
  const { value } = (await control("GET", `truth/${mailboxId}`)) as { value: unknown };
  expect(value).toEqual(core.truth(mailboxId));
  await ask(`/beta/users/${mailboxId}/calendars`);
  expect(await control("GET", "stats")).toMatchObject({ httpRequests: 1, answersByKind: { calendars: 1 } });
  await control("DELETE", "stats");
  expect(await control("GET", "stats")).toMatchObject({ httpRequests: 0 });
});

test("the control API adds mailboxes, changes their state, and lists them", async () => {
  const { ask, control } = await start();
  const { ids } = (await control("POST", "mailboxes", { add: 2, calendars: 4 })) as { ids: string[] };
  const [first = "", second = ""] = ids;
  await control("POST", `mailboxes/${first}/state`, { kind: "gone", code: "ErrorInvalidUser" });
  expect((await ask(`/beta/users/${first}/calendars`)).status).toBe(404);
  expect(await control("GET", "mailboxes?skip=4&top=1&truth=1")).toMatchObject({ count: 5, value: [{ id: second }] });
  await control("DELETE", `mailboxes/${second}?reason=deleted`);
  expect(await control("GET", "mailboxes")).toMatchObject({ count: 4 });
  expect(await control("POST", "nonsense", {})).toHaveProperty("error");
});

test("the control API tells what mailboxes are for, converts them, takes the permission, and moves calendars", async () => {
  const { core, ask, control, mailboxId } = await start();
  const purpose = async () => {
    const answer = await ask(`/v1.0/users/${mailboxId}/mailboxSettings/userPurpose`);
    return answer.status === 200 ? ((await answer.json()) as { value: string }).value : answer.status;
  };
  await control("POST", `mailboxes/${mailboxId}/purpose`, { purpose: "room" });
  expect(await purpose()).toBe("room");
  await control("POST", `mailboxes/${mailboxId}/convert`, { to: "shared" });
  expect(await purpose()).toBe("shared");
  expect(await control("GET", "mailboxes?top=1")).toMatchObject({
    value: [{ id: mailboxId, purpose: "shared", user: { accountEnabled: false, userType: "Member" } }],
  });
  await control("POST", "permissions", { mailboxSettings: false });
  expect(await purpose()).toBe(403);
  expect(await control("POST", `mailboxes/${mailboxId}/purpose`, { purpose: "robot" })).toHaveProperty("error");
  const before = core.truth(mailboxId).map(({ id, name }) => [id, name]);
  const { moves } = (await control("POST", `mailboxes/${mailboxId}/moveCalendars`)) as {
    moves: { old: string; new: string }[];
  };
  const movedTo = new Map(moves.map((move) => [move.old, move.new]));
  expect(core.truth(mailboxId).map(({ id, name }) => [id, name])).toEqual(
    before.map(([id = "", name]) => [movedTo.get(id) ?? id, name]),
  );
  expect(moves).toHaveLength(before.length - 1);
});
