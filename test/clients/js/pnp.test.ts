import {
  DefaultHeaders,
  DefaultInit,
  GraphCollection,
  type GraphFI,
  graphDelete,
  graphfi,
  graphGet,
  graphPatch,
  graphPost,
  type IPagedResult,
  Paged,
} from "@pnp/graph";
import "@pnp/graph/batching.js";
import type { ICalendar, ICalendarGroups, ICalendars } from "@pnp/graph/calendars/index.js";
import "@pnp/graph/calendars/index.js";
import type { IUser } from "@pnp/graph/users/index.js";
import "@pnp/graph/users/index.js";
import type { ISubscriptions } from "@pnp/graph/subscriptions/index.js";
import "@pnp/graph/subscriptions/index.js";
import {
  BrowserFetch,
  BrowserFetchWithRetry,
  DefaultParse,
  type HttpRequestError,
  InjectHeaders,
} from "@pnp/queryable";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, groupId, type Item, startApp } from "./app.js";
import { refusalsOf } from "./refusals.js";
import { later, refusedSubscriptions, secretName, wantedOf } from "./subscriptions.js";

/** @pnp/graph with its endpoint beta: only base URL and sign-in are others. */
let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

/** What its modules add to types; Node's resolution of modules does not find that. */
type User = IUser & {
  readonly calendar: ICalendar;
  readonly calendars: ICalendars;
  readonly calendarGroups: ICalendarGroups;
};
type Graph = GraphFI & {
  readonly me: User;
  readonly users: { getById(id: string): User };
  readonly subscriptions: ISubscriptions;
  batched(): [Graph, () => Promise<void>];
};
const graphWith = (headers: Record<string, string>, fetching = BrowserFetchWithRetry()): Graph =>
  graphfi().using(DefaultInit(app.base), DefaultHeaders(), InjectHeaders(headers), fetching, DefaultParse()) as Graph;
const withKey = () => graphWith({ "x-functions-key": app.key });
const calendars = () => withKey().users.getById(app.mailbox).calendars;

describe("a list", () => {
  test("is read page by page by its iterator", async () => {
    const items: unknown[] = [];
    for await (const page of calendars().top(3) as unknown as AsyncIterable<Item[]>) items.push(...page);
    expect(items).toEqual(app.truth());
  });

  test("takes select and top", async () => {
    expect(await calendars().select("name", "owner").top(2)()).toEqual(
      app
        .truth()
        .slice(0, 2)
        .map(({ id, name, owner }) => ({ id, name, owner })),
    );
  });

  test("takes filter, orderBy and skip", async () => {
    const page = await calendars().filter("canEdit eq true").orderBy("name", false).skip(1)();
    const names = app.truth().flatMap(({ canEdit, name }) => (canEdit === true ? [String(name)] : []));
    expect(page.map(({ name }) => name)).toEqual(names.sort().reverse().slice(1));
  });

  test("is counted", async () => {
    const query = GraphCollection(calendars()).using(Paged(true));
    query.query.set("$count", "true");
    const { count } = (await query()) as unknown as { readonly count: number };
    expect(count).toBe(app.truth().length);
  });
});

test("one calendar, the default calendar, and the groups are read", async () => {
  const [calendar] = app.truth();
  const user = withKey().users.getById(app.mailbox);
  expect(await user.calendars.getById(String(calendar?.id))()).toMatchObject({ ...calendar });
  const standard = app.truth().find(({ isDefaultCalendar }) => isDefaultCalendar === true);
  expect(await user.calendar()).toMatchObject({ ...standard });
  expect((await user.calendarGroups()).map(({ id }) => id)).toContain(groupId);
});

test("a signed-in user reads their own calendars, with a token", async () => {
  expect(await graphWith({ Authorization: `Bearer ${app.token}` }).me.calendars()).toEqual(app.truth());
});

