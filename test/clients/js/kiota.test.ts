import {
  type AdditionalDataHolder,
  type ApiError,
  ApiKeyAuthenticationProvider,
  ApiKeyLocation,
  type ErrorMappings,
  HttpMethod,
  type Parsable,
  type ParseNode,
  RequestInformation,
} from "@microsoft/kiota-abstractions";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import { RetryHandlerOptions } from "@microsoft/kiota-http-fetchlibrary";
import { createGraphServiceClient, GraphRequestAdapter } from "@microsoft/msgraph-sdk";
import {
  type Calendar,
  type CalendarCollectionResponse,
  createCalendarFromDiscriminatorValue,
  deserializeIntoCalendarCollectionResponse,
} from "@microsoft/msgraph-sdk/models/index.js";
import {
  createODataErrorFromDiscriminatorValue,
  type ODataError,
} from "@microsoft/msgraph-sdk/models/oDataErrors/index.js";
import { BatchRequestContent, type PageCollection, PageIterator } from "@microsoft/msgraph-sdk-core";
import "@microsoft/msgraph-sdk-subscriptions";
import "@microsoft/msgraph-sdk-users";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, groupId, startApp } from "./app.js";
import { refusalsOf } from "./refusals.js";
import { later, refusedSubscriptions, secretName, wantedOf } from "./subscriptions.js";

/** @microsoft/msgraph-sdk, msgraph-sdk-users, msgraph-sdk-subscriptions and msgraph-sdk-core, which Kiota generates: only base URL and sign-in are others. */
let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app?.stop());

const errors: ErrorMappings = { XXX: createODataErrorFromDiscriminatorValue };
const noRetry = new RetryHandlerOptions({ maxRetries: 0 });

function adapterWithKey(): GraphRequestAdapter {
  const key = new ApiKeyAuthenticationProvider(app.key, "x-functions-key", ApiKeyLocation.Header, new Set([app.host]));
  const adapter = new GraphRequestAdapter(key);
  adapter.baseUrl = app.base;
  return adapter;
}

/** The SDK is of v1.0 and has no delta of calendars; this is what Kiota would generate for it. */
type CalendarDelta = CalendarCollectionResponse & { odataDeltaLink?: string | undefined };
const createCalendarDelta =
  () =>
  (page: Partial<CalendarDelta> = {}) => ({
    ...deserializeIntoCalendarCollectionResponse(page),
    "@odata.deltaLink": (node: ParseNode) => {
      page.odataDeltaLink = node.getStringValue();
    },
  });

/** The SDK's own pages do not fit its iterator's type to the letter. */
function pagesFrom(first: unknown, take: (calendar: Calendar) => boolean) {
  return new PageIterator<Calendar>(
    adapterWithKey(),
    first as PageCollection<Calendar>,
    take,
    createCalendarDelta,
    errors,
  );
}

const user = () => createGraphServiceClient(adapterWithKey()).users.byUserId(app.mailbox);
const namesOf = (page: CalendarCollectionResponse | undefined) => page?.value?.map(({ name }) => name);

describe("a list", () => {
  test("is read page by page by PageIterator", async () => {
    const ids: unknown[] = [];
    const first = await user().calendars.get({ queryParameters: { top: 3 } });
    const take = ({ id }: Calendar) => ids.push(id) > 0;
    const pages = pagesFrom(first, take);
    await pages.iterate();
    expect(ids).toEqual(app.truth().map(({ id }) => id));
  });

  test("takes select and top", async () => {
    const page = await user().calendars.get({ queryParameters: { top: 2, select: ["name", "owner"] } });
    const expected = app.truth().slice(0, 2);
    expect(page?.value).toMatchObject(expected.map(({ id, name, owner }) => ({ id, name, owner })));
    expect(page?.value?.map(({ color }) => color)).toEqual([undefined, undefined]);
  });

  test("takes filter, orderby, skip and count", async () => {
    const queryParameters = { filter: "canEdit eq true", orderby: ["name desc"], skip: 1, count: true };
    const page = await user().calendars.get({ queryParameters });
    const names = app.truth().flatMap(({ canEdit, name }) => (canEdit === true ? [String(name)] : []));
    expect(page?.odataCount).toBe(names.length);
    expect(namesOf(page)).toEqual(names.sort().reverse().slice(1));
  });

  test("is counted", async () => {
    expect(await user().calendars.count.get()).toBe(app.truth().length);
  });
});

test("one calendar, the default calendar, and the groups are read", async () => {
  const [first] = app.truth();
  const calendar = await user().calendars.byCalendarId(String(first?.id)).get();
  expect(calendar).toMatchObject({ id: first?.id, name: first?.["name"], owner: first?.["owner"] });
  const standard = app.truth().find(({ isDefaultCalendar }) => isDefaultCalendar === true);
  expect(await user().calendar.get()).toMatchObject({ id: standard?.id, isDefaultCalendar: true });
  const groups = await user().calendarGroups.get();
  expect(groups?.value?.map(({ id }) => id)).toContain(groupId);
});

