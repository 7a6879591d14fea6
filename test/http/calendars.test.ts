import { describe, expect, test } from "vitest";
import { StorageError } from "../../shared/store/store.js";
import type { Checkpoint } from "../../shared/sync/types.js";
import { invocationId, origin, routesOver } from "../worlds/http.js";
import { mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";
import { minuteMs } from "../worlds/parts.js";

const guid = "3f0c2d1e-aaaa-4bbb-8ccc-1234567890a1";
const calendars = `/users/${mailboxId}/calendars`;
const context = `${origin}/api/beta/$metadata#`;

async function opened(names: Readonly<Record<string, string>> = { a: "A", b: "B", c: "C" }) {
  const world = await worldWith(names);
  return { world, ...routesOver(world.store, () => world.clock.ms) };
}

describe("the wire format", () => {
  test("a list, a calendar and a delta page are as on Graph's own pages", async () => {
    const { world, ask } = await opened({ a: "A" });
    await world.page([{ id: "b", name: "B" }]);
    const delta = await ask(`${calendars}/delta`);
    await world.page([{ id: "b", name: null }]);
    expect((await ask(calendars)).body).toEqual({
      "@odata.context": `${context}users('adele')/calendars`,
      value: [{ id: "a", name: "A" }],
    });
    expect((await ask(`${calendars}/a`)).body).toEqual({
      "@odata.context": `${context}users('adele')/calendars/$entity`,
      id: "a",
      name: "A",
    });
    const type = { "@odata.type": "#microsoft.graph.calendar" };
    expect(delta.body).toEqual({
      "@odata.context": `${context}Collection(calendar)`,
      value: [
        { ...type, id: "a", name: "A" },
        { ...type, id: "b", name: "B" },
      ],
      "@odata.deltaLink": expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:7071\/api\/beta\/users\/adele\/calendars\/delta\?\$deltatoken=/,
      ),
    });
    expect((await ask(String(delta.body["@odata.deltaLink"]))).body.value).toEqual([
      { ...type, id: "b", "@removed": { reason: "deleted" } },
    ]);
  });

  test("properties that we don't know are kept; what OData said about the item is said anew", async () => {
    const { world, ask } = await opened();
    const held = await world.held();
    const properties = { id: "a", new: { deep: [1, null] }, "new@odata.type": "x", other: null };
    const [row] = await world.store.readCalendars(mailboxId);
    if (row === undefined) throw new Error("No row.");
    const resource = { "@odata.type": "#graph.calendar", "@odata.etag": 'W/"1"', ...properties };
    const next = { ...held.checkpoint, sequence: 9 };
    await world.store.commitUnits([{ held, rows: [{ ...row, resource, sequence: 9 }], next }], null);
    const { "@odata.context": _context, ...read } = (await ask(`${calendars}/a`)).body;
    expect(read).toEqual(properties);
    const changed = (await ask(`${calendars}/delta`)).body.value.at(-1);
    expect(changed).toEqual({ "@odata.type": "#microsoft.graph.calendar", ...properties });
    const { other: _other, ...selected } = properties;
    expect((await ask(`${calendars}?$select=new`)).body.value[0]).toEqual(selected);
  });

  test("links are of the host, path and scheme that the caller used, and never hold the function key", async () => {
    const { ask } = await opened();
    const url = `https://mirror.example/api/beta/users/${mailboxId}/calendars`;
    const list = await ask(`${url}?code=secret&$top=1`);
    expect(list.body["@odata.nextLink"]).toMatch(
      /^https:\/\/mirror\.example\/api\/beta\/users\/adele\/calendars\?\$top=1&/,
    );
    const delta = await ask(`http://mirror.example/api/BETA/Users/${mailboxId}/calendars/delta()?code=secret`, {
      "x-forwarded-proto": "https",
    });
    expect(delta.body["@odata.deltaLink"]).toMatch(
      /^https:\/\/mirror\.example\/api\/BETA\/Users\/adele\/calendars\/delta\?/,
    );
    expect(JSON.stringify([list.body, delta.body])).not.toContain("secret");
  });

  test.each(["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()", "delta%28%29", "delta/"])(
    "%s is the delta function",
    async (spelling) => {
      const { ask } = await opened();
      expect((await ask(`${calendars}/${spelling}`)).body).toHaveProperty(["@odata.deltaLink"]);
    },
  );
});

