import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeChain, headersOf, messagesOf, parseBody, traceOf } from "../../shared/graph/answer.js";
import { parseBatch } from "../../shared/graph/batch.js";
import { classify } from "../../shared/graph/classify.js";
import { createDirectoryClient } from "../../shared/graph/directory.js";
import { checkLink, homeLink, parseRoot } from "../../shared/graph/links.js";
import { parsePage } from "../../shared/graph/page.js";
import { claimsOf } from "../../shared/graph/policies.js";
import type { Answer, Transport } from "../../shared/graph/ports.js";
import { parseRetryAfter } from "../../shared/sync/retryAfter.js";
import { calendarId, hostileJson, hostileText } from "./hostile.js";
import { fixedDraws, runs } from "./runs.js";

const root = "https://graph.microsoft.com";
const mailboxId = "3f0c0000-0000-4000-8000-0000000000a1";
const nowMs = Date.UTC(2026, 0, 5);

/** Objects that nearly fit: the names that are read, with anything in them. */
const almost = (...names: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...names, "__proto__"), fc.oneof(hostileJson, hostileText), { maxKeys: 6 });

const item = fc.oneof(
  fc.record({ id: calendarId, name: hostileText }),
  almost("id", "name", "@removed"),
  hostileJson,
  fc.record({ id: calendarId, "@removed": fc.oneof(hostileJson, fc.record({ reason: hostileText })) }),
);
const page = fc.oneof(
  almost("value", "@odata.nextLink", "@odata.deltaLink", "error", "nextLink", "odata.nextLink"),
  fc.record(
    { value: fc.array(item, { maxLength: 4 }), "@odata.nextLink": hostileText, "@odata.deltaLink": hostileText },
    { requiredKeys: [] },
  ),
  hostileJson,
);

const answer: fc.Arbitrary<Answer> = fc.record({
  status: fc.integer({ min: 100, max: 599 }),
  headers: fc
    .array(
      fc.tuple(
        fc.constantFrom("Retry-After", "www-authenticate", "request-id", "x-ms-ags-diagnostic", "Location"),
        fc.oneof(hostileText, fc.integer(), fc.constant(null)),
      ),
    )
    .map(headersOf),
  body: fc.oneof(
    fc
      .oneof(page, almost("error", "code", "message", "innerError"))
      .map((value) => ({ shape: "json", value }) as const),
    fc.record({ error: almost("code", "message", "innererror", "innerError", "request-id") }).map((value) => {
      return { shape: "json", value } as const;
    }),
    hostileText.map(parseBody),
  ),
});

describe("I3: a page that Graph gave is believed whole, or not at all", () => {
  test.each(["delta", "list"] as const)("read as %s", (strategy) => {
    fc.assert(
      fc.property(page, (body) => {
        const outcome = parsePage(body, strategy);
        if (outcome.kind === "unreadable") {
          expect(outcome.code).toBe("malformedPage");
          return;
        }
        if (outcome.kind !== "page" && outcome.kind !== "lastPage") throw new Error(`A page is never ${outcome.kind}.`);
        const { value } = body as { value: unknown[] };
        expect(outcome.items.map(({ properties }) => properties)).toEqual(value);
        for (const { calendarId: id, properties } of outcome.items) {
          expect(id).not.toBe("");
          expect(id).toBe(properties["id"]);
        }
        const links = Object.entries(body as object).filter(([name, link]) => /link$/i.test(name) && link !== null);
        expect(links.length).toBeLessThanOrEqual(1);
        if (outcome.kind === "page" || strategy === "delta") expect(outcome.link).toBe(links[0]?.[1]);
      }),
      runs(1000),
    );
  });

  test("a body of a hundred thousand brackets is refused, not a crash", () => {
    const deep = `{"value":[{"id":"a","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}],"@odata.deltaLink":"d"}`;
    const body = parseBody(deep);
    const outcome = parsePage(body.shape === "json" ? body.value : null, "delta");
    expect(outcome).toMatchObject({ kind: "unreadable", code: "malformedPage" });
  });
});

