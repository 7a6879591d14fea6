import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSubscriberHost, subscriberHostsOf } from "../../shared/push/hosts.js";
import { targetOf } from "../../shared/push/target.js";

/** Which addresses subscribers may name. */

const open = { hosts: null, allowsLoopback: false };
const why = (url: string, rules: Parameters<typeof targetOf>[1] = open) => {
  const target = targetOf(url, rules);
  return target.kind === "forbidden" ? target.why : null;
};

describe("an address as it is written", () => {
  test("https with any port, path and query is taken", () => {
    expect(why("https://hooks.contoso.com/a/b?code=secret")).toBeNull();
    expect(why("HTTPS://Hooks.Contoso.com:8443")).toBeNull();
  });

  test.each([
    ["http://hooks.contoso.com/", "must begin with https://"],
    ["ftp://hooks.contoso.com/", "must begin with https://"],
    ["file:///etc/hosts", "must begin with https://"],
    ["hooks.contoso.com/a", "not an absolute URL"],
    ["//hooks.contoso.com/a", "not an absolute URL"],
    ["", "not an absolute URL"],
    ["https://user@hooks.contoso.com/", "user name or password"],
    ["https://user:word@hooks.contoso.com/", "user name or password"],
    ["https://hooks.contoso.com/#part", "fragment"],
    ["https://hooks.contoso.com./", "end with a dot"],
  ])("%s is refused, with what is wrong", (url, words) => {
    expect(why(url)).toContain(words);
  });

  test("a refusal does not repeat what may be secret in an address: path, query and password", () => {
    const urls = [
      "http://h.contoso.com/secret?secret",
      "https://u:secret@h.contoso.com/",
      "https://h.contoso.com./?secret",
    ];
    for (const url of urls) expect(why(url)).not.toContain("secret");
    const hosts = { names: new Set<string>(), below: [] };
    expect(why("https://h.contoso.com/secret", { ...open, hosts })).toBe(
      "The host h.contoso.com is not among SUBSCRIBER_HOSTS.",
    );
  });

  test("whatever is written: no crash, and what is taken is https, without a sign-in, and absolute", () => {
    const part = fc.oneof(
      fc.constantFrom("https:", "http:", "//", "/", "@", ":", "#", "?", "[", "]", ".", "%", "::1"),
      fc.webUrl(),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const target = targetOf(parts.join(""), open);
        if (target.kind === "forbidden") {
          expect(target.why).toMatch(/^The .*\.$/);
          return;
        }
        const { protocol, username, password, hash, hostname } = target.url;
        expect([protocol, username, password, hash]).toEqual(["https:", "", "", ""]);
        expect(hostname).not.toMatch(/^$|\.$/);
      }),
    );
  });

  test("http is for trials", () => {
    expect(why("http://127.0.0.1:8080/", { ...open, allowsLoopback: true })).toBeNull();
  });
});

describe("SUBSCRIBER_HOSTS", () => {
  const hostsOf = (text: string) => {
    const read = subscriberHostsOf(text);
    if ("mistake" in read) throw new Error(read.mistake);
    return read.hosts;
  };

  test("empty: every host", () => {
    for (const text of ["", " ", ","]) expect(isSubscriberHost(hostsOf(text), "anything.example")).toBe(true);
  });

  test("names, and with a star all below them, but not themselves nor what merely ends alike", () => {
    const hosts = hostsOf(" Hooks.Contoso.com , *.fabrikam.net ");
    const asked = ["hooks.contoso.com", "a.fabrikam.net", "a.b.fabrikam.net"];
    expect(asked.every((host) => isSubscriberHost(hosts, host))).toBe(true);
    const others = [
      "contoso.com",
      "a.hooks.contoso.com",
      "fabrikam.net",
      "otherfabrikam.net",
      "hooks.contoso.com.fabrikam.org",
    ];
    expect(others.some((host) => isSubscriberHost(hosts, host))).toBe(false);
  });

  test("a name with letters of other alphabets is compared as DNS has it", () => {
    expect(isSubscriberHost(hostsOf("bücher.example"), new URL("https://BÜCHER.example/").hostname)).toBe(true);
  });

  test.each([
    "https://hooks.contoso.com",
    "hooks.contoso.com:443",
    "hooks.contoso.com/a",
    "*",
    "a.*.com",
    "u@h.com",
    "10.0.0.1",
    "a b",
    "h.com.",
  ])("%s is a mistake, and is named", (text) => {
    const read = subscriberHostsOf(`hooks.contoso.com,${text}`);
    expect("mistake" in read && read.mistake).toContain(`"${text}" is none`);
  });
});