test("a signed-in user reads their own calendars, with a token for the allowed host", async () => {
  const credential = { getToken: async () => ({ token: app.token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  const scopes = ["api://mirror/.default"];
  const adapter = new GraphRequestAdapter(
    new AzureIdentityAuthenticationProvider(credential, scopes, undefined, new Set([app.host])),
  );
  adapter.baseUrl = app.base;
  const { me } = createGraphServiceClient(adapter);
  expect(namesOf(await me.calendars.get())).toEqual(app.truth().map(({ name }) => name));
});

test("I6: the delta is walked to its deltaLink and on, and the copy is what Graph has", async () => {
  const copy = new Map<unknown, unknown>();
  const take = ({ id, name, additionalData }: Calendar & AdditionalDataHolder) => {
    if (additionalData?.["@removed"] === undefined) copy.set(id, name);
    else copy.delete(id);
    return true;
  };
  const adapter = adapterWithKey();
  let from = `${app.base}/users/${app.mailbox}/calendars/delta`;
  for (let round = 0; round < 3; round++) {
    if (round > 0) await app.change();
    const request = new RequestInformation(HttpMethod.GET, from);
    request.headers.add("Prefer", "odata.maxpagesize=2");
    const first = await adapter.send<CalendarDelta & Parsable>(request, createCalendarDelta, errors);
    const pages = pagesFrom(first, take);
    await pages.iterate();
    from = String(pages.getOdataDeltaLink());
    expect([...copy].sort()).toEqual(
      app
        .truth()
        .map(({ id, name }) => [id, name])
        .sort(),
    );
  }
});

test("every refusal is an ODataError with status, code and message", async () => {
  const adapter = adapterWithKey();
  const seen: unknown[] = [];
  for (const { what, method, path, status, message } of refusalsOf(app)) {
    const url = path.startsWith("https:") ? path : `${app.base}${path}`;
    const request = new RequestInformation(HttpMethod[method]);
    request.URL = url;
    request.addRequestOptions([noRetry]);
    const answer: Promise<unknown> = adapter.send(request, createCalendarFromDiscriminatorValue, errors);
    const error = (await answer.catch((error: unknown) => error)) as Partial<ODataError & ApiError>;
    const main = error?.errorEscaped;
    const isRead = /^\w[\w-]+$/.test(main?.code ?? "") && message.test(main?.message ?? "");
    if (error?.responseStatusCode !== status || !isRead) seen.push([what, error?.responseStatusCode, main]);
  }
  expect(seen).toEqual([]);
});

test("$batch: each request is answered as alone, in the order of their dependencies", async () => {
  const adapter = adapterWithKey();
  const { calendars } = user();
  const batch = new BatchRequestContent(adapter, errors);
  const list = batch.addBatchRequest(calendars.toGetRequestInformation({ queryParameters: { top: 2 } }));
  const one = batch.addBatchRequest(
    calendars.byCalendarId(String(app.truth()[0]?.id)).toGetRequestInformation({ queryParameters: {} }),
  );
  one.dependsOn = [list.id];
  const none = batch.addBatchRequest(calendars.byCalendarId("none").toGetRequestInformation());
  none.dependsOn = [one.id];
  const answers = await batch.postAsync();
  expect([list, one, none].map(({ id }) => answers?.getResponseById(id)?.status)).toEqual([200, 200, 404]);
});

test("HEAD is answered like GET, without a body", async () => {
  const request = new RequestInformation(HttpMethod.HEAD);
  request.URL = `${app.base}/users/${app.mailbox}/calendars`;
  await adapterWithKey().sendNoResponseContent(request, errors);
});

describe("a subscription", () => {
  const subscriptions = () => createGraphServiceClient(adapterWithKey()).subscriptions;
  const wanted = (change: object = {}) => {
    const { expirationDateTime, ...others } = wantedOf(app, change);
    return { ...others, expirationDateTime: new Date(expirationDateTime) };
  };

  test("is created, listed, read, renewed, sent back whole, reauthorized and deleted", async () => {
    const created = await subscriptions().post(wanted());
    const { additionalData } = created as AdditionalDataHolder;
    expect(additionalData?.[secretName]).toMatch(/^whsec_/);
    const one = subscriptions().bySubscriptionId(created?.id ?? "");
    expect(await one.get()).toMatchObject({ notificationUrl: app.receiverUrl, changeType: created?.changeType });
    expect((await subscriptions().get())?.value?.map(({ id }) => id)).toContain(created?.id);
    const expirationDateTime = new Date(later());
    const renewed = await one.patch({ expirationDateTime });
    expect(renewed).toMatchObject({ id: created?.id, expirationDateTime });
    expect(await one.patch(renewed ?? {})).toMatchObject({ id: created?.id, expirationDateTime });
    await one.reauthorize.post();
    await one.delete();
    await expect(one.get()).rejects.toMatchObject({
      responseStatusCode: 404,
      errorEscaped: { code: "ResourceNotFound" },
    });
  });

  test.each(refusedSubscriptions)("%j is refused, as an ODataError", async (change, code, message) => {
    const error = (await subscriptions()
      .post(wanted(change))
      .catch((error: unknown) => error)) as ODataError & ApiError;
    expect(error.responseStatusCode).toBe(400);
    expect(error.errorEscaped).toMatchObject({ code, message: expect.stringMatching(message) });
  });
});
