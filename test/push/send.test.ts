import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Send } from "../../shared/push/ports.js";
import type { After } from "../../shared/timer.js";
import { nowMs, subscriber, trialSender } from "../worlds/subscriber.js";

/** The safe sender: to whom it talks, and what it makes of answers. The servers are this machine's own. */

const post = (url: string): Parameters<Send>[0] => ({
  url,
  headers: { "content-type": "application/json" },
  body: "{}",
});

/** A timer that rings when the test says so. */
function handTimer() {
  const rings: (() => void)[] = [];
  const after: After = (_ms, call) => {
    rings.push(call);
    return () => undefined;
  };
  const ring = () => {
    for (const call of rings.splice(0)) call();
  };
  return { after, ring };
}

describe("to whom it talks", () => {
  test("the connection goes to the address that was looked up, once, and TLS and HTTP name the host", async () => {
    const server = await subscriber((response) => response.writeHead(202).end());
    const { send, looked } = await trialSender();
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/a/b?code=x%20y`));
    expect(answer).toMatchObject({ kind: "accepted", status: 202 });
    expect(looked).toEqual(["hooks.contoso.com"]);
    expect(server.asked).toEqual([
      expect.objectContaining({ method: "POST", path: "/a/b?code=x%20y", body: "{}", serverName: "hooks.contoso.com" }),
    ]);
    expect(server.asked[0]?.headers).toMatchObject({
      host: `hooks.contoso.com:${server.port}`,
      "content-type": "application/json",
      "content-length": "2",
    });
  });

  test("a name that leads elsewhere the next time has been asked for the last time: no second look-up", async () => {
    const server = await subscriber((response) => response.writeHead(204).end());
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    const { send } = await trialSender({ resolve: async () => answers.shift() ?? [] });
    const url = `https://hooks.contoso.com:${server.port}/`;
    expect((await send(post(url))).kind).toBe("accepted");
    expect((await send(post(url))).kind).toBe("forbidden"); // Though a connection to the first address is still open.
    expect(server.asked).toHaveLength(1);
  });

  test("one address among several that is not public forbids all, and nobody is asked", async () => {
    const server = await subscriber((response) => response.writeHead(204).end());
    for (const hidden of [
      "10.0.0.4",
      "169.254.169.254",
      "168.63.129.16",
      "::ffff:10.0.0.4",
      "fd00::4",
      "64:ff9b::a00:4",
    ]) {
      const { send } = await trialSender({ resolve: async () => ["127.0.0.1", hidden] });
      expect(await send(post(`https://hooks.contoso.com:${server.port}/`))).toEqual({
        kind: "forbidden",
        why: "The host hooks.contoso.com leads to an address that is not public.",
      });
    }
    expect(server.sockets).toHaveLength(0);
  });

  test.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "localhost",
    "a.localhost",
  ])("this machine as https://%s is for trials alone, however it is written, and is not looked up", async (host) => {
    const server = await subscriber((response) => response.writeHead(204).end());
    const { send, looked } = await trialSender({ allowsLoopback: false });
    expect((await send(post(`https://${host}:${server.port}/`))).kind).toBe("forbidden");
    expect([looked, server.sockets]).toEqual([[], []]);
  });

  test("in trials this machine is talked to without TLS, and nobody else is", async () => {
    const server = await subscriber((response) => response.writeHead(204).end(), { tls: null });
    const { send } = await trialSender({ resolve: async () => ["8.8.8.8"] });
    expect((await send(post(`http://localhost:${server.port}/`))).kind).toBe("accepted");
    expect((await send(post("http://hooks.contoso.com/"))).kind).toBe("forbidden");
  });

  test("a host that is not among SUBSCRIBER_HOSTS is not even looked up", async () => {
    const { send, looked } = await trialSender({ hosts: { names: new Set(["hooks.fabrikam.com"]), below: [] } });
    expect((await send(post("https://hooks.contoso.com/"))).kind).toBe("forbidden");
    expect(looked).toEqual([]);
  });

  test("a redirect is an answer like others: nobody follows it", async () => {
    const other = await subscriber((response) => response.writeHead(204).end());
    for (const status of [301, 302, 303, 307, 308]) {
      const location = `https://hooks.fabrikam.com:${other.port}/`;
      const server = await subscriber((response) => response.writeHead(status, { location }).end());
      const { send } = await trialSender();
      expect(await send(post(`https://hooks.contoso.com:${server.port}/`))).toMatchObject({ kind: "refused", status });
    }
    expect(other.sockets).toHaveLength(0);
  });

  test("a name without an address is unreachable", async () => {
    const { send } = await trialSender({ resolve: async () => [] });
    expect(await send(post("https://hooks.contoso.com/"))).toEqual({ kind: "unreachable", code: "ENOTFOUND" });
    const failing = await trialSender({
      resolve: async () =>
        Promise.reject(Object.assign(new Error("queryA ESERVFAIL hooks.contoso.com"), { code: "ESERVFAIL" })),
    });
    expect(await failing.send(post("https://hooks.contoso.com/"))).toEqual({ kind: "unreachable", code: "ESERVFAIL" });
  });
});