describe("paging", () => {
  test("a list goes by $top or by the preferred size, whichever is less, and its options go along", async () => {
    const { ask } = await opened();
    const first = await ask(`${calendars}?$top=2&$select=name`, {
      prefer: 'IdType="ImmutableId", odata.maxpagesize=50',
    });
    expect(first.headers).toMatchObject({ "preference-applied": "odata.maxpagesize=50" });
    expect(first.body.value.length).toBe(2);
    const second = await ask(String(first.body["@odata.nextLink"]));
    expect(second.body).toEqual({
      "@odata.context": `${context}users('adele')/calendars(name)`,
      value: [{ id: "c", name: "C" }],
    });
    expect((await ask(`${calendars}?$top=3`, { prefer: "odata.maxpagesize=1" })).body.value.length).toBe(1);
  });

  test("the delta feed goes by the preferred size alone", async () => {
    const { ask } = await opened();
    const first = await ask(`${calendars}/delta`, { prefer: "odata.maxpagesize=2" });
    expect(first.body.value.length).toBe(2);
    const second = await ask(String(first.body["@odata.nextLink"]), { prefer: "odata.maxpagesize=2" });
    expect(second.body.value.length).toBe(1);
    expect(second.body).toHaveProperty(["@odata.deltaLink"]);
  });

  test.each(["0", "odata.maxpagesize=0", "maxpagesize=x", "xodata.maxpagesize=1"])(
    "an unreadable preference is passed over: %s",
    async (prefer) => {
      const { ask } = await opened();
      const { body, headers } = await ask(calendars, { prefer });
      expect([body.value.length, headers["preference-applied"]]).toEqual([3, undefined]);
    },
  );
});

