import fc from "fast-check";
import { expect, test } from "vitest";
import { startUrl } from "../../shared/graph/links.js";
import { mailboxAsked } from "../../shared/http/askedMailbox.js";
import { userKey } from "../../shared/http/beta/mailbox.js";
import { betaPathOf } from "../../shared/http/beta/paths.js";
import { signedInUser } from "../../shared/http/beta/principal.js";
import { optionsOf, preferredPageSize, readOptionsOf, trackingTokenOf } from "../../shared/http/beta/queryOptions.js";
import { holdsVersion } from "../../shared/http/versions.js";
import { readSettings, SettingsError } from "../../shared/settings.js";
import { calendarKey, mailboxKey, shardOf } from "../../shared/store/keys.js";
import { mailboxIdOf } from "../../shared/sync/mailboxId.js";
import { calendarId, hostileJson, hostileText } from "./hostile.js";
import { fixedDraws, runs } from "./runs.js";

test("I8: a mailbox id that is taken can stand in keys and in Graph's paths as it is", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        hostileText,
        fc.uuid(),
        fc.uuid().map((id) => id.toUpperCase()),
        calendarId,
      ),
      (text) => {
        const named = mailboxIdOf(text, false);
        if ("mistake" in named) {
          expect(named.mistake).toMatch(/^The mailbox id .*\.$/);
          expect(named.mistake.length).toBeLessThan(200);
          return;
        }
        expect(mailboxIdOf(named.id, false)).toEqual(named);
        expect(mailboxKey(named.id)).toBe(`mailbox|${named.id}`);
        expect(startUrl(named.id, "delta")).toBe(`/users/${named.id}/calendars/delta`);
        expect(shardOf(named.id, 256)).toMatch(/^[0-9a-f]{2}$/);
      },
    ),
    runs(1000),
  );
});

test("I14: of what a path names the table is asked for nothing but an id, or a text that may be a name", async () => {
  const named = fc.tuple(hostileText, hostileText).map(([start, end]) => `${start}@${end}`);
  await fc.assert(
    fc.asyncProperty(fc.oneof(hostileText, named, fc.emailAddress()), fc.nat(2), async (plain, encodings) => {
      let user = plain.toWellFormed();
      for (let times = 0; times < encodings; times++) user = encodeURIComponent(user);
      const looked: string[] = [];
      const mailboxNamed = async (name: string) => {
        looked.push(name);
        return { kind: "mailbox", mailboxId: "id" } as const;
      };
      const asked = await mailboxAsked(user, { isTrial: false, mailboxNamed });
      if ("mistake" in asked) {
        expect([asked.mistake.length < 200, looked]).toEqual([true, []]);
        return;
      }
      if ("unknown" in asked) throw new Error("All names are known.");
      if (!asked.isByName) {
        expect([mailboxIdOf(asked.id, false), looked]).toEqual([{ id: asked.id }, []]);
        return;
      }
      expect(looked).toEqual([asked.user]);
      expect(asked.user).toMatch(/^[^\p{C}\p{Z}]*@[^\p{C}\p{Z}]*$/u);
      // Read back as OData reads a key: nothing of a name ends its quotes.
      const [, inside = ""] = /^'((?:[^']|'')*)'$/.exec(userKey(asked)) ?? [];
      expect(decodeURIComponent(inside).replaceAll("''", "'")).toBe(asked.user);
    }),
    runs(1000),
  );
});

const names = [
  "AzureWebJobsStorage",
  "AzureWebJobsStorage__accountName",
  "GRAPH_CLOUD",
  "GRAPH_API_VERSION",
  "GRAPH_ENDPOINT",
  "GRAPH_ACCESS_TOKEN",
  "GRAPH_BATCH_SIZE",
  "GRAPH_PAGE_SIZE",
  "SYNC_SCHEDULE",
  "SHARDS",
  "ROSTER",
  "AUDIT_DAYS",
  "TOMBSTONE_DAYS",
  "MIRROR_TABLE",
  "PAGES_QUEUE",
  "CHANGE_NUDGES",
] as const;
const plausible = fc.constantFrom(
  ...[
    "16",
    "0",
    "-1",
    "1e3",
    "20",
    "beta",
    "v1.0",
    "on",
    "off",
    "manual",
    "group:x",
    "http://127.0.0.1:1",
    "0 */5 * * * *",
  ],
  ...[
    "http://example.com",
    "https://user:pw@example.com/",
    "UseDevelopmentStorage=true",
    "a--b",
    "tables",
    "0.0000000001",
  ],
);

