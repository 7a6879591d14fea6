import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parsePageMessage, parsePushMessage, parseRoundsMessage } from "../shared/messages.js";
import { parkPages, parkRounds } from "../shared/rounds/poison.js";
import type { Ports } from "../shared/rounds/ports.js";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const rounds = { shard: "0a", tick: "t" };
const discover = { discover: "pass" };
const page = { mailbox: "m", round: "r", page: 3 };
const sync = { mailbox: "m", sync: "s" };

describe("I7: a message is understood as this release writes it, and as earlier ones did", () => {
  test.each([
    ["what the host has parsed", (message: object) => message],
    ["JSON", (message: object) => JSON.stringify(message)],
    ["base64 of JSON", (message: object) => base64(JSON.stringify(message))],
    [
      "base64 in lines, which .NET takes too",
      (message: object) =>
        `${base64(JSON.stringify(message)).slice(0, 8)}\r\n${base64(JSON.stringify(message)).slice(8)} `,
    ],
  ])("%s", (_form, written) => {
    for (const message of [rounds, { ...rounds, run: "r" }, discover]) {
      expect(parseRoundsMessage(written(message))).toEqual(message);
    }
    for (const message of [page, sync]) expect(parsePageMessage(written(message))).toEqual(message);
    for (const message of [{ wake: "w" }, { subscriptions: ["s", "t"] }]) {
      expect(parsePushMessage(written(message))).toEqual(message);
    }
  });

  test("the host hands on messages of any encoding", () => {
    const { extensions } = JSON.parse(readFileSync(`${import.meta.dirname}/../host.json`, "utf8"));
    expect(extensions.queues.messageEncoding).toBe("none");
  });
});

test.each([
  "plain text",
  "{bad",
  "",
  "   ",
  "AAAA",
  "====",
  base64("plain text"),
  base64(base64(JSON.stringify(rounds))),
  base64("\u0000\uffff"),
  "\ufffd",
  "[1]",
  JSON.stringify(JSON.stringify(rounds)),
])("I7: %j as a message is refused in one line, and as poison logged and dropped", async (text) => {
  for (const parse of [parseRoundsMessage, parsePageMessage, parsePushMessage]) {
    expect(() => parse(text)).toThrow(/^The queue message is not .* It was not written by calendar-mirror\.$/);
  }
  const logged: string[] = [];
  const log: Ports["log"] = (_level, message) => logged.push(message);
  expect(parkRounds(text, log)).toBe("unreadable");
  expect(await parkPages(text, { log } as Ports)).toBe("unreadable");
  expect(logged).toEqual(["poison rounds message dropped", "poison page message dropped"]);
});