describe("what is refused", () => {
  test.each([
    "$select=name",
    "$top=5",
    "$filter=x",
    "$orderby=name",
    "$expand=events",
    "$search=x",
    "$count=true",
    "$skip=1",
    "top=5",
    "$deltatoken=latest&$deltatoken=latest",
    "$deltatoken=latest&$skiptoken=x",
    "$Top=5",
    "$unknown=1",
  ])("delta with %s", async (query) => {
    const { ask } = await opened();
    const { status, body } = await ask(`${calendars}/delta?${query}`);
    expect([status, body.error.code]).toEqual([400, "ErrorInvalidUrlQuery"]);
  });

  test.each([
    "$expand=events",
    "$search=x",
    "search=x",
    "$count=yes",
    "$skip=-1",
    "$skip=1e3",
    "$format=atom",
    "$deltatoken=x",
    "$top=0",
    "$top=1000",
    "$top=-1",
    "$top=x",
    "$top=1&$top=1",
    "$select=a&$select=b",
  ])("a list with %s", async (query) => {
    const { ask } = await opened();
    const { status, body } = await ask(`${calendars}?${query}`);
    expect([status, body.error.code]).toEqual([400, "ErrorInvalidUrlQuery"]);
  });

  test.each(["$select=", "$select=@removed", "$select=owner/x", "$select=name,,id"])(
    "a list with %s",
    async (query) => {
      const { ask } = await opened();
      expect((await ask(`${calendars}?${query}`)).body.error.code).toBe("RequestBroker--ParseUri");
    },
  );

  test.each(["$top=5", "$skiptoken=x"])("a calendar with %s", async (query) => {
    const { ask } = await opened();
    expect((await ask(`${calendars}/a?${query}`)).body.error.code).toBe("ErrorInvalidUrlQuery");
  });

  test("parameters without a dollar sign that mean nothing to OData pass", async () => {
    const { ask } = await opened();
    expect((await ask(`${calendars}/delta?code=k&clientId=x&cache=1`)).status).toBe(200);
  });

  test.each(["", "x", "A.B", "%00"])("a token that is none: %j", async (token) => {
    const { ask } = await opened();
    for (const url of [`${calendars}/delta?$deltatoken=${token}`, `${calendars}?$skiptoken=${token}`]) {
      const { status, body } = await ask(url);
      expect([status, body.error]).toMatchObject([400, { code: "syncStateInvalid", message: "Badly formed token." }]);
    }
  });

  test("a token that has expired, with the place to start over", async () => {
    const { world, ask } = await opened();
    const { body } = await ask(`${calendars}/delta`);
    await world.page([{ id: "a", name: null }]);
    await world.retire();
    const expired = await ask(String(body["@odata.deltaLink"]));
    expect([expired.status, expired.body.error.code]).toEqual([410, "syncStateNotFound"]);
    expect(expired.headers).toMatchObject({ location: `${origin}/api/beta${calendars}/delta` });
    expect((await ask(expired.headers["location"] ?? "")).status).toBe(200);
  });

  test("a mailbox and a calendar that are not there", async () => {
    const { world, ask } = await opened();
    await world.page([{ id: "b", name: null }]);
    for (const url of [
      "/users/nobody/calendars",
      "/users/adele@contoso.com/calendars/delta",
      "/users/a%2Fb/calendars/x",
    ]) {
      expect([(await ask(url)).status, (await ask(url)).body.error.code]).toEqual([404, "ResourceNotFound"]);
    }
    for (const id of ["b", "none", "a/x", "%"]) {
      const { status, body } = await ask(`${calendars}/${id}`);
      expect([status, body.error.code]).toEqual([404, "ErrorItemNotFound"]);
    }
  });

  test("I3: a mailbox whose first full round has not ended is 503 with Retry-After, and never an empty list", async () => {
    const world = await mailboxWorld();
    await world.add();
    await world.page([{ id: "a", name: "A" }], false);
    const { ask } = routesOver(world.store, () => world.clock.ms);
    for (const url of [calendars, `${calendars}/a`, `${calendars}/delta`]) {
      const { status, headers, body } = await ask(url);
      expect([status, headers["retry-after"], body.error.code]).toEqual([503, "30", "serviceNotAvailable"]);
    }
  });

  test("trouble with the storage is 503; a row that cannot be read is 500; both say no more than that", async () => {
    const { world } = await opened();
    const down = {
      ...world.store,
      readMailbox: () => Promise.reject(new StorageError("get", "00", 503, "ServerBusy")),
    };
    expect((await routesOver(down, () => 0).ask(calendars)).body.error.code).toBe("serviceNotAvailable");
    const stored = await world.table.get("00", `calendar|${mailboxId}|a`);
    const columns = { ...stored?.columns, resource: "no JSON" };
    await world.table.transact("00", [{ kind: "upsert", rowKey: `calendar|${mailboxId}|a`, columns }]);
    const { status, body } = await routesOver(world.store, () => 0).ask(`${calendars}/delta`);
    expect([status, body.error.code]).toEqual([500, "generalException"]);
    expect(JSON.stringify(body)).not.toContain("no JSON");
  });
});

describe("ids in the path", () => {
  const ids = ["AAMk/AB+CD==", "a%2Fb", "100%", "a b", "x'y(z)", "ünï", "deltas", "a?b#c", "%41"];

  test.each(ids)("%s is found, however the front end has decoded it, and encoded twice", async (id) => {
    const { ask } = await opened({ [id]: "found" });
    const once = encodeURIComponent(id);
    for (const path of [once, once.replaceAll("%2F", "/"), encodeURIComponent(once)]) {
      expect((await ask(`${calendars}/${path}`)).body, path).toMatchObject({ id, name: "found" });
    }
  });

  test("where both readings of an id are calendars, the plain one counts", async () => {
    const { ask } = await opened({ "a%2Fb": "plain", "a/b": "decoded" });
    expect((await ask(`${calendars}/a%252Fb`)).body).toMatchObject({ name: "plain" });
  });
});

