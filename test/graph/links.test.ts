import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { clouds } from "../../shared/graph/clouds.js";
import { checkLink, type LinkScope, parseRoot, startUrl } from "../../shared/graph/links.js";

const id = "3f0c6a0e-1b2c-4d5e-8f90-a1b2c3d4e5a1";
const scope: LinkScope = { root: "https://graph.microsoft.com", version: "beta", mailboxId: id, strategy: "delta" };
const home = "https://graph.microsoft.com/beta";
const delta = `/users/${id}/calendars/delta?$deltatoken=d.1`;
const check = (link: string, other: Partial<LinkScope> = {}) => checkLink(link, { ...scope, ...other });

describe("a link of ours is asked byte for byte", () => {
  test.each([
    delta,
    `/users/${id.toUpperCase()}/calendars/delta?$deltatoken=d.1`,
    `/users('${id}')/calendars/delta?$skiptoken=s.1`,
    `/Users(%27${id}%27)/Calendars/Delta?$skiptoken=s.1`,
    `/users/${id}/calendars/delta()?$deltatoken=d.1`,
    `/users/${id}/calendars/microsoft.graph.delta?$deltatoken=d.1`,
    `/users/${id}/calendars/microsoft.graph.delta()?$deltatoken=d.1`,
    `/users/${id.replace("3", "%33")}/calendars/delta?%24deltatoken=d.1`,
    `/users/${id}/calendars/delta?$DeltaToken=d.1`,
    `/users/${id}/calendars/delta?$deltatoken=a'b%2Bc%3dd.e=%20f`,
    `/users/${id}/calendars/delta?$select=id&$skiptoken=s.1`,
  ])("%s", (target) => {
    expect(check(`${home}${target}`)).toEqual({ ok: true, batchUrl: target, rawTarget: `/beta${target}` });
  });

  test("with the host in any case and its default port", () => {
    const link = `HTTPS://Graph.Microsoft.COM:443/beta${delta}`;
    expect(check(link)).toEqual({ ok: true, batchUrl: delta, rawTarget: `/beta${delta}` });
  });

  test("with a version in another case only by itself, not in a batch", () => {
    expect(check(`https://graph.microsoft.com/Beta${delta}`)).toEqual({
      ok: true,
      batchUrl: null,
      rawTarget: `/Beta${delta}`,
    });
  });

  test("of the signed-in user", () => {
    const target = "/me/calendars/delta?$deltatoken=d.1";
    expect(check(`${home}${target}`, { mailboxId: "me" })).toEqual({
      ok: true,
      batchUrl: target,
      rawTarget: `/beta${target}`,
    });
  });

  test("of a user name with an apostrophe, doubled or escaped", () => {
    const mailboxId = "o'neil@contoso.example";
    for (const user of [
      "users('o''neil@contoso.example')",
      "users/o%27neil%40contoso.example",
      "users/o'neil@contoso.example",
    ]) {
      expect(check(`${home}/${user}/calendars/delta?$deltatoken=d.1`, { mailboxId })).toMatchObject({ ok: true });
    }
  });

  test.each(["$skip=10", "$skiptoken=s.1", "%24skip=10", "$top=10&$skip=10"])("of a list, by %s", (query) => {
    const target = `/users/${id}/calendars?${query}`;
    expect(check(`${home}${target}`, { strategy: "list" })).toEqual({
      ok: true,
      batchUrl: target,
      rawTarget: `/beta${target}`,
    });
  });

  test("of a simulator on loopback", () => {
    const link = `http://127.0.0.1:8090/beta${delta}`;
    expect(check(link, { root: "http://127.0.0.1:8090" })).toMatchObject({ ok: true, rawTarget: `/beta${delta}` });
  });
});

