import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { actionLogRoute, operatorRoute } from "../../shared/http/actionLog.js";
import type { HttpPorts } from "../../shared/http/handler.js";
import { mailboxActionRoute } from "../../shared/http/mailboxActions.js";
import { StorageError } from "../../shared/store/store.js";
import type { ActionPage } from "../../shared/views/actionSchema.js";
import { discovered, fitUsers } from "../worlds/fleet.js";
import { httpOf, origin, routesOver } from "../worlds/http.js";

/** What operators have done, and who they were. */

const unknown = "6e7b768e-07e2-4810-8459-485f84f8f204";

async function opened() {
  const world = await discovered({ mailboxes: 12 });
  await world.tick();
  const [id = "", other = ""] = fitUsers(world);
  const http = httpOf(world);
  const logOf = async (query = "") => (await http.actions(query)).body as ActionPage;
  return { world, http, id, other, logOf };
}

describe("the log of actions", () => {
  test("holds each action that was done, the newest first, with the mailbox by its present name", async () => {
    const { world, http, id, other, logOf } = await opened();
    for (const user of fitUsers(world).slice(2, 5)) world.graph.mailboxes.setState(user, { kind: "denied" });
    await world.tick();
    const steps = [
      () => http.act(id, "sync"),
      () => http.act(id, "resync"),
      () => http.act(id, "release"),
      () => http.put(unknown),
      () => http.remove(other),
      () => http.releaseAll("?reason=denied"),
      () => http.roster("discover"),
    ];
    for (const step of steps) {
      expect((await step()).status).toBeLessThan(300);
      world.clock.ms += 1_000;
    }
    const { value, cursor } = await logOf();
    expect(cursor).toBeNull();
    expect(value.map(({ action, mailbox, subject, count }) => [action, mailbox?.id ?? null, subject, count])).toEqual(
      [
        ["sync", id, null, null],
        ["resync", id, null, null],
        ["release", id, null, null],
        ["add", unknown, null, null],
        ["remove", other, null, null],
        ["releaseMany", null, "denied", 3],
        ["discover", null, null, null],
      ].toReversed(),
    );
    expect(value.at(-1)?.mailbox?.displayName).toEqual(expect.any(String));
    expect(value.find(({ action }) => action === "remove")?.mailbox?.displayName).toBeNull();
    expect(value.every(({ actor }) => actor.kind === "nobody")).toBe(true);
  });

  test("of one mailbox, and page by page", async () => {
    const { world, http, id, other, logOf } = await opened();
    for (const one of [id, other, id]) {
      await http.act(one, "sync");
      world.clock.ms += 1_000;
    }
    expect((await logOf(`?mailbox=${other}`)).value).toHaveLength(1);
    const first = await logOf("?top=2");
    const rest = await logOf(`?top=2&cursor=${first.cursor}`);
    expect([...first.value, ...rest.value].map(({ mailbox }) => mailbox?.id)).toEqual([id, other, id]);
    expect(rest.cursor).toBeNull();
  });

  test("has nothing of what was refused, or has changed nothing", async () => {
    const { http, logOf } = await opened();
    expect((await http.act(unknown, "sync")).status).toBe(404);
    expect((await http.remove(unknown)).status).toBe(204);
    expect((await http.liftBrake()).status).toBe(200);
    expect((await http.releaseAll("?reason=denied")).status).toBe(200);
    expect((await http.roster("release")).status).toBe(409);
    expect(await logOf()).toEqual({ value: [], cursor: null });
  });

  test.each([
    ["?top=0", 400],
    ["?top=201", 400],
    ["?cursor=x", 400],
    [`?cursor=${Buffer.from("mailbox|m").toString("base64url")}`, 400],
    ["?mailbox=no/body", 400],
    ["?mailbox=nobody@contoso.example", 404],
    ["?user=x", 400],
  ])("refuses %s", async (query, status) => {
    const { http } = await opened();
    expect((await http.actions(query)).status).toBe(status);
  });

  test("where it cannot be written the action stands, and the app's log says so", async () => {
    const { world, id } = await opened();
    const started: unknown[] = [];
    const failing = {
      ...world.storeOf(),
      noteAction: async () => {
        throw new StorageError("note action", "~actions", 413, "RequestBodyTooLarge");
      },
    };
    const { through } = routesOver(failing, world.clock.nowMs, { log: world.ports().log }, world.shards);
    const route = mailboxActionRoute((message) => started.push(message));
    const params = { id, action: "sync" };
    expect((await through(route, `${origin}/api/mailboxes/${id}/sync`, { method: "POST", params })).status).toBe(202);
    expect(started).toHaveLength(1);
    expect(world.logged.filter((line) => line.startsWith("error action not noted "))).toHaveLength(1);
  });
});

