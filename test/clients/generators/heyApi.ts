import assert from "node:assert/strict";
import { api, change, check, inDays, key, mailbox, root, unread, valuesAt, walk, wanted } from "./checks.js";
import { client } from "./client/client.gen.js";
import {
  createSubscription,
  type DeltaCalendar,
  deleteSubscription,
  deltaAllCalendars,
  deltaUserCalendars,
  getMailbox,
  getStatus,
  getSubscription,
  getUserCalendar,
  listSubscriptions,
  listUserCalendars,
  reauthorizeSubscription,
  updateSubscription,
} from "./client/index.js";

/** Over a client that @hey-api/openapi-ts generates from the description: it compiles, and reads what is there. */
client.setConfig({ baseUrl: api, auth: key });
const path = { id: mailbox };

await check("a list is read, and each item is typed", async () => {
  const { data } = await listUserCalendars({ path, query: { $top: 999 } });
  assert.deepEqual(data?.value, await valuesAt(`${root}/users/${mailbox}/calendars`));
  const owners: (string | null | undefined)[] = data?.value.map(({ owner }) => owner?.address) ?? [];
  assert.ok(owners.length > 0 && owners.every((address) => address?.includes("@")));
});

await check("the key goes into the header alone", async () => {
  const { request } = await listUserCalendars({ path });
  assert.deepEqual([request?.headers.get("x-functions-key"), request?.url.includes(key)], [key, false]);
});

await check("I6: changes are followed, and what is removed says so", async () => {
  const ask = async (query: { $deltatoken?: string; $skiptoken?: string }) =>
    (await deltaUserCalendars({ path, query })).data;
  const { token } = await walk<DeltaCalendar>(ask);
  await change();
  const { items } = await walk<DeltaCalendar>(ask, token);
  const removed = items.filter((item) => item["@removed"]?.reason === "deleted");
  const named = items.filter(({ name }) => typeof name === "string");
  assert.deepEqual([items.length, removed.length, named.length], [3, 1, 2]);
});

await check("a list takes its options, and is counted", async () => {
  const data = (await listUserCalendars({ path, query: { $filter: "canEdit eq true", $count: true } })).data;
  assert.ok(data?.value.every(({ canEdit }) => canEdit === true));
  assert.equal(data?.["@odata.count"], data?.value.length);
});

await check("changes of all mailboxes have their user", async () => {
  const { data } = await deltaAllCalendars();
  assert.ok(data?.value.every(({ userId }) => /^[0-9a-f-]{36}$/.test(userId)));
});

await check("operators' routes are typed: mailboxes and settings", async () => {
  const { data: one } = await getMailbox({ path });
  assert.deepEqual([one?.state, one?.roster?.source], ["fresh", "manual"]);
  const { data: status } = await getStatus();
  const shards: number | undefined = status?.settings.shards;
  assert.deepEqual([shards, status?.roster.held?.leaving], [4, undefined]);
});

await check("a subscription is created, listed, read, renewed, reauthorized and deleted", async () => {
  const { data: created } = await createSubscription({ body: wanted });
  assert.match(created?.["@calendarMirror.signingSecret"] ?? "", /^whsec_/);
  const one = { path: { subscriptionId: created?.id ?? "" } };
  assert.equal((await getSubscription(one)).data?.notificationUrl, wanted.notificationUrl);
  assert.ok((await listSubscriptions()).data?.value.some(({ id }) => id === created?.id));
  const expirationDateTime = inDays(3);
  const { data: renewed } = await updateSubscription({ ...one, body: { expirationDateTime } });
  assert.equal(renewed?.expirationDateTime, expirationDateTime);
  assert.equal((await reauthorizeSubscription(one)).response?.status, 204);
  assert.equal((await deleteSubscription(one)).response?.status, 204);
});

await check("404, 400 and 503 are ODataErrors with code and message", async () => {
  const given = [
    await getSubscription({ path: { subscriptionId: "none" } }),
    await createSubscription({ body: { ...wanted, changeType: "moved" } }),
    await getUserCalendar({ path: { ...path, calendarId: "none" } }),
    await listUserCalendars({ path, query: { $skiptoken: "none" } }),
    await listUserCalendars({ path: { id: unread } }),
  ];
  assert.deepEqual(
    given.map(({ response }) => response?.status),
    [404, 400, 404, 400, 503],
  );
  for (const { error } of given) {
    if (typeof error !== "object") throw new Error("It is no ODataError.");
    const { code, message, innerError } = error.error;
    assert.ok(code !== "" && message !== "" && innerError["request-id"] !== "");
  }
});

await check("401 of the host has no data, and an error without a body", async () => {
  const { data, error, response } = await getStatus({ auth: () => undefined });
  assert.deepEqual([data, error === undefined, response?.status], [undefined, false, 401]);
});
