import dgram from "node:dgram";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { dnsResolve } from "../../shared/push/resolve.js";

/** The look-up of names, against a name server of this machine that knows few. */

const typeA = 1;
const typeAaaa = 28;
const noSuchName = 3;

type Records = { readonly code?: number; readonly records: readonly (readonly number[])[] };

/** Answers each question as the test says; null: not at all. */
async function nameServer(answer: (name: string, type: number) => Records | null) {
  const asked: string[] = [];
  const socket = dgram.createSocket("udp4");
  socket.on("message", (question, from) => {
    let end = 12;
    const labels: string[] = [];
    for (let length = question[end] ?? 0; length > 0; length = question[end] ?? 0) {
      labels.push(question.toString("latin1", end + 1, end + 1 + length));
      end += 1 + length;
    }
    const type = question.readUInt16BE(end + 1);
    asked.push(`${labels.join(".")} ${type}`);
    const given = answer(labels.join("."), type);
    if (given === null) return;
    const head = Buffer.from(question.subarray(0, 12));
    head.writeUInt16BE(0x8180 | (given.code ?? 0), 2);
    head.writeUInt16BE(given.records.length, 6);
    head.fill(0, 8); // No records but answers.
    const records = given.records.map((bytes) => {
      const fixed = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, bytes.length]);
      return Buffer.concat([fixed, Buffer.from(bytes)]);
    });
    socket.send(Buffer.concat([head, question.subarray(12, end + 5), ...records]), from.port, from.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  onTestFinished(() => void socket.close());
  return { asked, resolve: dnsResolve([`127.0.0.1:${socket.address().port}`]) };
}

const never = new AbortController().signal;
const six = [0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

describe("a host name", () => {
  test("is asked for once, in both families; those of IPv4 come first", async () => {
    const { asked, resolve } = await nameServer((_name, type) => ({
      records: type === typeA ? [[192, 0, 2, 1]] : [six],
    }));
    expect(await resolve("hooks.contoso.com", never)).toEqual(["192.0.2.1", "2001:db8::1"]);
    expect(asked.sort()).toEqual([`hooks.contoso.com ${typeA}`, `hooks.contoso.com ${typeAaaa}`]);
  });

  test("with addresses of one family has these", async () => {
    const { resolve } = await nameServer((_name, type) => ({ records: type === typeAaaa ? [six] : [] }));
    expect(await resolve("hooks.contoso.com", never)).toEqual(["2001:db8::1"]);
  });

  test("that does not exist is an error with its code", async () => {
    const { resolve } = await nameServer(() => ({ code: noSuchName, records: [] }));
    await expect(resolve("hooks.contoso.com", never)).rejects.toMatchObject({ code: "ENOTFOUND" });
  });

  test("of a silent name server is given up when nobody waits any more", async () => {
    const stop = new AbortController();
    const { resolve } = await nameServer(() => {
      stop.abort();
      return null;
    });
    await expect(resolve("hooks.contoso.com", stop.signal)).rejects.toMatchObject({ code: "ECANCELLED" });
  });
});