test("any environment gives settings or one error with every mistake, and no secret is repeated", () => {
  const environment = fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), fc.oneof(hostileText, plausible), { maxKeys: 4 }),
      hostileText,
      fc.boolean(),
    )
    .map(([some, secret, isStorageRight]) => {
      const hidden = `sec-${secret}-ret`;
      const storage = isStorageRight ? "UseDevelopmentStorage=true" : hidden;
      return { ...some, AzureWebJobsStorage: storage, GRAPH_ACCESS_TOKEN: hidden };
    });
  /** Null: refused. */
  const settingsOf = (given: Record<string, string>) => {
    try {
      return readSettings(given);
    } catch (error) {
      expect(error).toBeInstanceOf(SettingsError);
      expect((error as SettingsError).mistakes.length).toBeGreaterThan(0);
      expect((error as SettingsError).message).not.toContain(given["GRAPH_ACCESS_TOKEN"]);
      return null;
    }
  };
  fc.assert(
    fc.property(environment, (given) => {
      const settings = settingsOf(given);
      if (settings !== null) expect(settings.shards).toBeGreaterThanOrEqual(1);
    }),
    runs(500),
  );
  expect(fixedDraws(environment).filter((given) => settingsOf(given) !== null).length).toBeGreaterThan(10);
});

const parameters = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom("$select", "$top", "top", "$skiptoken", "$deltatoken", "$filter", "code", "$"),
      hostileText,
    ),
    fc.oneof(hostileText, fc.constantFrom("latest", "1", "0", "999", "1000", "id,name", "*", "__proto__")),
  ),
  { maxLength: 4 },
);

test("any query and any header is understood or refused, and none is a crash", () => {
  fc.assert(
    fc.property(parameters, hostileText, hostileJson, (pairs, header, claims) => {
      const url = new URL("https://mirror.example/api/beta/me/calendars");
      for (const [name, value] of pairs) url.searchParams.append(name, value);
      for (const answer of [
        optionsOf(url, ["$top"]),
        trackingTokenOf(url),
        readOptionsOf(url, ["$select", "$top", "$skiptoken"]),
      ]) {
        if (!("mistake" in answer)) continue;
        expect(answer.code).toMatch(/^[A-Za-z-]+$/);
      }
      const read = readOptionsOf(url, ["$select", "$top", "$skiptoken"]);
      if (!("mistake" in read) && read.top !== null) expect(read.top).toBeGreaterThan(0);
      const size = preferredPageSize(header);
      if (size !== null) expect(size >= 1 && size <= 999).toBe(true);
      expect(typeof holdsVersion(header, "v")).toBe("boolean");
      const principal = Buffer.from(JSON.stringify(claims)).toString("base64");
      const headers = new Map([
        ["x-ms-client-principal-idp", "aad"],
        ["x-ms-client-principal", principal],
      ]);
      expect(signedInUser({ get: (name) => headers.get(name) ?? null })).toBeNull();
    }),
    runs(500),
  );
});

test("an id in a path is read as its caller wrote it, encoded once or twice", () => {
  fc.assert(
    fc.property(calendarId, fc.boolean(), (id, isTwice) => {
      fc.pre(id.isWellFormed() && !/^(microsoft\.graph\.)?delta(\(\))?$/i.test(id) && !/^\.{1,2}$/.test(id));
      const once = encodeURIComponent(id);
      const segment = isTwice ? encodeURIComponent(once) : once;
      const url = `https://mirror.example/api/beta/users/u/calendars/${segment}`;
      const path = betaPathOf({ url, headers: new Headers() }, null);
      const target = path.kind === "mailbox" ? path.target : null;
      expect(target?.kind === "calendar" ? target.ids : []).toContain(id);
      expect(calendarKey("u", id).length).toBeLessThanOrEqual(512);
    }),
    runs(500),
  );
});
