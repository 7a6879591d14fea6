import fc from "fast-check";
import { expect, test } from "vitest";
import { shown } from "../../shared/http/mcp/shapes.js";
import { explained } from "../../shared/reasons.js";
import { discovered, fitUsers } from "../worlds/fleet.js";
import { mcpOf } from "../worlds/mcp.js";
import { hostileJson, hostileText } from "./hostile.js";
import { runs } from "./runs.js";

const protocolVersion = "2026-07-28";
const tools = [
  ...["find_calendars", "list_mailbox_calendars", "list_changes"],
  ...["get_mirror_status", "explain_mailbox", "find_mailboxes"],
];
const argumentNames = ["mailbox", "owner", "name", "search", "cursor", "top", "since", "kind", "removed", "__proto__"];

/** A message of a client that keeps to the protocol, or nearly. */
function messageOf(method: string, name: string, args: unknown, version: string) {
  const meta = {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientInfo": { name: "fuzz", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const text = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { name, arguments: args, _meta: meta } });
  const headers = { "mcp-protocol-version": protocolVersion, "mcp-method": method, "mcp-name": name };
  return { text, headers };
}

test("whatever an assistant sends is answered, in bounds and in the protocol's shape, and changes nothing", async () => {
  const world = await discovered({ mailboxes: 4, shards: 2 });
  await world.tick();
  const [id = ""] = fitUsers(world);
  const before = JSON.stringify(world.table.entities());
  const { ask } = mcpOf(world);
  const value = fc.oneof(hostileJson, hostileText, fc.constantFrom(id, 1, 25, true, "2026-10-01T00:00:00Z", "updated"));
  const fitting = fc.oneof(
    fc.constantFrom({}, { mailbox: id }),
    fc.record({ name: hostileText, top: fc.integer({ min: 1, max: 25 }) }, { requiredKeys: [] }),
  );
  const args = fc.oneof(
    { weight: 4, arbitrary: fitting },
    hostileJson,
    fc.dictionary(fc.constantFrom(...argumentNames), value),
  );
  const message = fc
    .record({
      method: fc.oneof(
        { weight: 8, arbitrary: fc.constant("tools/call") },
        fc.constantFrom("tools/list", "initialize", "x"),
      ),
      name: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...tools) }, fc.constantFrom("none", "__proto__")),
      version: fc.oneof({ weight: 8, arbitrary: fc.constant(protocolVersion) }, hostileText),
      args,
    })
    .map(({ method, name, args, version }) => messageOf(method, name, args, version));
  const body = fc.oneof(
    { weight: 4, arbitrary: message },
    hostileJson.map((json) => ({ text: JSON.stringify(json) ?? "", headers: {} })),
  );
  /** @returns Whether a tool has answered. */
  const check = async ({ text, headers }: { text: string; headers: object }) => {
    const all = { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers };
    const { status, body } = await ask("POST", text, all);
    const answered = String(body);
    expect(status).toBeLessThan(500);
    expect(answered.length).toBeLessThan(40_000);
    const [, streamed] = /^data: (.*)$/m.exec(answered) ?? [];
    if (status !== 202) expect(JSON.parse(streamed ?? answered)).toMatchObject({ jsonrpc: "2.0" });
    return answered.includes('"structuredContent"');
  };
  const ends: boolean[] = [];
  for (const one of fc.sample(body, { numRuns: 200, seed: 1 })) ends.push(await check(one));
  const count = ends.filter((isAnswered) => isAnswered).length;
  expect(Math.min(count, ends.length - count)).toBeGreaterThan(20);
  await fc.assert(
    fc.asyncProperty(body, async (one) => void (await check(one))),
    runs(200),
  );
  expect(JSON.stringify(world.table.entities())).toBe(before);
});

test("no text is told that a person could not see, none is longer than its bound, and plain ones stay", () => {
  fc.assert(
    fc.property(fc.oneof(hostileText, fc.string({ unit: "binary", maxLength: 400 })), (text) => {
      const told = shown(text);
      expect([...told].length).toBeLessThanOrEqual(160);
      expect(told.isWellFormed()).toBe(true);
      expect(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e0fff}]/u.test(told)).toBe(false);
      expect(shown(told)).toBe(told);
      if (/^[\p{L}\p{N}\p{P}\p{S} ]{0,80}$/u.test(text) && !/\p{Default_Ignorable_Code_Point}/u.test(text))
        expect(told).toBe(text);
    }),
    runs(2000),
  );
});

test("every code has words, whatever it is", () => {
  fc.assert(
    fc.property(hostileText, (code) => explained(code).means.length > 10),
    runs(500),
  );
});
