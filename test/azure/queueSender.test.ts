import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { queueSenderOf } from "../../shared/azure/queueSender.js";

const nudge = { mailbox: "adele", sequence: 7 };
const noLog = () => undefined;

type Asked = { readonly method: string; readonly url: URL; readonly body: string };

/** A queue service that answers each request with the next status, the last one again and again. */
async function queueThatAnswers(...statuses: readonly number[]) {
  const asked: Asked[] = [];
  const server = http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const url = new URL(request.url ?? "", "http://queue");
    asked.push({ method: request.method ?? "", url, body: Buffer.concat(chunks).toString() });
    response.writeHead(statuses[Math.min(asked.length, statuses.length) - 1] ?? 201);
    response.end("<QueueMessagesList/>");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/acme`;
  return { asked, endpoint };
}

const withKey = (endpoint: string) =>
  ({
    kind: "connectionString",
    connectionString: `DefaultEndpointsProtocol=http;AccountName=acme;AccountKey=a2V5;QueueEndpoint=${endpoint}`,
  }) as const;

describe("a nudge", () => {
  test("is one message, its text as JSON in base64", async () => {
    const { asked, endpoint } = await queueThatAnswers(201);
    await queueSenderOf(withKey(endpoint), "calendar-changes", null, Date.now)(noLog)(nudge);
    expect(asked.map(({ method, url }) => [method, url.pathname])).toEqual([
      ["POST", "/acme/calendar-changes/messages"],
    ]);
    const text = /^<QueueMessage><MessageText>([\w+/=]+)<\/MessageText><\/QueueMessage>$/.exec(
      asked[0]?.body ?? "",
    )?.[1];
    expect(JSON.parse(Buffer.from(text ?? "", "base64").toString())).toEqual(nudge);
  });

  test("that a busy service refuses is sent again; one that it refuses for good fails, by its code", async () => {
    const { asked, endpoint } = await queueThatAnswers(503, 201, 403);
    const send = queueSenderOf(withKey(endpoint), "q", null, Date.now)(noLog);
    await send(nudge);
    expect(asked).toHaveLength(2);
    await expect(send(nudge)).rejects.toThrow(/^Queue storage: send failed, status 403, code unknown\.$/);
  });

  test("I8: is signed by a key that may add messages and nothing else, anew before the signature is old", async () => {
    const { asked, endpoint } = await queueThatAnswers(201);
    let nowMs = Date.UTC(2026, 10, 28);
    const send = queueSenderOf(withKey(endpoint), "q", null, () => nowMs)(noLog);
    for (const minutes of [0, 29, 2, 40]) {
      nowMs += minutes * 60_000;
      await send(nudge);
    }
    const signed = asked.map(({ url }) => url.searchParams);
    expect(signed.map((query) => query.get("sp"))).toEqual(["a", "a", "a", "a"]);
    expect(signed.map((query) => query.get("se"))).toEqual([
      "2026-11-28T01:00:00Z",
      "2026-11-28T01:00:00Z",
      "2026-11-28T01:31:00Z",
      "2026-11-28T02:11:00Z",
    ]);
  });

  test("goes by the signature of a connection string that has one", async () => {
    const { asked, endpoint } = await queueThatAnswers(201);
    const connectionString = `QueueEndpoint=${endpoint};SharedAccessSignature=sv=2021-12-02&sig=c2VjcmV0`;
    await queueSenderOf({ kind: "connectionString", connectionString }, "q", null, Date.now)(noLog)(nudge);
    expect(asked[0]?.url.pathname).toBe("/acme/q/messages");
    expect(asked[0]?.url.searchParams.get("sig")).toBe("c2VjcmV0");
  });
});

describe("a message to be seen later", () => {
  const delays = (asked: readonly Asked[]) => asked.map(({ url }) => url.searchParams.get("visibilitytimeout"));

  test("says after how many seconds; others say nothing", async () => {
    const { asked, endpoint } = await queueThatAnswers(201);
    const send = queueSenderOf(withKey(endpoint), "calendar-rounds", null, Date.now)(noLog);
    await send({ shard: "10", tick: "t" }, 11);
    await send({ shard: "00", tick: "t" });
    expect(delays(asked)).toEqual(["11", null]);
    expect(asked.map(({ url }) => url.searchParams.get("sp"))).toEqual(["a", "a"]);
  });

  test("says so again when it is sent again", async () => {
    const { asked, endpoint } = await queueThatAnswers(503, 201);
    await queueSenderOf(withKey(endpoint), "q", null, Date.now)(noLog)({ shard: "10", tick: "t" }, 168);
    expect(delays(asked)).toEqual(["168", "168"]);
  });
});