describe("certificates", () => {
  test("one for another name is refused, and the request never leaves", async () => {
    const server = await subscriber((response) => response.writeHead(204).end());
    const { send } = await trialSender();
    const answer = await send(post(`https://hooks.adatum.com:${server.port}/`));
    expect(answer).toEqual({ kind: "unreachable", code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    // An address is no name: the certificate has none for it.
    expect(await send(post(`https://127.0.0.1:${server.port}/`))).toEqual(answer);
    expect(server.asked).toEqual([]);
  });

  test("one that nobody vouches for is refused, also where the environment says otherwise", async () => {
    const server = await subscriber((response) => response.writeHead(204).end());
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { send } = await trialSender({ ca: "" });
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toEqual({ kind: "unreachable", code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
    expect(server.asked).toEqual([]);
  });

  test("TLS 1.1 is refused, also where the process would take it", async () => {
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    const server = await subscriber((response) => response.writeHead(204).end(), { tls: old });
    const { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS } = tls;
    Object.assign(tls, { DEFAULT_MIN_VERSION: "TLSv1", DEFAULT_CIPHERS: "DEFAULT@SECLEVEL=0" });
    onTestFinished(() => void Object.assign(tls, { DEFAULT_MIN_VERSION, DEFAULT_CIPHERS }));
    const { send } = await trialSender();
    expect((await send(post(`https://hooks.contoso.com:${server.port}/`))).kind).toBe("unreachable");
    expect(server.asked).toEqual([]);
  });
});

describe("kept connections", () => {
  test("serve the same name again, and no other name at the same address", async () => {
    const server = await subscriber((response) => response.writeHead(200).end("ok"));
    const { send } = await trialSender();
    for (const name of ["hooks.contoso.com", "hooks.fabrikam.com", "hooks.contoso.com", "hooks.fabrikam.com"]) {
      await send(post(`https://${name}:${server.port}/`));
    }
    expect(server.asked.map(({ connection, serverName }) => [connection, serverName])).toEqual([
      [1, "hooks.contoso.com"],
      [2, "hooks.fabrikam.com"],
      [1, "hooks.contoso.com"],
      [2, "hooks.fabrikam.com"],
    ]);
  });

  test("serve the address that was looked up for this request, and no other of the same name", async () => {
    const first = await subscriber((response) => response.writeHead(200).end());
    const second = await subscriber((response) => response.writeHead(200).end(), {
      host: "127.0.0.2",
      port: first.port,
    });
    const answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1"]];
    const { send } = await trialSender({ resolve: async () => answers.shift() ?? [] });
    for (let time = 0; time < 3; time++) await send(post(`https://hooks.contoso.com:${first.port}/`));
    expect([first.asked.map(({ connection }) => connection), second.asked.length]).toEqual([[1, 1], 1]);
  });

  test("one that its other end has closed meanwhile is no failure of the subscriber: it is asked anew", async () => {
    const server = await subscriber((response, { connection }, request) => {
      const isSecond = server.asked.filter((one) => one.connection === connection).length === 2;
      if (isSecond) request.socket.destroy();
      else response.writeHead(200).end();
    });
    const { send } = await trialSender();
    const url = `https://hooks.contoso.com:${server.port}/`;
    await send(post(url));
    expect((await send(post(url))).kind).toBe("accepted");
    expect(server.asked.map(({ connection }) => connection)).toEqual([1, 1, 2]);
  });

  test("a new one that is closed without an answer is a failure, and is not tried twice", async () => {
    const server = await subscriber((_response, _asked, request) => void request.socket.destroy());
    const { send } = await trialSender();
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toEqual({ kind: "unreachable", code: "ECONNRESET" });
    expect(server.asked).toHaveLength(1);
  });
});

describe("answers", () => {
  test.each([
    ["17", 17_000],
    ["Sat, 28 Nov 2026 12:01:00 GMT", 60_000],
    ["Sat, 28 Nov 2026 11:59:00 GMT", 0],
    ["soon", null],
    [null, null],
  ])("a refusal with Retry-After %s", async (header, retryAfterMs) => {
    const headers = header === null ? {} : { "retry-after": header };
    const server = await subscriber((response) => response.writeHead(503, headers).end());
    const { send } = await trialSender();
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toMatchObject({ kind: "refused", status: 503, retryAfterMs });
    expect(new Date(nowMs).toUTCString()).toBe("Sat, 28 Nov 2026 12:00:00 GMT");
  });

  test("text and headers of an answer are given on", async () => {
    const server = await subscriber((response) =>
      response.writeHead(200, { "Content-Type": "text/plain" }).end("Grüße"),
    );
    const { send } = await trialSender();
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toMatchObject({ kind: "accepted", text: "Grüße", headers: { "content-type": "text/plain" } });
  });

  test("an answer without end is read up to the bound, and its connection closed; its status counts", async () => {
    const server = await subscriber((response) => {
      response.writeHead(200);
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(1024)));
      };
      response.on("drain", more);
      more();
    });
    // Time does not end it.
    const { send } = await trialSender({ limits: { answerBytesMax: 4_096 }, after: handTimer().after });
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toMatchObject({ kind: "accepted", status: 200 });
    expect(answer).not.toHaveProperty("text");
    const [socket] = server.sockets;
    if (socket?.destroyed === false) await once(socket, "close");
  }, 30_000); // It would go on for ever.

  test("headers without end are none", async () => {
    const server = await subscriber((response) => response.writeHead(200, { "x-long": "x".repeat(8_000) }).end());
    const { send } = await trialSender({ limits: { headerBytesMax: 4_000 } });
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toEqual({ kind: "unreachable", code: "HPE_HEADER_OVERFLOW" });
  });

  test("what is no HTTP is unreachable by its code", async () => {
    const server = net.createServer((socket) => socket.end("220 mail.contoso.com ESMTP\r\n")).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const { send } = await trialSender();
    const answer = await send(post(`http://localhost:${port}/`));
    expect(answer).toMatchObject({ kind: "unreachable", code: expect.stringMatching(/^(HPE_|ECONNRESET)/) });
  });
});

describe("the bound of time", () => {
  test("holds for a server that takes the request and is silent: timeout, and the connection is let go", async () => {
    const timer = handTimer();
    const server = await subscriber(() => timer.ring());
    const { send } = await trialSender({ after: timer.after });
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toEqual({ kind: "unreachable", code: "timeout" });
    const [socket] = server.sockets;
    if (socket?.destroyed === false) await once(socket, "close");
  });

  test("holds for a server that takes the connection and never begins TLS", async () => {
    const timer = handTimer();
    const closed: Promise<unknown>[] = [];
    const server = net.createServer((socket) => {
      closed.push(once(socket, "close"));
      socket.resume().once("data", timer.ring);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    onTestFinished(() => void server.close());
    const { send } = await trialSender({ after: timer.after });
    const url = `https://hooks.contoso.com:${(server.address() as net.AddressInfo).port}/`;
    expect(await send(post(url))).toEqual({ kind: "unreachable", code: "timeout" });
    await Promise.all(closed);
    expect(closed).toHaveLength(1);
  });

  test("holds for name servers too", async () => {
    const timer = handTimer();
    let stopped = false;
    const { send } = await trialSender({
      after: timer.after,
      resolve: (_name, signal) => {
        signal.addEventListener("abort", () => {
          stopped = true;
        });
        queueMicrotask(timer.ring);
        return new Promise(() => undefined);
      },
    });
    expect(await send(post("https://hooks.contoso.com/"))).toEqual({ kind: "unreachable", code: "timeout" });
    expect(stopped).toBe(true);
  });

  test("a subscriber that has said yes and then drags its answer out has said yes", async () => {
    const timer = handTimer();
    const server = await subscriber((response) => void response.writeHead(200).write("a part"));
    const { send } = await trialSender({ after: timer.after });
    const onHead = () => void setImmediate(timer.ring);
    diagnostics.subscribe("http.client.response.finish", onHead);
    onTestFinished(() => void diagnostics.unsubscribe("http.client.response.finish", onHead));
    const answer = await send(post(`https://hooks.contoso.com:${server.port}/`));
    expect(answer).toMatchObject({ kind: "accepted", status: 200 });
    expect(answer).not.toHaveProperty("text");
  });
});
