import {
  AuthenticationHandler,
  Client,
  type Context,
  PageIterator,
  RetryHandler,
} from "@microsoft/microsoft-graph-client";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { JsonObject } from "../../shared/sync/types.js";
import { type Product, startProduct } from "../worlds/product.js";
import { validatorOf } from "./openapiValidator.js";

const soon = { timeout: 150_000, interval: 50 };
type Row = JsonObject & { readonly id: string };

/** The built app in a real host process, as clients meet it. */
let product: Product;
let ids: readonly string[];
beforeAll(async () => {
  const settings = { WEBSITE_AUTH_ENABLED: "True", TOMBSTONE_DAYS: "0.00000001", GRAPH_PAGE_SIZE: "3" };
  product = await startProduct({ mailboxes: 3, calendars: 7, settings });
  ids = product.graph.mailboxes.ids();
  await product.add();
});
afterAll(() => product?.stop());

const api = (path: string, init: RequestInit = {}) => fetch(`${product.hostUrl()}/api/${path}`, init);
const bodyOf = async (response: Response) => (await response.json()) as Record<string, unknown> & { value: Row[] };
const mirrored = async () => {
  await product.tick();
  await vi.waitFor(async () => expect(await product.different()).toEqual([]), soon);
  await vi.waitFor(async () => expect((await product.snapshot()).notFresh).toEqual({}), soon);
};
const truth = (id: string) => [...product.graph.truth(id)].sort((a, b) => (a.id < b.id ? -1 : 1));
const first = () => ids[0] ?? "";

/** Like TLS in front of the host: the client speaks https, and a header says so to the host. */
class TlsFrontEnd {
  async execute(context: Context): Promise<void> {
    const url = String(context.request).replace(/^https:/, "http:");
    const headers = new Headers(context.options?.headers as Record<string, string>);
    headers.set("x-forwarded-proto", "https");
    context.response = await fetch(url, { ...context.options, headers } as RequestInit);
  }
}

/** Microsoft's client with its own handlers; only the base URL is another. */
function graphClient(): Client {
  const base = product.hostUrl().replace(/^http:/, "https:");
  const authentication = new AuthenticationHandler({ getAccessToken: async () => "any" });
  const retry = new RetryHandler();
  authentication.setNext(retry);
  retry.setNext(new TlsFrontEnd());
  return Client.initWithMiddleware({ middleware: authentication, baseUrl: `${base}/api/`, defaultVersion: "beta" });
}

async function walk(client: Client, from: string, headers: Record<string, string> = {}) {
  const rows: Row[] = [];
  const take = (row: Row) => rows.push(row) > 0;
  const pages = new PageIterator(client, await client.api(from).headers(headers).get(), take, { headers });
  await pages.iterate();
  return { rows, deltaLink: pages.getDeltaLink() ?? "" };
}

test("I3: before the first round there is no list, only the word to come again", async () => {
  for (const path of ["", "/delta", "/x"]) {
    const response = await api(`beta/users/${first()}/calendars${path}`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "30"]);
  }
});

describe("Microsoft's Graph client, unchanged", () => {
  beforeAll(mirrored);

  test("reads lists, page by page", async () => {
    const { rows } = await walk(graphClient(), `/users/${first()}/calendars?$top=3`);
    expect(rows).toEqual(truth(first()));
    const named = await graphClient().api(`/users/${first()}/calendars`).top(2).select(["name", "color"]).get();
    expect(named.value).toEqual(
      truth(first())
        .slice(0, 2)
        .map(({ id, name, color }) => ({ id, name, color })),
    );
    expect(named["@odata.nextLink"]).toMatch(/^https:/);
  });

  test("filters, orders, skips and counts", async () => {
    const calendars = `/users/${first()}/calendars`;
    const removable = truth(first()).filter(({ isRemovable }) => isRemovable);
    const request = graphClient()
      .api(calendars)
      .filter("isRemovable eq true")
      .orderby("name desc")
      .skip(1)
      .top(2)
      .count(true);
    const page = await request.get();
    expect(page["@odata.count"]).toBe(removable.length);
    const { rows } = await walk(graphClient(), page["@odata.nextLink"].replace(/^.*?(?=\/users)/, ""));
    const names = removable.map(({ name }) => String(name).toUpperCase()).sort();
    expect([...page.value, ...rows].map(({ name }) => String(name).toUpperCase())).toEqual(names.reverse().slice(1));
    expect(String(await graphClient().api(`${calendars}/$count`).get())).toBe(String(truth(first()).length));
    const mistyped = graphClient().api(calendars).select("nmae").get();
    await expect(mistyped).rejects.toMatchObject({ statusCode: 400, message: expect.stringContaining("'nmae'") });
  });

  test("reads a calendar by its id, as it is and encoded", async () => {
    const [calendar] = truth(first());
    for (const id of [calendar?.id ?? "", encodeURIComponent(calendar?.id ?? "")]) {
      expect(await graphClient().api(`/users/${first()}/calendars/${id}`).get()).toMatchObject({ ...calendar });
    }
  });

  test("gets errors in Graph's own shape", async () => {
    const ask = graphClient().api(`/users/${first()}/calendars/none`).get();
    await expect(ask).rejects.toMatchObject({
      statusCode: 404,
      code: "ErrorItemNotFound",
      requestId: expect.any(String),
    });
  });

  test("I6: walks the delta feed with its PageIterator, and ends with exactly what Graph has", async () => {
    const client = graphClient();
    const copy = new Map<string, Row>();
    const apply = (rows: readonly Row[]) => {
      for (const { "@odata.type": _type, ...row } of rows) {
        if (row["@removed"] === undefined) copy.set(String(row["id"]), row as Row);
        else copy.delete(String(row["id"]));
      }
    };
    let { rows, deltaLink } = await walk(client, `/users/${first()}/calendars/delta`, {
      Prefer: "odata.maxpagesize=2",
    });
    apply(rows);
    for (let round = 0; round < 3; round++) {
      for (let edit = 0; edit < 20; edit++) product.graph.editAtRandom();
      await mirrored();
      ({ rows, deltaLink } = await walk(client, deltaLink, { Prefer: "odata.maxpagesize=1" }));
      apply(rows);
      expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(truth(first()));
    }
    expect((await walk(client, deltaLink)).rows).toEqual([]);
  });
});

