import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import { api, change, check, inDays, key, mailbox, root, unread, valuesAt, walk, wanted } from "./checks.js";
import type { components, paths } from "./schema.js";

/** Over types that openapi-typescript generates from the description, with openapi-fetch: it compiles, and reads what is there. */
const client = createClient<paths>({ baseUrl: api, headers: { "x-functions-key": key } });
const path = { id: mailbox };
type DeltaCalendar = components["schemas"]["DeltaCalendar"];

await check("a list is read, and each item is typed", async () => {
  const { data } = await client.GET("/beta/users/{id}/calendars", { params: { path, query: { $top: 999 } } });
  assert.deepEqual(data?.value, await valuesAt(`${root}/users/${mailbox}/calendars`));
  const owners: (string | null | undefined)[] = data?.value.map(({ owner }) => owner?.address) ?? [];
  assert.ok(owners.length > 0 && owners.every((address) => address?.includes("@")));
});

await check("I6: changes are followed, and what is removed says so", async () => {
  const ask = async (query: { $deltatoken?: string; $skiptoken?: string }) =>
    (await client.GET("/beta/users/{id}/calendars/delta", { params: { path, query } })).data;
  const { token } = await walk<DeltaCalendar>(ask);
  await change();
  const { items } = await walk<DeltaCalendar>(ask, token);
  const removed = items.filter((item) => item["@removed"]?.reason === "deleted");
  const named = items.filter(({ name }) => typeof name === "string");
  assert.deepEqual([items.length, removed.length, named.length], [3, 1, 2]);
});

await check("a list takes its options, and is counted", async () => {
  const data = (
    await client.GET("/beta/users/{id}/calendars", {
      params: { path, query: { $filter: "canEdit eq true", $count: true } },
    })
  ).data;
  assert.ok(data?.value.every(({ canEdit }) => canEdit === true));
  assert.equal(data?.["@odata.count"], data?.value.length);
});

await check("changes of all mailboxes have their user", async () => {
  const { data } = await client.GET("/beta/users/getAllCalendars/delta");
  assert.ok(data?.value.every(({ userId }) => /^[0-9a-f-]{36}$/.test(userId)));
});

await check("operators' routes are typed: mailboxes and settings", async () => {
  const { data: one } = await client.GET("/mailboxes/{id}", { params: { path } });
  assert.deepEqual([one?.state, one?.roster?.source], ["fresh", "manual"]);
  const { data: status } = await client.GET("/status");
  const shards: number | undefined = status?.settings.shards;
  assert.deepEqual([shards, status?.roster.held?.leaving], [4, undefined]);
});

await check("a subscription is created, listed, read, renewed, reauthorized and deleted", async () => {
  const { data: created } = await client.POST("/beta/subscriptions", { body: wanted });
  assert.match(created?.["@calendarMirror.signingSecret"] ?? "", /^whsec_/);
  const one = { params: { path: { subscriptionId: created?.id ?? "" } } };
  const { data: read } = await client.GET("/beta/subscriptions/{subscriptionId}", one);
  assert.equal(read?.notificationUrl, wanted.notificationUrl);
  const { data: all } = await client.GET("/beta/subscriptions");
  assert.ok(all?.value.some(({ id }) => id === created?.id));
  const expirationDateTime = inDays(3);
  const body = { expirationDateTime };
  const { data: renewed } = await client.PATCH("/beta/subscriptions/{subscriptionId}", { ...one, body });
  assert.equal(renewed?.expirationDateTime, expirationDateTime);
  const reauthorized = await client.POST("/beta/subscriptions/{subscriptionId}/reauthorize", one);
  const deleted = await client.DELETE("/beta/subscriptions/{subscriptionId}", one);
  assert.deepEqual([reauthorized.response.status, deleted.response.status], [204, 204]);
});

await check("what a receiver is sent is typed", async () => {
  type Body = components["schemas"]["ChangeNotificationCollection"];
  const ids = ({ value }: Body) => value.map(({ resourceData }): string | undefined => resourceData?.id);
  const told = { subscriptionId: "", tenantId: "", subscriptionExpirationDateTime: wanted.expirationDateTime };
  const resourceData = { "@odata.type": "#Microsoft.Graph.Calendar", "@odata.id": "users/a/calendars/b", id: "b" };
  assert.deepEqual(
    ids({
      value: [
        { ...told, resourceData },
        { ...told, lifecycleEvent: "missed" },
      ],
    }),
    ["b", undefined],
  );
});

await check("404, 400 and 503 are ODataErrors with code and message", async () => {
  const given = [
    await client.GET("/beta/subscriptions/{subscriptionId}", { params: { path: { subscriptionId: "none" } } }),
    await client.POST("/beta/subscriptions", { body: { ...wanted, changeType: "moved" } }),
    await client.GET("/beta/users/{id}/calendars/{calendarId}", { params: { path: { ...path, calendarId: "none" } } }),
    await client.GET("/beta/users/{id}/calendars", { params: { path, query: { $skiptoken: "none" } } }),
    await client.GET("/beta/users/{id}/calendars", { params: { path: { id: unread } } }),
  ];
  assert.deepEqual(
    given.map(({ response }) => response.status),
    [404, 400, 404, 400, 503],
  );
  for (const { error } of given) {
    const { code, message, innerError } = (error as components["schemas"]["ODataError"]).error;
    assert.ok(code !== "" && message !== "" && innerError["request-id"] !== "");
  }
});

await check("401 of the host has no data, and an error without a body", async () => {
  const keyless = createClient<paths>({ baseUrl: api });
  const { data, error, response } = await keyless.GET("/status");
  assert.deepEqual([data, error || undefined, response.status], [undefined, undefined, 401]);
});