describe("I8: a link that does not belong here is refused, and the refusal does not show the link", () => {
  test.each([
    ["host", `https://evil.example/beta${delta}`],
    ["host", `https://graph.microsoft.com.evil.example/beta${delta}`],
    ["host", `https://graph.microsoft.us/beta${delta}`],
    ["host", `https://graph.microsoft.com./beta${delta}`],
    ["host", `https://graph.microsoft.com:8443/beta${delta}`],
    ["host", `https://graph.microsoft.com:/beta${delta}`],
    ["host", `https://graph.microsoft.com:0443/beta${delta}`],
    ["host", `https://graph.microsoft.com@evil.example/beta${delta}`],
    ["host", `https://evil@graph.microsoft.com/beta${delta}`],
    ["host", `https://user:pass@graph.microsoft.com/beta${delta}`],
    ["host", `https://graph.microsoft.com%2eevil.example/beta${delta}`],
    ["host", `https://graph%2emicrosoft.com/beta${delta}`],
    ["host", `https:///beta${delta}`],
    ["characters", `https://graph.m\u0456crosoft.com/beta${delta}`],
    ["characters", `https://graph\u3002microsoft\u3002com/beta${delta}`],
    ["characters", `https://graph.microsoft.com\\@evil.example/beta${delta}`],
    ["characters", `https://graph.microsoft.com/beta\\..${delta}`],
    ["characters", `${home}${delta}#fragment`],
    ["characters", `${home}${delta} `],
    ["characters", ` ${home}${delta}`],
    ["characters", `${home}${delta}\r\nHost: evil.example`],
    ["characters", `${home}${delta}\t`],
    ["characters", `${home}${delta}\u0000`],
    ["characters", ""],
    ["scheme", `http://graph.microsoft.com/beta${delta}`],
    ["scheme", `ftp://graph.microsoft.com/beta${delta}`],
    ["notAbsolute", `//evil.example/beta${delta}`],
    ["notAbsolute", "@evil"],
    ["notAbsolute", `/beta${delta}`],
    ["notAbsolute", `javascript:alert(1)?$deltatoken=d`],
    ["notAbsolute", `https:graph.microsoft.com/beta${delta}`],
    ["notAbsolute", `${home}/users/${id}/calendars/delta`],
    ["notAbsolute", `https://graph.microsoft.com?$deltatoken=d.1`],
    ["version", `https://graph.microsoft.com/v1.0${delta}`],
    ["version", `https://graph.microsoft.com//beta${delta}`],
    ["version", `https://graph.microsoft.com${delta}`],
    ["dotSegments", `${home}/../beta${delta}`],
    ["dotSegments", `${home}/./users/${id}/calendars/delta?$deltatoken=d.1`],
    ["dotSegments", `${home}/users/${id}/%2E%2e/${id}/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/users//calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/users('')/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}//users/${id}/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/users/00000000-0000-0000-0000-000000000000/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/users/%ff/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/me/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/users%2f${id}/calendars/delta?$deltatoken=d.1`],
    ["mailbox", `${home}/groups/${id}/calendars/delta?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/calendars%2fdelta?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/calendars/delta/?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/calendars?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/events/delta?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/calendars/delta(token='x')?$deltatoken=d.1`],
    ["path", `${home}/users/${id}/calendars//delta?$deltatoken=d.1`],
    ["token", `${home}/users/${id}/calendars/delta?`],
    ["token", `${home}/users/${id}/calendars/delta?$select=id`],
    ["token", `${home}/users/${id}/calendars/delta?$deltatoken=`],
    ["token", `${home}/users/${id}/calendars/delta?$deltatoken`],
    ["token", `${home}/users/${id}/calendars/delta?deltatoken=d.1`],
    ["token", `${home}/users/${id}/calendars/delta?x$deltatoken=d.1`],
    ["tooLong", `${home}${delta}${"x".repeat(16_000)}`],
  ])("%s: %s", (why, link) => {
    expect(check(link)).toEqual({ ok: false, why });
  });

  test("user segment: the id of another user that only looks like ours when lowered", () => {
    expect(check(`${home}/users/%E2%84%AAim/calendars/delta?$deltatoken=d`, { mailboxId: "kim" })).toEqual({
      ok: false,
      why: "mailbox",
    });
  });

  test("a delta link where a list page is due, a list link where delta is", () => {
    expect(check(`${home}${delta}`, { strategy: "list" })).toEqual({ ok: false, why: "path" });
    expect(check(`${home}/users/${id}/calendars?$skip=10`)).toEqual({ ok: false, why: "path" });
  });

  test("users/me is not the signed-in user's own link", () => {
    expect(check(`${home}/users/me/calendars/delta?$deltatoken=d`, { mailboxId: "me" })).toEqual({
      ok: false,
      why: "mailbox",
    });
  });
});