test("I10: a batch answer gives as many items as were asked, each with a status that HTTP knows, or a word for why not", () => {
  const response = fc.oneof(
    fc.record({
      id: fc.constantFrom("1", "2", "3", "4", "01", "1e0", 1),
      status: fc.oneof(fc.integer(), fc.constantFrom(200, 410, 429)),
      body: page,
    }),
    almost("id", "status", "headers", "body"),
    hostileJson,
  );
  const body = fc.oneof(
    fc.record({ responses: fc.array(response, { maxLength: 5 }) }),
    almost("responses"),
    hostileJson,
  );
  const batch = fc.tuple(body, fc.integer({ min: 1, max: 20 }));
  const itemsOf = ([value, count]: readonly [unknown, number]) => parseBatch({ shape: "json", value }, count);
  fc.assert(
    fc.property(batch, (drawn) => {
      const items = itemsOf(drawn);
      if (items === null) return;
      expect(items).toHaveLength(drawn[1]);
      for (const one of items) {
        if (typeof one === "string") expect(["missing", "duplicate", "malformed"]).toContain(one);
        else expect(one.status >= 100 && one.status <= 599).toBe(true);
      }
    }),
    runs(500),
  );
  const answers = fixedDraws(batch).flatMap((drawn) => itemsOf(drawn) ?? []);
  expect(answers.filter((one) => typeof one !== "string").length).toBeGreaterThan(20);
});

test("I3, I7: whatever Graph answers has one meaning, which removes nothing and puts nothing strange into log lines", () => {
  const kinds = [
    ...["throttled", "transient", "unreadable", "resetSync", "linkRefused", "featureUnavailable"],
    ...["noMailbox", "denied", "authConfig", "mailboxFull"],
  ];
  fc.assert(
    fc.property(answer, fc.boolean(), (one, askedByLink) => {
      const failure = classify(one, askedByLink, nowMs);
      expect(kinds).toContain(failure.kind);
      const printed = [failure.code, ...codeChain(one), ...Object.values(traceOf(one))];
      for (const text of printed) if (text !== null) expect(text).toMatch(/^[\x20-\x7e]{1,300}$|^$/);
      if ("retryAfterMs" in failure && failure.retryAfterMs !== null)
        expect(failure.retryAfterMs).toBeGreaterThanOrEqual(0);
      expect(typeof messagesOf(one)).toBe("string");
    }),
    runs(1000),
  );
});

test("Retry-After is a number of milliseconds from now on, or it is not understood", () => {
  const header = fc.oneof(
    hostileText,
    fc.integer().map(String),
    fc.double().map(String),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    fc.constantFrom("1e9", "+5", "0x10", "Infinity", " 7 ", "99999999999999999999", "١٢"),
  );
  fc.assert(
    fc.property(header, (text) => {
      const waitMs = parseRetryAfter(text, nowMs);
      if (waitMs === null) return;
      expect(Number.isSafeInteger(waitMs) && waitMs >= 0).toBe(true);
      expect(text.trim()).toMatch(/^\d{1,9}(\.\d+)?$|^[A-Z][a-z]{2}, .* GMT$/);
    }),
    runs(1000),
  );
});

/** Links of ours with something wrong in one place, and texts that only look like links. */
const link = fc.oneof(
  hostileText,
  fc
    .tuple(
      fc.constantFrom("https://", "http://", "HTTPS://", "//", "https:/", "ftp://"),
      fc.constantFrom(
        ...["graph.microsoft.com", "GRAPH.microsoft.com:443", "graph.microsoft.com.", "graph.microsoft.com:"],
        ...[
          "user@graph.microsoft.com",
          "graph.microsoft.com@evil.example",
          "evil.example",
          "graph.microsoft.com%2eevil.example",
        ],
      ),
      fc.constantFrom("/beta", "/BETA", "/v1.0", "", "/beta/..", "/%2e%2e/beta"),
      fc.constantFrom(
        `/users/${mailboxId}`,
        `/users('${mailboxId.toUpperCase()}')`,
        "/users//",
        "/users/someone-else",
        "/me",
        hostileName(),
      ),
      fc.constantFrom(
        "/calendars/delta",
        "/Calendars/microsoft.graph.delta()",
        "/calendars",
        "/messages/delta",
        "/calendars/../../me",
      ),
      fc.oneof(
        fc.constantFrom("?$deltatoken=a.b", "?%24skiptoken=x", "?$skip=10", "?", "", "?$deltatoken="),
        hostileText,
      ),
    )
    .map((parts) => parts.join("")),
);

