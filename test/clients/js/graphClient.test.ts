import {
  BatchRequestContent,
  BatchResponseContent,
  Client,
  type GraphError,
  PageIterator,
  ResponseType,
  RetryHandlerOptions,
} from "@microsoft/microsoft-graph-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, groupId, type Item, startApp } from "./app.js";
import { refusalsOf } from "./refusals.js";
import { later, refusedSubscriptions, secretName, wantedOf } from "./subscriptions.js";

/** @microsoft/microsoft-graph-client, as its users set it up: only base URL and sign-in are others. */
let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const withKey = () =>
  Client.initWithMiddleware({
    baseUrl: `${app.origin}/api/`,
    defaultVersion: "beta",
    fetchOptions: { headers: { "x-functions-key": app.key } },
    authProvider: { getAccessToken: async () => "" },
  });
const withToken = () =>
  Client.initWithMiddleware({
    baseUrl: `${app.origin}/api/`,
    defaultVersion: "beta",
    customHosts: new Set([app.host]),
    authProvider: { getAccessToken: async () => app.token },
  });
const calendars = () => `/users/${app.mailbox}/calendars`;

async function walk(client: Client, from: string, headers: Record<string, string> = {}) {
  const items: Item[] = [];
  const first = await client.api(from).headers(headers).get();
  const pages = new PageIterator(client, first, (item: Item) => items.push(item) > 0, { headers });
  await pages.iterate();
  return { items, deltaLink: pages.getDeltaLink() ?? "" };
}

describe("a list", () => {
  test("is read page by page by PageIterator", async () => {
    expect((await walk(withKey(), `${calendars()}?$top=3`)).items).toEqual(app.truth());
  });

  test("takes select and top", async () => {
    const page = await withKey().api(calendars()).select(["name", "owner"]).top(2).get();
    expect(page.value).toEqual(
      app
        .truth()
        .slice(0, 2)
        .map(({ id, name, owner }) => ({ id, name, owner })),
    );
  });

  test("takes filter, orderby, skip and count", async () => {
    const page = await withKey().api(calendars()).filter("canEdit eq true").orderby("name desc").skip(1).count().get();
    const names = app.truth().flatMap(({ canEdit, name }) => (canEdit === true ? [String(name)] : []));
    expect(page["@odata.count"]).toBe(names.length);
    expect(page.value.map(({ name }: Item) => name)).toEqual(names.sort().reverse().slice(1));
  });

  test("is counted", async () => {
    const answer = await withKey().api(`${calendars()}/$count`).responseType(ResponseType.TEXT).get();
    expect(Number(answer)).toBe(app.truth().length);
  });
});

test("one calendar, the default calendar, and the groups are read", async () => {
  const [calendar] = app.truth();
  expect(await withKey().api(`${calendars()}/${calendar?.id}`).get()).toMatchObject({ ...calendar });
  const standard = app.truth().find(({ isDefaultCalendar }) => isDefaultCalendar === true);
  expect(await withKey().api(`/users/${app.mailbox}/calendar`).get()).toMatchObject({ ...standard });
  const groups = await withKey().api(`/users/${app.mailbox}/calendarGroups`).get();
  expect(groups.value.map(({ id }: Item) => id)).toContain(groupId);
});

test("a signed-in user reads their own calendars, with a token that customHosts lets through", async () => {
  expect((await walk(withToken(), "/me/calendars?$top=3")).items).toEqual(app.truth());
  const { deltaLink } = await walk(withToken(), "/me/calendars/delta");
  expect((await walk(withToken(), deltaLink)).items).toEqual([]);
});

test("I6: the delta is walked to its deltaLink and on, and the copy is what Graph has", async () => {
  const headers = { Prefer: "odata.maxpagesize=2" };
  const copy = new Map<string, Item>();
  let from = `${calendars()}/delta`;
  for (let round = 0; round < 3; round++) {
    if (round > 0) await app.change();
    const { items, deltaLink } = await walk(withKey(), from, headers);
    for (const { "@odata.type": _type, ...item } of items) {
      if (item["@removed"] === undefined) copy.set(item.id, item);
      else copy.delete(item.id);
    }
    expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(app.truth());
    from = deltaLink;
  }
});