test("I8: no text is accepted that a URL parser would take elsewhere, and none makes a crash", () => {
  const pieces = fc.constantFrom(
    "https://",
    "http:",
    "//",
    "/",
    "\\",
    "@",
    ":",
    ":443",
    "?",
    "#",
    "..",
    "%2e",
    "%2f",
    "graph.microsoft.com",
    "evil.example",
    "beta",
    "users",
    id,
    "('",
    "')",
    "calendars",
    "delta",
    "$deltatoken=",
    "$skiptoken=x",
    " ",
    "\u0000",
    "%",
    "me",
  );
  const mutated = fc
    .tuple(fc.nat({ max: 120 }), fc.nat({ max: 4 }), fc.oneof(pieces, fc.string({ maxLength: 4 })))
    .map(([at, cut, put]) => {
      const link = `${home}${delta}`;
      return link.slice(0, at) + put + link.slice(at + cut);
    });
  const links = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.array(pieces, { maxLength: 14 }).map((list) => list.join("")),
    mutated,
  );
  fc.assert(
    fc.property(links, (link) => {
      const checked = check(link);
      if (!checked.ok) return;
      const url = new URL(link);
      expect([url.origin, url.username, url.password, url.hash]).toEqual(["https://graph.microsoft.com", "", "", ""]);
      expect(decodeURIComponent(url.pathname.toLowerCase())).toContain(id);
      expect(link.endsWith(checked.rawTarget)).toBe(true);
      expect(checked.batchUrl === null || checked.rawTarget === `/beta${checked.batchUrl}`).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

describe("a round starts", () => {
  test("without any query option, the id escaped", () => {
    expect(startUrl(id, "delta")).toBe(`/users/${id}/calendars/delta`);
    expect(startUrl(id, "list")).toBe(`/users/${id}/calendars`);
    expect(startUrl("me", "delta")).toBe("/me/calendars/delta");
    expect(startUrl("o'neil#EXT#@a/b?c", "list")).toBe("/users/o%27neil%23EXT%23%40a%2Fb%3Fc/calendars");
  });

  test.each(["", ".", "..", "\ud800"])("not at all for the id %j, which cannot stand in a path", (mailboxId) => {
    expect(startUrl(mailboxId, "delta")).toBeNull();
  });

  test("at a path that its own links pass", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: "grapheme" }), (mailboxId) => {
        const url = startUrl(mailboxId, "delta");
        if (url === null) return;
        const checked = checkLink(`${home}${url}?$deltatoken=d.1`, { ...scope, mailboxId });
        expect(checked).toEqual({
          ok: true,
          batchUrl: `${url}?$deltatoken=d.1`,
          rawTarget: `/beta${url}?$deltatoken=d.1`,
        });
      }),
    );
  });
});

describe("I8: the root", () => {
  test.each([
    "https://graph.microsoft.com/beta",
    "graph.microsoft.com",
    "https://a@b",
    "http://graph.microsoft.com",
    "http://127.0.0.1.evil.example",
    "https://",
    "https://a b",
    "ftp://localhost",
  ])("%s is no origin that may see a token", (root) => {
    expect(() => parseRoot(root)).toThrow(/The Graph root/);
  });

  test("is lowered, and loses its default port", () => {
    expect(parseRoot("HTTPS://Graph.Microsoft.com:443/").origin).toBe("https://graph.microsoft.com");
    expect(parseRoot("http://[::1]:8090")).toMatchObject({ origin: "http://[::1]:8090", hostname: "::1" });
  });

  test("of each cloud is one, and its scope names the same domain", () => {
    for (const cloud of Object.values(clouds)) {
      expect(parseRoot(cloud.root).origin).toBe(cloud.root);
      expect(cloud.scope).toBe(`${cloud.root}/.default`);
      expect(parseRoot(cloud.authorityHost).scheme).toBe("https");
    }
    expect(Object.values(clouds).map((cloud) => cloud.isDeltaDocumented)).toEqual([true, false, false, false]);
  });
});
