import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import type { Send } from "../../shared/push/ports.js";
import { askPermission, validate } from "../../shared/push/validate.js";
import { type Asked, subscriber, trialSender } from "../worlds/subscriber.js";

/** The handshakes by which a receiver says that it wants what is sent to it. */

const token = `Validation: a+b &c=d/é <script>"'%2B`;
const failed = "Subscription validation request failed.";

/** What Graph's samples answer: the token, decoded. */
const echo = (response: ServerResponse, { path }: Asked) => {
  const given = new URL(path, "https://localhost").searchParams.get("validationToken") ?? "";
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(given);
};

describe("Graph's handshake", () => {
  test("the token comes back as plain text; all that the address said before stands", async () => {
    const server = await subscriber(echo);
    const { send } = await trialSender();
    const url = `https://hooks.contoso.com:${server.port}/a%20b?code=x%2By&empty`;
    expect(await validate(url, send, token)).toEqual({ kind: "given" });
    const [asked] = server.asked;
    expect(asked?.path).toMatch(/^\/a%20b\?code=x%2By&empty&validationToken=/);
    expect(asked).toMatchObject({ method: "POST", body: "", headers: { "content-type": "text/plain; charset=utf-8" } });
  });

  test("the token is escaped so that every way to decode an address reads the same", async () => {
    const server = await subscriber(echo);
    const { send } = await trialSender();
    expect(await validate(`https://hooks.contoso.com:${server.port}/`, send, token)).toEqual({ kind: "given" });
    const [, sent = ""] = server.asked[0]?.path.split("validationToken=") ?? [];
    expect(sent).not.toMatch(/[+&=#<>"' ]/);
    expect(decodeURIComponent(sent)).toBe(token);
    expect(new URLSearchParams(`t=${sent}`).get("t")).toBe(token);
  });

  test.each<[string, Parameters<typeof subscriber>[0], string]>([
    [
      "another token",
      (response) => response.writeHead(200, { "content-type": "text/plain" }).end("x"),
      "must exactly match",
    ],
    [
      "the token as it stood in the address",
      (response, { path }) =>
        response.writeHead(200, { "content-type": "text/plain" }).end(path.split("validationToken=")[1] ?? ""),
      "must exactly match",
    ],
    [
      "the token in JSON",
      (response) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(token)),
      "text/plain",
    ],
    [
      "the token as HTML",
      (response) => response.writeHead(200, { "content-type": "text/html" }).end(token),
      "text/plain",
    ],
    ["no content type", (response) => response.writeHead(200).end(token), "text/plain"],
    [
      "202",
      (response) => response.writeHead(202, { "content-type": "text/plain" }).end(token),
      "must respond with 200 OK",
    ],
    ["404", (response) => response.writeHead(404).end(), "HTTP status code is 404."],
    ["a redirect", (response) => response.writeHead(302, { location: "/" }).end(), "HTTP status code is 302."],
    [
      "more than a token",
      (response) => response.writeHead(200, { "content-type": "text/plain" }).end(token + "x".repeat(100_000)),
      "must exactly match",
    ],
  ])("%s is no consent", async (_what, answer, words) => {
    const server = await subscriber(answer);
    const { send } = await trialSender();
    const consent = await validate(`https://hooks.contoso.com:${server.port}/`, send, token);
    expect(consent).toEqual({ kind: "withheld", why: expect.stringContaining(words) });
    expect(consent.kind === "withheld" && consent.why.startsWith(failed)).toBe(true);
  });

  test("silence, an unknown host and a forbidden one say what they are", async () => {
    const outcomes: Awaited<ReturnType<Send>>[] = [
      { kind: "unreachable", code: "timeout" },
      { kind: "unreachable", code: "ENOTFOUND" },
      { kind: "forbidden", why: "The address must begin with https://." },
    ];
    const why = outcomes.map((outcome) => validate("https://hooks.contoso.com/", async () => outcome, token));
    expect(await Promise.all(why)).toEqual([
      { kind: "withheld", why: "Subscription validation request timed out." },
      { kind: "withheld", why: `${failed} The endpoint could not be reached: ENOTFOUND.` },
      { kind: "withheld", why: "The address must begin with https://." },
    ]);
  });

  test("an address that has a validationToken of its own is not asked: which is meant, nobody can tell", async () => {
    const send: Send = () => Promise.reject(new Error("Nothing should be sent."));
    const consent = await validate("https://hooks.contoso.com/?ValidationToken=x", send, token);
    expect(consent).toEqual({ kind: "withheld", why: expect.stringContaining("query parameter validationToken") });
  });
});

describe("the handshake of CloudEvents", () => {
  const origin = "mirror.contoso.com";
  const answering = (headers: Record<string, string>, status = 200) =>
    subscriber((response) => response.writeHead(status, headers).end());

  test.each(["mirror.contoso.com", "Mirror.Contoso.com", "*"])(
    "WebHook-Allowed-Origin: %s is consent",
    async (allowed) => {
      const server = await answering({ "WebHook-Allowed-Origin": allowed, "WebHook-Allowed-Rate": "100" });
      const { send } = await trialSender();
      expect(await askPermission(`https://hooks.contoso.com:${server.port}/a?b=c`, send, origin)).toEqual({
        kind: "given",
      });
      expect(server.asked).toEqual([
        expect.objectContaining({
          method: "OPTIONS",
          path: "/a?b=c",
          body: "",
          headers: expect.objectContaining({ "webhook-request-origin": origin }),
        }),
      ]);
    },
  );

  test.each<[string, Record<string, string>, number]>([
    ["an answer to OPTIONS without it, as of any web server", { allow: "GET, POST, OPTIONS" }, 200],
    ["permission for another", { "WebHook-Allowed-Origin": "mirror.fabrikam.com" }, 200],
    ["permission for all below", { "WebHook-Allowed-Origin": "*.contoso.com" }, 200],
    ["a refusal", { "WebHook-Allowed-Origin": "*" }, 405],
  ])("%s is none", async (_what, headers, status) => {
    const server = await answering(headers, status);
    const { send } = await trialSender();
    const consent = await askPermission(`https://hooks.contoso.com:${server.port}/`, send, origin);
    expect(consent.kind).toBe("withheld");
  });
});