function hostileName(): string {
  return `/users/${encodeURIComponent("../../me")}`;
}

/** Links of ours as Graph gives them, at most one character of which was touched. */
const nearlyOurs = fc
  .tuple(
    fc.constantFrom("https://graph.microsoft.com", "https://graph.microsoft.com:443", "HTTPS://Graph.Microsoft.com"),
    fc.constantFrom(`/users/${mailboxId}`, `/users('${mailboxId}')`, `/Users/${mailboxId.toUpperCase()}`),
    fc.constantFrom("/calendars/delta?$deltatoken=", "/calendars/delta()?$skiptoken=", "/calendars?$skip="),
    fc.string({ unit: fc.constantFrom(..."aZ09-_.~%=&"), minLength: 1, maxLength: 40 }),
    fc.option(fc.tuple(fc.nat(200), fc.constantFrom("/", "@", "#", "\\", "..", "%2f", ":", "\t", "x"))),
  )
  .map(([root_, user, page_, token, touch]) => {
    const text = `${root_}/beta${user}${page_}${token}`;
    return touch === null ? text : text.slice(0, touch[0]) + touch[1] + text.slice(touch[0] + 1);
  });

test("I8: a link that is taken leads to the configured origin, to this mailbox, and nowhere else when URLs are parsed", () => {
  const asked = fc.tuple(fc.oneof(link, nearlyOurs), fc.constantFrom("delta", "list"));
  const checkedOf = ([text, strategy]: readonly [string, "delta" | "list"]) =>
    checkLink(text, { root, version: "beta", mailboxId, strategy });
  fc.assert(
    fc.property(asked, (drawn) => {
      const [text] = drawn;
      const checked = checkedOf(drawn);
      if (!checked.ok) return;
      const url = new URL(text);
      expect([url.origin, url.username, url.password, url.hash]).toEqual([root, "", "", ""]);
      expect(url.pathname + url.search).toBe(checked.rawTarget);
      const path = decodeURIComponent(url.pathname).toLowerCase();
      const about = [`/beta/users/${mailboxId}/calendars`, `/beta/users('${mailboxId}')/calendars`];
      expect(about.some((start) => path.startsWith(start))).toBe(true);
      expect(path.includes("..")).toBe(false);
      if (checked.batchUrl !== null) expect(`/beta${checked.batchUrl}`).toBe(checked.rawTarget);
    }),
    runs(3000),
  );
  expect(fixedDraws(asked).filter((drawn) => checkedOf(drawn).ok).length).toBeGreaterThan(100);
});

test("I8: what is taken for a root is an origin, by https or on loopback", () => {
  fc.assert(
    fc.property(fc.oneof(link, fc.webUrl(), hostileText), (text) => {
      let parsed: ReturnType<typeof parseRoot>;
      try {
        parsed = parseRoot(text);
      } catch (error) {
        expect((error as Error).message).toMatch(/^The Graph root (must be|may be)/);
        return;
      }
      expect(new URL(text).origin).toBe(parsed.origin);
      if (parsed.scheme === "http") expect(["localhost", "127.0.0.1", "::1"]).toContain(parsed.hostname);
    }),
    runs(1000),
  );
});

test("a claims challenge gives JSON, or nothing", () => {
  const challenge = fc.oneof(
    hostileText,
    fc
      .oneof(
        hostileJson.map((value) => JSON.stringify(value)),
        hostileText,
      )
      .map((text) => {
        return `Bearer realm="", error="insufficient_claims", claims="${Buffer.from(text).toString("base64")}"`;
      }),
  );
  fc.assert(
    fc.property(challenge, (text) => {
      const claims = claimsOf(text);
      if (claims !== null) expect(() => JSON.parse(claims)).not.toThrow();
    }),
    runs(500),
  );
});