describe("who has done it", () => {
  const principalOf = (named: string | undefined, claims: readonly (readonly [string, string])[]) =>
    Buffer.from(
      JSON.stringify({ auth_typ: "aad", name_typ: named, claims: claims.map(([typ, val]) => ({ typ, val })) }),
    ).toString("base64");
  const askedBy = async (
    headers: Record<string, string>,
    { isSignInOn = true, query = "" }: { readonly isSignInOn?: boolean; readonly query?: string } = {},
  ) => {
    const { world } = await opened();
    const changed: Partial<HttpPorts> = { isSignInOn };
    const { through } = routesOver(world.store, world.clock.nowMs, changed, world.shards);
    return (await through(operatorRoute, `${origin}/api/operator${query}`, { headers })).body;
  };
  const email = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";

  test("is the user whom App Service Authentication signed in, by the claim that it names", async () => {
    const principal = principalOf(email, [
      ["name", "Zoë Baker"],
      [email, "zoë@contoso.example"],
    ]);
    expect(await askedBy({ "x-ms-client-principal": principal, "x-functions-key": "k" })).toEqual({
      kind: "user",
      name: "zoë@contoso.example",
    });
  });

  test("by another claim where that one is missing, as an app's token lacks a name", async () => {
    const byName = principalOf(email, [["preferred_username", "sam@contoso.example"]]);
    expect(await askedBy({ "x-ms-client-principal": byName })).toMatchObject({ name: "sam@contoso.example" });
    const app = principalOf(undefined, [["oid", unknown]]);
    expect(await askedBy({ "x-ms-client-principal": app })).toEqual({ kind: "user", name: unknown });
  });

  test("is nobody's word where sign-in is off: anybody can send such a header then", async () => {
    const principal = principalOf("name", [["name", "The boss"]]);
    const asked = { "x-ms-client-principal": principal, "x-ms-client-principal-name": "The boss" };
    expect(await askedBy(asked, { isSignInOn: false })).toEqual({ kind: "nobody", name: null });
  });

  test("is else the key's fingerprint, of the one that the host believes, and never the key", async () => {
    const key = "q1Zb-not-a-real-key-q1Zb";
    const name = createHash("sha256").update(key).digest("hex").slice(0, 8);
    expect(await askedBy({ "x-functions-key": key })).toEqual({ kind: "key", name });
    expect(await askedBy({}, { query: `?code=${key}` })).toEqual({ kind: "key", name });
    expect(await askedBy({ "x-functions-key": key }, { query: "?code=other" })).toEqual({ kind: "key", name });
    expect(JSON.stringify(await askedBy({ "x-functions-key": key }))).not.toContain(key.slice(0, 9));
  });

  test("goes into the log with the action", async () => {
    const { world, id } = await opened();
    const { through } = routesOver(world.store, world.clock.nowMs, { isSignInOn: true }, world.shards);
    const headers = { "x-ms-client-principal": principalOf("name", [["name", "<img src=x onerror=alert(1)>"]]) };
    const asked = { method: "POST", params: { id, action: "release" }, headers };
    await through(
      mailboxActionRoute(() => undefined),
      `${origin}/api/mailboxes/${id}/release`,
      asked,
    );
    const { body } = await through(actionLogRoute, `${origin}/api/actions`);
    expect(body["value"]).toMatchObject([
      { action: "release", actor: { kind: "user", name: "<img src=x onerror=alert(1)>" }, mailbox: { id } },
    ]);
  });
});