test("tombstones are retired by the timer, and a token from before starts over at the place it is sent to", async () => {
  const start = `beta/users/${first()}/calendars/delta`;
  const { "@odata.deltaLink": link } = await bodyOf(await api(start));
  const [calendar] = truth(first()).filter(({ isRemovable }) => isRemovable);
  product.graph.deleteCalendar(first(), calendar?.id ?? "");
  await mirrored();
  const followed = await bodyOf(await fetch(String(link)));
  expect(followed.value).toMatchObject([{ id: calendar?.id, "@removed": { reason: "deleted" } }]);
  const manual = { method: "POST", headers: { "content-type": "application/json" }, body: '{"input":""}' };
  await fetch(`${product.hostUrl()}/admin/functions/retireTombstones`, manual);
  await vi.waitFor(async () => expect((await fetch(String(link))).status).toBe(410), soon);
  const expired = await fetch(String(link));
  const again = await bodyOf(await fetch(expired.headers.get("location") ?? ""));
  expect(again.value.map(({ id }) => id).sort()).toEqual(truth(first()).map(({ id }) => id));
});

describe("over HTTP", () => {
  test("HEAD has the status and the headers of GET, on every route", async () => {
    const calendars = `beta/users/${first()}/calendars`;
    const paths = [
      ...[calendars, `${calendars}/none`, `${calendars}/delta`, "beta/users/getAllCalendars", "beta/me/calendars"],
      ...["beta/nothing", "mailboxes", `mailboxes/${first()}`, `mailboxes/${first()}/calendars`, "history"],
      ...[`mailboxes/${first()}/history`, "calendars", "status", "health", "openapi.json", "dashboard"],
    ];
    const told = ({ status, headers }: Response) => [status, headers.get("content-type"), headers.get("cache-control")];
    for (const path of paths) {
      const head = await api(path, { method: "HEAD" });
      expect([path, ...told(head)]).toEqual([path, ...told(await api(path))]);
      expect(await head.text()).toBe("");
    }
  });

  test("what is below beta is never refused without a word: unknown paths, writes, events", async () => {
    const calendars = `beta/users/${first()}/calendars`;
    const asked = [
      ["GET", "beta", 404],
      ["GET", "beta/groups/1/calendar", 404],
      ["GET", `beta/users/${first()}`, 404],
      ["GET", `${calendars}/x/events`, 404],
      ["POST", calendars, 405],
      ["PATCH", `${calendars}/x`, 405],
      ["DELETE", `${calendars}/x`, 405],
      ["PUT", "beta/me/calendars/x", 405],
      ["GET", "beta/$batch", 405],
    ] as const;
    for (const [method, path, status] of asked) {
      const response = await api(path, { method, ...(method === "GET" ? {} : { body: "{}" }) });
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      expect([method, path, response.status]).toEqual([method, path, status]);
      expect(error).toEqual({ code: expect.any(String), message: expect.any(String), innerError: expect.anything() });
      expect(response.headers.get("allow")).toBe(
        status === 405 ? (path.endsWith("batch") ? "POST" : "GET, HEAD") : null,
      );
    }
  });

  test("$batch answers each of its requests", async () => {
    const requests = ids.map((id, index) => ({
      id: String(index),
      method: "GET",
      url: `/users/${id}/calendars?$top=999`,
    }));
    const response = await api("beta/$batch", { method: "POST", body: JSON.stringify({ requests }) });
    const { responses } = (await response.json()) as { responses: { id: string; body: { value: Row[] } }[] };
    expect(responses.map(({ id, body }) => [id, body.value])).toEqual(
      ids.map((id, index) => [String(index), truth(id)]),
    );
  });

  test("the default calendar is Graph's, and keys may stand in parentheses", async () => {
    const [expected] = truth(first()).filter(({ isDefaultCalendar }) => isDefaultCalendar);
    const { "@odata.context": _context, ...calendar } = await bodyOf(await api(`beta/users('${first()}')/calendar`));
    expect(calendar).toEqual(expected);
  });
});