test("I6: the delta is walked to its deltaLink and on, and the copy is what Graph has", async () => {
  const user = withKey().users.getById(app.mailbox);
  const follow = (link: string): Promise<IPagedResult<Item>> => GraphCollection([user, link]).using(Paged())();
  const copy = new Map<string, Item>();
  let page: IPagedResult<Item> = await GraphCollection(user, "calendars/delta").using(Paged())();
  for (let round = 0; round < 3; round++) {
    if (round > 0) {
      await app.change();
      page = await follow(page.deltaLink);
    }
    for (;;) {
      for (const { "@odata.type": _type, ...item } of page.value ?? []) {
        if (item["@removed"] === undefined) copy.set(item.id, item);
        else copy.delete(item.id);
      }
      if (!page.hasNext) break;
      page = await follow(page.nextLink);
    }
    expect([...copy.values()].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual(app.truth());
  }
});

const verbs = { GET: graphGet, POST: graphPost, PATCH: graphPatch, DELETE: graphDelete };

test("every refusal is an HttpRequestError whose body has code and message", async () => {
  const graph = graphWith({ "x-functions-key": app.key }, BrowserFetch());
  const seen: unknown[] = [];
  for (const { what, method, path, status, message } of refusalsOf(app)) {
    const url = path.startsWith("https:") ? path : `${app.base}${path}`;
    const query = GraphCollection([graph.users.getById(app.mailbox), url]);
    const answer: Promise<unknown> = verbs[method](query);
    const error = (await answer.catch((error: unknown) => error)) as Partial<HttpRequestError>;
    const said = codeAndMessage(error.message ?? "");
    if (error.status !== status || said === null || !message.test(said.message)) seen.push([what, error.status, said]);
  }
  expect(seen).toEqual([]);
});

/** The library puts the body behind this sign into its message. */
function codeAndMessage(text: string): { readonly code: string; readonly message: string } | null {
  const body = text.split(" ::> ")[1] ?? "";
  return body === "" ? null : (JSON.parse(body) as { error: { code: string; message: string } }).error;
}

test("batched(): each request is answered as alone", async () => {
  const [batched, execute] = withKey().batched();
  const user = batched.users.getById(app.mailbox);
  const list = user.calendars.select("name").top(2)();
  const one = user.calendars.getById(String(app.truth()[0]?.id))();
  const none = user.calendars.getById("none")();
  const refused = expect(none).rejects.toMatchObject({ status: 404 });
  await execute();
  expect(await list).toEqual(await calendars().select("name").top(2)());
  expect(await one).toMatchObject({ ...app.truth()[0] });
  await refused;
});

describe("a subscription", () => {
  const add = (change: object = {}) => {
    const { changeType, notificationUrl, resource, expirationDateTime, clientState } = wantedOf(app, change);
    const { subscriptions } = graphWith({ "x-functions-key": app.key }, BrowserFetch());
    return subscriptions.add(changeType, notificationUrl, resource, expirationDateTime, { clientState });
  };

  test("is created, listed, read, renewed and deleted", async () => {
    const { data, subscription } = await add();
    const { id, [secretName]: secret } = data as Item;
    expect(secret).toMatch(/^whsec_/);
    expect(await subscription()).toMatchObject({ id, notificationUrl: app.receiverUrl });
    expect((await withKey().subscriptions()).map((each) => each.id)).toContain(id);
    const expirationDateTime = later();
    await subscription.update({ expirationDateTime });
    expect(await subscription()).toMatchObject({ id, expirationDateTime });
    await subscription.delete();
    await expect(subscription()).rejects.toMatchObject({ status: 404 });
  });

  test.each(refusedSubscriptions)("%j is refused, as an HttpRequestError", async (change, code, message) => {
    const error = (await add(change).catch((error: unknown) => error)) as HttpRequestError;
    const said = codeAndMessage(error.message);
    expect([error.status, said]).toMatchObject([400, { code, message: expect.stringMatching(message) }]);
  });
});