describe("freshness and versions", () => {
  test("every read says how old the copy is and how the mailbox stands", async () => {
    const { world, ask } = await opened();
    world.clock.ms += 90_500;
    for (const url of [calendars, `${calendars}/a`, `${calendars}/delta`]) {
      const { headers } = await ask(url);
      expect(headers).toMatchObject({ age: "90", "x-mirror-state": "fresh", "odata-version": "4.0" });
      expect(headers["x-mirror-last-success"]).toBe(new Date(world.clock.ms - 90_500).toISOString());
    }
    const held = await world.held();
    const next = { ...held.checkpoint, parkedReason: "denied:ErrorAccessDenied" };
    await world.store.commitUnits([{ held, rows: [], next }], null);
    expect((await ask(calendars)).headers).toMatchObject({ "x-mirror-state": "parked" });
  });

  test("every read says of which kind the mailbox is, and what the directory calls it now, whatever that is", async () => {
    const { world, ask } = await opened();
    const told = async (displayName: string | null, userPrincipalName: string | null) => {
      const held = await world.held();
      const next: Checkpoint = { ...held.checkpoint, displayName, userPrincipalName, mailboxKind: "room" };
      await world.store.commitUnits([{ held, rows: [], next }], null);
      const answers = [];
      for (const url of [calendars, `${calendars}/a`, `${calendars}/delta`]) answers.push((await ask(url)).headers);
      return answers;
    };
    for (const headers of await told("Room 4 (Łódź)", "room.4@contoso.example")) {
      expect(headers).toMatchObject({
        "x-mirror-kind": "room",
        "x-mirror-display-name": "UTF-8''Room%204%20%28%C5%81%C3%B3d%C5%BA%29",
        "x-mirror-user-principal-name": "UTF-8''room.4%40contoso.example",
      });
    }
    for (const headers of await told(null, null)) {
      expect(Object.keys(headers).filter((name) => name.endsWith("-name"))).toEqual([]);
    }
    const hostile = `x\r\nset-cookie: a=b; "q", 'p' * \u0000 \u{1f600}`;
    for (const headers of await told(hostile, "\ud800")) {
      const name = headers["x-mirror-display-name"] ?? "";
      expect(name).toMatch(/^UTF-8''[\w!#$&+.^`|~%-]+$/);
      expect(decodeURIComponent(name.slice("UTF-8''".length))).toBe(hostile);
      expect(headers["x-mirror-user-principal-name"]).toBe("UTF-8''%EF%BF%BD");
    }
  });

  test("a caller that holds the version is answered 304, until something changes", async () => {
    const { world, ask } = await opened();
    for (const url of [calendars, `${calendars}/a`]) {
      const { etag = "" } = (await ask(url)).headers;
      expect(etag).toMatch(/^W\/"[\w-]{22}"$/);
      for (const held of [etag, etag.slice(2), `"x", ${etag}`, "*"]) {
        const { status, headers, body } = await ask(url, { "if-none-match": held });
        expect([status, headers["etag"], body]).toEqual([304, etag, {}]);
      }
      world.clock.ms += minuteMs;
      await world.page([{ id: "a", name: `A ${world.clock.ms}` }]);
      expect((await ask(url, { "if-none-match": etag })).status).toBe(200);
    }
    const { etag = "" } = (await ask(calendars)).headers;
    expect((await ask(calendars, { "if-none-match": etag, prefer: "odata.maxpagesize=1" })).status).toBe(200);
  });

  test("errors and delta pages may not be kept, reads must be asked again", async () => {
    const { ask } = await opened();
    expect((await ask(`${calendars}/none`)).headers["cache-control"]).toBe("no-store");
    expect((await ask(`${calendars}/delta`)).headers["cache-control"]).toBe("no-store");
    expect((await ask(calendars)).headers["cache-control"]).toBe("private, no-cache");
  });
});

describe("names of requests", () => {
  test("every answer carries our id, and an error says when and which; a caller's own id must be a GUID", async () => {
    const { ask } = await opened();
    expect((await ask(calendars, { "client-request-id": guid })).headers).toMatchObject({
      "request-id": invocationId,
      "client-request-id": guid,
    });
    const refused = await ask(`${calendars}/none`, { "client-request-id": guid });
    expect(refused.body.error.innerError).toEqual({
      date: "2026-10-08T12:00:00",
      "request-id": invocationId,
      "client-request-id": guid,
    });
    const forged = await ask(`${calendars}/none`, { "client-request-id": "<script>" });
    expect(forged.headers).not.toHaveProperty("client-request-id");
    expect(JSON.stringify(forged)).not.toContain("script");
  });
});