describe("the directory", () => {
  /** A directory whose next answer is this one. */
  const clientOver = (next: Answer) => {
    const calls: string[] = [];
    const transport: Transport = {
      send: async ({ rawTarget }) => {
        calls.push(rawTarget);
        return { requests: 1, clientRequestId: "id", kind: "answer", answer: next };
      },
      hasOtherToken: async () => true,
      nextRequestId: () => "id",
      batchHealth: { refusalsInARow: 0, pausedUntilMs: 0, patienceMs: null, cutInARow: 0 },
      close: () => undefined,
    };
    const logged: unknown[] = [];
    const log = (...line: unknown[]) => logged.push(line);
    const settings = { root, version: "beta" };
    const client = createDirectoryClient({ settings, transport, clock: { nowMs: () => nowMs }, log });
    return { client, logged, calls };
  };
  const user = fc.oneof(
    fc.record(
      { id: fc.oneof(hostileText, fc.uuid()), mail: hostileText, "@removed": hostileJson },
      { requiredKeys: ["id"] },
    ),
    almost("id", "mail", "accountEnabled", "userType", "@removed", "userPrincipalName", "displayName"),
    hostileJson,
  );
  const users = fc.oneof(
    fc.record(
      { value: fc.array(user, { maxLength: 4 }), "@odata.nextLink": link, "@odata.deltaLink": link },
      { requiredKeys: ["value"] },
    ),
    almost("value", "@odata.nextLink", "@odata.deltaLink", "error"),
  );

  test.each([
    ["all users", { kind: "directory" }],
    ["a group's members", { kind: "group", groupId: mailboxId }],
  ] as const)("I3: a page of %s is read whole, or fails", async (_what, source) => {
    await fc.assert(
      fc.asyncProperty(users, async (value) => {
        const { client } = clientOver({ status: 200, headers: new Map(), body: { shape: "json", value } });
        const outcome = await client.page(source, null);
        if (outcome.kind !== "page") {
          expect(["failed", "resetSync"]).toContain(outcome.kind);
          return;
        }
        for (const { id } of outcome.items) expect(id).toMatch(/^[\w.-]+$/);
        expect(outcome.items.length).toBeLessThanOrEqual((value as { value: unknown[] }).value.length);
      }),
      runs(500),
    );
  });

  test.each(["", "\ud800", "a/b", "'; DROP", "a".repeat(129)])("I3: a user named %j fails the page", async (id) => {
    const value = {
      value: [{ id, mail: "a@example.com" }],
      "@odata.deltaLink": `${root}/beta/users/delta?$deltatoken=x`,
    };
    const { client } = clientOver({ status: 200, headers: new Map(), body: { shape: "json", value } });
    expect(await client.page({ kind: "directory" }, null)).toMatchObject({ kind: "failed", code: "malformedPage" });
  });

  test("I8: a stored link is asked only where it leads home, to users or members", async () => {
    const targets: string[] = [];
    const home = fc.constantFrom(
      `${root}/beta/users/delta?$skiptoken=x`,
      `${root}/beta/groups/${mailboxId}/transitiveMembers/microsoft.graph.user?$skiptoken=x`,
      `${root}/beta/users/${mailboxId}/messages?$skiptoken=x`,
      "https://evil.example/beta/users/delta?$skiptoken=x",
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(link, home), fc.boolean(), async (text, isGroup) => {
        const { client, calls } = clientOver({ status: 503, headers: new Map(), body: { shape: "empty" } });
        const outcome = await client.page(
          isGroup ? { kind: "group", groupId: mailboxId } : { kind: "directory" },
          text,
        );
        expect(["failed", "resetSync"]).toContain(outcome.kind);
        for (const target of calls) {
          targets.push(target);
          expect(homeLink(text, root, "beta")).not.toHaveProperty("why");
          expect(new URL(text).pathname + new URL(text).search).toBe(target);
          expect(target.toLowerCase()).toMatch(/^\/beta\/(users\/|groups\/)/);
          expect(target).not.toContain("messages");
        }
      }),
      { ...runs(500), examples: [[`${root}/beta/users/delta?$skiptoken=x`, false]] },
    );
    expect(targets.length).toBeGreaterThan(0);
  });

  test("any other answer is a failure or a lost sync state, and repeats nothing strange", async () => {
    await fc.assert(
      fc.asyncProperty(answer, async (one) => {
        fc.pre(one.status !== 200);
        const { client, logged } = clientOver(one);
        const outcome = await client.page({ kind: "directory" }, null);
        expect(["failed", "resetSync"]).toContain(outcome.kind);
        expect(["unknown", "denied", "failed"]).toContain((await client.user(mailboxId)).kind);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
        expect(JSON.stringify(logged)).not.toMatch(/\\u00[01]|[\x00-\x1f]/);
      }),
      runs(500),
    );
  });
});
