import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { explained } from "../../shared/reasons.js";
import { discovered, fitUsers } from "../worlds/fleet.js";
import { mcpOf, mcpOpened as opened, type Told } from "../worlds/mcp.js";

type Row = Record<string, unknown>;
type Call = (name: string, args?: Row) => Promise<Told>;

describe("why is this mailbox behind", () => {
  const explain = async (call: Call, mailbox: string) => (await call("explain_mailbox", { mailbox })).content;

  test("it is not", async () => {
    const { call, ids } = await opened();
    expect(await explain(call, ids[0] ?? "")).toMatchObject({
      isBehind: false,
      summary: "It is up to date.",
      causes: [],
    });
  });

  test("Graph throttles it: until when", async () => {
    const { world, call, ids } = await opened();
    const [id = ""] = ids;
    world.graph.faults.add({ kind: "throttled", mailboxId: id, seconds: 3_600 });
    const until = new Date(world.clock.ms + 3_600_000).toISOString();
    await world.tick();
    const summary = "It is up to date for now, though not all is well.";
    expect(await explain(call, id)).toMatchObject({ isBehind: false, summary, triedAgain: until });
    await world.tick();
    expect(await explain(call, id)).toMatchObject({
      isBehind: true,
      summary: expect.stringMatching(/^It is behind: Graph last answered for it at /),
      causes: [{ means: expect.stringMatching(/429/), helps: null }],
      triedAgain: until,
    });
  });

  test("Graph refuses it, and what an operator can do", async () => {
    const { world, call, ids } = await opened();
    const [id = ""] = ids;
    world.graph.mailboxes.setState(id, { kind: "denied" });
    const failingSince = new Date(world.clock.ms).toISOString();
    await world.tick();
    expect(await explain(call, id)).toMatchObject({
      summary: expect.stringMatching(/needs attention/),
      causes: [{ code: "denied:ErrorAccessDenied", helps: expect.stringMatching(/Calendars\.Read/) }],
      failingSince,
      requestId: expect.stringMatching(/^[\da-f-]{36}$/),
    });
  });

  test("Graph refuses or throttles the whole application: that comes first", async () => {
    const refused = await opened();
    refused.world.graph.faults.add({ kind: "denied" });
    await refused.world.tick();
    const [first] = (await explain(refused.call, refused.ids[0] ?? ""))["causes"] as Row[];
    expect(first).toMatchObject({ code: "ErrorAccessDenied", means: expect.stringMatching(/nearly all mailboxes/) });
    expect((await refused.call("get_mirror_status")).content["refused"]).toMatchObject({ code: "ErrorAccessDenied" });

    const throttled = await opened();
    throttled.world.graph.faults.add({ kind: "throttledApplication", on: "batch", seconds: 600, count: 1 });
    await throttled.world.tick();
    const told = await explain(throttled.call, throttled.ids[0] ?? "");
    expect((told["causes"] as Row[])[0]).toMatchObject({
      means: expect.stringMatching(/throttles the whole application/),
    });
    expect(told["triedAgain"]).toEqual(expect.any(String));
    expect((await throttled.call("get_mirror_status")).content["throttled"]).toMatchObject({
      until: told["triedAgain"],
    });
  });

  test("no tick comes", async () => {
    const { world, call, ids } = await opened();
    await world.tick();
    world.clock.ms += 86_400_000;
    expect((await explain(call, ids[0] ?? ""))["causes"]).toMatchObject([{ code: "ticksLate" }]);
  });

  test("its user has left", async () => {
    const { world, call, ids } = await opened();
    const [id = ""] = ids;
    world.graph.mailboxes.updateUser(id, { accountEnabled: false });
    await world.discover();
    await world.tick();
    expect(await explain(call, id)).toMatchObject({
      mailbox: { state: "suspended" },
      leaveReason: "disabled",
      causes: [{ code: "suspended" }, { code: "disabled" }],
      triedAgain: null,
    });
  });

  test("it was not read yet, or no tick has come at all", async () => {
    const world = await discovered({ mailboxes: 4, shards: 2 });
    const { call } = await mcpOf(world).connect();
    const told = await explain(call, fitUsers(world)[0] ?? "");
    expect(told).toMatchObject({ isBehind: null, causes: [{ code: "new" }], age: { asOf: null, seconds: null } });
  });

  test("every code that the operations guide knows has words of its own", () => {
    const guide = readFileSync(join(import.meta.dirname, "..", "..", "docs", "operations.md"), "utf8");
    const rows = ["Parked reasons", "Other codes"].flatMap((heading) => {
      const [, text = ""] = guide.split(`\n## ${heading}\n`);
      return [...(text.split("\n## ")[0] ?? "").matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = ""]) => cell);
    });
    const codes = rows.flatMap((cell) => [...cell.matchAll(/`([\w:<>…-]+)`/g)].map(([, code = ""]) => code));
    const known = codes.filter((code) => !["reset", "list", "roundReason"].includes(code));
    expect(known.length).toBeGreaterThan(50);
    expect(known.filter((code) => !explained(code).isKnown)).toEqual([]);
    expect(explained("SomethingNew").isKnown).toBe(false);
  });
});