test("every refusal is a GraphError with status, code and message", async () => {
  const noRetry = new RetryHandlerOptions(0, 0);
  const seen: unknown[] = [];
  for (const { what, method, path, status, message } of refusalsOf(app)) {
    const request = withKey().api(path).middlewareOptions([noRetry]);
    const send = { GET: () => request.get(), POST: () => request.post({}), PATCH: () => request.patch({}) };
    const answer = method === "DELETE" ? request.delete() : send[method]();
    const error: Partial<GraphError> = await answer.catch((error: unknown) => error);
    const isRead = /^\w[\w-]+$/.test(error.code ?? "") && message.test(error.message ?? "") && error.requestId != null;
    if (error.statusCode !== status || !isRead) {
      seen.push([what, error.statusCode, error.code, error.message]);
    }
  }
  expect(seen).toEqual([]);
});

test("$batch: each request is answered as alone, in the order of their dependencies", async () => {
  const [calendar] = app.truth();
  const of = (path: string) => new Request(`https://localhost${path}`);
  const content = new BatchRequestContent([
    { id: "1", request: of(`${calendars()}?$select=name&$top=2`) },
    { id: "2", request: of(`${calendars()}/${calendar?.id}`), dependsOn: ["1"] },
    { id: "3", request: of(`${calendars()}/none`), dependsOn: ["2"] },
  ]);
  const answers = new BatchResponseContent(
    await withKey()
      .api("/$batch")
      .post(await content.getContent()),
  );
  const list = await withKey().api(calendars()).select("name").top(2).get();
  expect(await answers.getResponseById("1").json()).toEqual(list);
  expect(await answers.getResponseById("2").json()).toMatchObject({ ...calendar });
  const refused = answers.getResponseById("3");
  expect([refused.status, await refused.json()]).toMatchObject([404, { error: { code: "ErrorItemNotFound" } }]);
});

describe("a subscription", () => {
  test("is created, listed, read, renewed, sent back whole, reauthorized and deleted", async () => {
    const client = withKey();
    const { [secretName]: secret, ...created } = await client.api("/subscriptions").post(wantedOf(app));
    expect([secret, created.notificationUrl]).toEqual([expect.stringMatching(/^whsec_/), app.receiverUrl]);
    const one = `/subscriptions/${created.id}`;
    expect(await client.api(one).get()).toEqual(created);
    expect((await client.api("/subscriptions").get()).value.map(({ id }: Item) => id)).toContain(created.id);
    const expirationDateTime = later();
    const renewed = await client.api(one).patch({ expirationDateTime });
    expect(renewed).toEqual({ ...created, expirationDateTime });
    expect(await client.api(one).patch(renewed)).toEqual(renewed);
    await client.api(`${one}/reauthorize`).post(null);
    await client.api(one).delete();
    await expect(client.api(one).get()).rejects.toMatchObject({ statusCode: 404, code: "ResourceNotFound" });
  });

  test.each(refusedSubscriptions)("%j is refused, as a GraphError", async (change, code, message) => {
    const error: GraphError = await withKey()
      .api("/subscriptions")
      .post(wantedOf(app, change))
      .catch((error: unknown) => error);
    expect([error.statusCode, error.code, error.message]).toEqual([400, code, expect.stringMatching(message)]);
  });

  test("is created in a $batch and listed after that, and is deleted in one", async () => {
    const url = "https://localhost/subscriptions";
    const creation = (body: object) =>
      new Request(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const sent = async (...requests: { id: string; request: Request; dependsOn?: string[] }[]) => {
      const content = await new BatchRequestContent(requests).getContent();
      const answers = new BatchResponseContent(await withKey().api("/$batch").post(content));
      return requests.map(({ id }) => answers.getResponseById(id));
    };
    const bodies = (answers: readonly Response[]) =>
      Promise.all(answers.map(async (each) => (await each.json()) as { id: string; value: Item[]; error: object }));
    const first = await sent(
      { id: "1", request: creation(wantedOf(app)) },
      { id: "2", request: new Request(url), dependsOn: ["1"] },
    );
    const [created, list] = await bodies(first);
    expect(first.map(({ status }) => status)).toEqual([201, 200]);
    expect(list?.value.map(({ id }) => id)).toContain(created?.id);
    const then = await sent(
      { id: "1", request: new Request(`${url}/${created?.id}`, { method: "DELETE" }) },
      { id: "2", request: creation({}) },
    );
    expect(then.map(({ status }) => status)).toEqual([204, 400]);
    expect((await bodies(then.slice(1)))[0]).toMatchObject({ error: { code: "InvalidRequest" } });
  });
});