describe("the OpenAPI description", () => {
  test("fits the real answers of every route", async () => {
    const document = (await (await api("openapi.json")).json()) as JsonObject;
    const validate = validatorOf(document);
    const calendars = `beta/users/${first()}/calendars`;
    const [calendar] = truth(first());
    const principal = { typ: "oid", val: first() };
    const me = {
      "x-ms-client-principal-idp": "aad",
      "x-ms-client-principal": Buffer.from(JSON.stringify({ claims: [principal] })).toString("base64"),
    };
    const { etag = "" } = Object.fromEntries((await api(calendars)).headers);
    const somebody = "3f0c0000-0000-4000-8000-00000000ffff";
    const one = { id: "1", method: "GET", url: `/users/${first()}/calendars` };
    const batch = JSON.stringify({ requests: [one, { ...one, id: "2", url: "/users/nobody/calendars" }] });
    const chunks = () => new Blob(["{bad"]).stream(); // It has no length: the host hands on no body.
    const requests: readonly (readonly [string, number, RequestInit?])[] = [
      [calendars, 200],
      [`${calendars}?$top=1&$select=name`, 200],
      [calendars, 304, { headers: { "if-none-match": etag } }],
      [`${calendars}?$filter=x`, 400],
      [`${calendars}?$filter=canEdit eq true&$orderby=name desc&$skip=1&$count=true&$format=json`, 200],
      [`${calendars}/$count?$filter=nme eq 1`, 400],
      ["beta/users/nobody/calendars", 404],
      [`${calendars}/${encodeURIComponent(calendar?.id ?? "")}`, 200],
      [`${calendars}/none`, 404],
      [`${calendars}/delta`, 200],
      [`${calendars}/delta`, 200, { headers: { prefer: "odata.maxpagesize=1" } }],
      [`${calendars}/delta?$deltatoken=x`, 400],
      [`beta/users/${first()}/calendar`, 200],
      [`beta/users/${first()}/calendarGroups`, 404],
      ["beta/$batch", 200, { method: "POST", body: batch }],
      ["beta/$batch", 400, { method: "POST", body: "{}" }],
      ["beta/me/calendar", 200, { headers: me }],
      ["beta/me/calendars", 200, { headers: me }],
      ["beta/me/calendars", 200, { method: "HEAD", headers: me }],
      ["beta/me/calendars/delta", 200, { headers: me }],
      ["beta/me/calendars/none", 404, { headers: me }],
      ["beta/me/calendars", 401],
      [`mailboxes/${first()}`, 200],
      ["mailboxes/nobody", 404],
      ["mailboxes/a@b", 404],
      ["mailboxes/a%20b", 400],
      [`mailboxes/${somebody}`, 201, { method: "PUT", body: '{"displayName":"Somebody"}' }],
      [`mailboxes/${somebody}`, 200, { method: "PUT" }],
      [`mailboxes/${somebody}`, 400, { method: "PUT", body: "{bad" }],
      [`mailboxes/${somebody}`, 400, { method: "PUT", body: chunks(), duplex: "half" }],
      ["mailboxes/banana", 400, { method: "PUT" }],
      [`beta/users/${somebody}/calendars`, 503],
      [`mailboxes/${somebody}`, 204, { method: "DELETE" }],
      ["openapi.json", 200],
      ["openapi.json?version=2", 400],
      ["health", 200, { method: "HEAD" }],
    ];
    for (const [path, status, init] of requests) {
      const response = await api(path, init);
      const text = await response.text();
      const what = `${init?.method ?? "GET"} ${path}`;
      expect([what, response.status]).toEqual([what, status]);
      const body: unknown = text === "" ? undefined : JSON.parse(text);
      expect([what, validate(init?.method ?? "GET", path, status, body)]).toEqual([what, []]);
    }
  });
});
