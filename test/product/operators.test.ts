import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { JsonObject } from "../../shared/sync/types.js";
import type { Status } from "../../shared/views/status.js";
import { validatorOf } from "../http/openapiValidator.js";
import { type Product, startProduct } from "../worlds/product.js";

const soon = { timeout: 150_000, interval: 200 };
let product: Product;

beforeAll(async () => {
  product = await startProduct({
    mailboxes: 40,
    calendars: 3,
    settings: { ROSTER: "directory", ROSTER_SCHEDULE: "0 0 0 1 1 *" },
  });
});
afterAll(() => product?.stop());

const api = (path: string, method = "GET") => fetch(`${product.hostUrl()}/api/${path}`, { method });
const statusNow = async () => (await (await api("status")).json()) as Status;

test("in a real host the roster is discovered, mirrored, reported, and acted on", async () => {
  expect((await api("roster/discover", "POST")).status).toBe(202);
  await vi.waitFor(async () => expect((await statusNow()).roster.state).toBe("idle"), soon);
  const { discovered } = (await statusNow()).roster;
  await product.tick();
  await vi.waitFor(async () => expect((await statusNow()).mailboxes.byState.fresh).toBe(discovered), soon);
  const [id = ""] = product.graph.mailboxes.ids();
  product.graph.mailboxes.setState(id, { kind: "denied" });
  await api(`mailboxes/${id}/sync`, "POST");
  const stateOf = async () => ((await (await api(`mailboxes/${id}`)).json()) as { state: string }).state;
  await vi.waitFor(async () => expect(await stateOf()).toBe("parked"), soon);
  product.graph.mailboxes.setState(id, { kind: "normal" });
  await api(`mailboxes/${id}/release`, "POST");
  await vi.waitFor(async () => expect(await stateOf()).toBe("fresh"), soon);
});

test("in a real host users are found by their names, whatever these hold", async () => {
  const [id = ""] = product.graph.mailboxes.ids();
  const name = "o'brien_fabrikam.com#EXT#@contoso.example";
  product.graph.mailboxes.updateUser(id, { userPrincipalName: name });
  expect((await api("roster/discover", "POST")).status).toBe(202);
  const shown = async () => (await (await api(`mailboxes/${id}`)).json()) as { userPrincipalName: string };
  await vi.waitFor(async () => expect(await shown()).toMatchObject({ userPrincipalName: name }), soon);
  const bodyOf = async (path: string) => (await (await api(path)).json()) as JsonObject;
  const { value } = await bodyOf(`beta/users/${id}/calendars`);
  const encoded = encodeURIComponent(name); // The apostrophe stays.
  const users = [encoded, encoded.toUpperCase(), encodeURIComponent(encoded), encoded.replace("'", "%27")];
  for (const user of users) {
    expect([user, (await bodyOf(`beta/users/${user}/calendars`))["value"]]).toEqual([user, value]);
    const link = String((await bodyOf(`beta/users/${user}/calendars/delta`))["@odata.deltaLink"]);
    expect(await (await fetch(link)).json()).toMatchObject({ value: [] });
    expect(await bodyOf(`mailboxes/${user}`)).toMatchObject({ id });
  }
});

test("I7: in a real host a refusal of everybody is one state, an operator ends it, and all come back", async () => {
  product.graph.faults.add({ kind: "denied" });
  await product.tick();
  await vi.waitFor(async () => expect((await statusNow()).application?.code).toBe("ErrorAccessDenied"), soon);
  expect(await (await api("health")).json()).toMatchObject({ reason: expect.any(String) });
  product.graph.faults.clear();
  expect(await (await api("brake/release", "POST")).json()).toMatchObject({ lifted: true, application: null });
  const released = (await (await api("mailboxes/release?reason=denied", "POST")).json()) as { released: number };
  expect(released.released).toBeGreaterThan(0);
  await product.tick();
  const { discovered } = (await statusNow()).roster;
  await vi.waitFor(async () => expect((await statusNow()).mailboxes.byState.fresh).toBe(discovered), soon);
});

test("the OpenAPI description fits the real answers of the fleet's routes", async () => {
  const validate = validatorOf((await (await api("openapi.json")).json()) as JsonObject);
  const [id = ""] = product.graph.mailboxes.ids();
  const requests: readonly (readonly [string, string, number])[] = [
    ["GET", "mailboxes?state=fresh&top=5", 200],
    ["GET", "mailboxes?top=0", 400],
    ["GET", "calendars?name=cal&default=true&kind=user&top=5", 200],
    ["GET", "calendars?shared=maybe", 400],
    ["GET", "mailboxes?stat=parked", 400],
    ["PUT", `mailboxes/${id}`, 200],
    ["POST", `mailboxes/${id}/sync?now`, 400],
    ["POST", "roster/discover?full=1", 400],
    ["GET", `mailboxes/${id}`, 200],
    ["GET", `mailboxes/${id}/calendars`, 200],
    ["GET", "mailboxes/nobody/calendars", 404],
    ["GET", "mailboxes/a@b/calendars", 404],
    ["GET", "mailboxes/a%20b/calendars", 400],
    ["POST", `mailboxes/${id}/sync`, 202],
    ["POST", `mailboxes/${id}/resync`, 202],
    ["POST", `mailboxes/${id}/release`, 202],
    ["POST", "mailboxes/nobody/sync", 404],
    ["POST", "mailboxes/a@b/sync", 404],
    ["POST", "mailboxes/a%20b/sync", 400],
    ["POST", "mailboxes/release?reason=denied", 200],
    ["POST", "mailboxes/release", 400],
    ["POST", "brake/release", 200],
    ["POST", "roster/discover", 202],
    ["POST", "roster/release", 409],
    ["GET", "status?ticks=2", 200],
    ["GET", "status?ticks=x", 400],
    ["GET", "health", 200],
  ];
  for (const [method, path, status] of requests) {
    const response = await api(path, method);
    const what = `${method} ${path}`;
    expect([what, response.status]).toEqual([what, status]);
    expect([what, validate(method, path, status, await response.json())]).toEqual([what, []]);
  }
});

test("I7: probes that send HEAD learn the mirror's health too; where only POST is registered, they get 404 as from the real host", async () => {
  const health = await api("health", "HEAD");
  expect([health.status, await health.text()]).toEqual([200, ""]);
  expect((await api("brake/release", "HEAD")).status).toBe(404);
});
