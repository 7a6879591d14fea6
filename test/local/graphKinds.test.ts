import { describe, expect, onTestFinished, test } from "vitest";
import { accountsPerHundredOf, MIXED_TENANT, PURPOSES } from "../../local/graph/accounts.js";
import type { FaultRule } from "../../local/graph/faults.js";
import { startGraphServer } from "../../local/graph/server.js";
import type { GraphOptions } from "../../local/graph/types.js";
import { createMailboxKindsClient } from "../../shared/graph/mailboxKinds.js";
import { openTransport } from "../worlds/scriptedGraph.js";
import { simulator, verdict } from "../worlds/simulator.js";

const USERS = "/beta/users/delta";
const purposePath = (id: string) => `/users/${id}/mailboxSettings/userPurpose`;

/** The simulator, with the words in which it says what mailboxes are for: alone, and as items of one batch. */
function tenant(options: Partial<GraphOptions> = {}) {
  const world = simulator(options);
  const alone = (id: string) => {
    const response = world.ask(`/v1.0${purposePath(id)}`);
    return response.status === 200 ? (JSON.parse(response.body) as { value: string }).value : verdict(response);
  };
  const inBatch = (ids: readonly string[]) => {
    const requests = ids.map((id) => ({ id, method: "GET", url: purposePath(id) }));
    const items = world.batch(requests);
    return ids.map(
      (id) => items.get(id)?.body?.value ?? `${items.get(id)?.status} ${items.get(id)?.body?.error?.code}`,
    );
  };
  return { ...world, mailboxes: world.graph.mailboxes, alone, inBatch };
}

describe("mailboxSettings/userPurpose", () => {
  test("tells what a mailbox is for, alone and in a batch", () => {
    const { graph, mailboxes, mailboxId, ask, alone, inBatch } = tenant({ mailboxes: PURPOSES.length });
    const ids = mailboxes.ids();
    PURPOSES.forEach((purpose, index) => {
      mailboxes.setPurpose(mailboxes.idAt(index), purpose);
    });
    expect(ids.map(alone)).toEqual(PURPOSES);
    expect(inBatch(ids)).toEqual(PURPOSES);
    expect(JSON.parse(ask(`/beta/users('${mailboxId}')/MailboxSettings/UserPurpose`).body)).toEqual({
      "@odata.context": `https://graph.microsoft.com/beta/$metadata#users('${mailboxId}')/mailboxSettings/userPurpose`,
      value: "user",
    });
    const { answersByKind, kindRequests } = graph.stats();
    expect([answersByKind.userPurpose, kindRequests]).toEqual([15, 9]);
  });

  test("is not there for who has no mailbox: guests, users without an address, and nobody", () => {
    const { mailboxes, alone, inBatch } = tenant({ mailboxes: 5 });
    const [guest = "", noMail = "", emptyMail = "", gone = "", left = ""] = mailboxes.ids();
    mailboxes.updateUser(guest, { userType: "Guest" });
    mailboxes.updateUser(noMail, { mail: null });
    mailboxes.updateUser(emptyMail, { mail: "" });
    mailboxes.setState(gone, { kind: "gone", code: "ErrorInvalidUser" });
    mailboxes.remove(left);
    const none = "404 MailboxNotEnabledForRESTAPI";
    const expected = [none, none, none, "404 ErrorInvalidUser", "404 Request_ResourceNotFound"];
    expect([guest, noMail, emptyMail, gone, left].map(alone)).toEqual(expected);
    expect(inBatch([guest, noMail, emptyMail, gone, left])).toEqual(expected);
    mailboxes.updateUser(noMail, { mail: "back@contoso.example" });
    expect(alone(noMail)).toBe("user");
  });

  test("is denied item by item without the permission; the directory and calendars go on", () => {
    const { graph, mailboxes, start, ask, alone, inBatch } = tenant({ mailboxes: 2 });
    const ids = mailboxes.ids();
    graph.switchMailboxSettings(false);
    expect([...ids.map(alone), ...inBatch(ids)]).toEqual(new Array(4).fill("403 ErrorAccessDenied"));
    expect([ask(USERS).status, ask(start).status]).toEqual([200, 200]);
    graph.switchMailboxSettings(true);
    expect(inBatch(ids)).toEqual(["user", "user"]);
  });

  test("cannot be written, and no other setting is served", () => {
    const { mailboxId, send, ask } = tenant();
    expect(send("PATCH", `/beta${purposePath(mailboxId)}`, { value: "room" }).status).toBe(405);
    expect(verdict(ask(`/beta/users/${mailboxId}/mailboxSettings/language`))).toBe("400 RequestBroker--ParseUri");
  });
});

describe("faults of mailbox settings", () => {
  const itemFaults: readonly (readonly [FaultRule["kind"], string])[] = [
    ["throttled", "429 ApplicationThrottled"],
    ["denied", "403 ErrorAccessDenied"],
    ["serverError", "500 ErrorInternalServerError"],
    ["noMailbox", "404 MailboxNotEnabledForRESTAPI"],
  ];

  test.each(itemFaults)("%s strikes one item of a batch, and only those of settings", (kind, expected) => {
    const { graph, mailboxes, mailboxId, start, ask, inBatch } = tenant({ mailboxes: 2 });
    graph.faults.add({ kind, on: "settings", mailboxId });
    expect(inBatch(mailboxes.ids())).toEqual([expected, "user"]);
    expect([ask(USERS).status, ask(start).status, ask(`/beta/users/${mailboxId}`).status]).toEqual([200, 200, 200]);
  });

  test.each(["denied", "serverError"] as const)("%s of the directory leaves settings alone", (kind) => {
    const { graph, mailboxId, alone } = tenant();
    graph.faults.add({ kind, on: "directory" });
    expect(alone(mailboxId)).toBe("user");
  });

  const batchFaults: readonly (readonly [FaultRule["kind"], readonly string[]])[] = [
    ["throttledApplication", ["failed", "failed"]],
    ["unavailable", ["failed", "failed"]],
    ["truncatedBody", ["failed", "failed"]],
    ["connectionReset", ["failed", "failed"]],
    ["batchNotJson", ["failed", "failed"]],
    ["batchMissingItem", ["failed", "known"]],
  ];

  test.each(batchFaults)("%s strikes a batch of them, as the product's own client sees it", async (kind, expected) => {
    const { graph, mailboxes } = tenant({ mailboxes: 2 });
    const server = await startGraphServer({ core: graph });
    onTestFinished(server.close);
    const transport = openTransport(server.url);
    const clock = { nowMs: () => 0 };
    const client = createMailboxKindsClient({
      settings: { version: "beta" },
      transport,
      clock,
      log: () => undefined,
    });
    const kinds = async () => (await client.kindsOf(mailboxes.ids())).map((answer) => answer.kind).sort();
    graph.faults.add({ kind, on: "batch" });
    expect(await kinds()).toEqual(expected);
    graph.faults.clear();
    expect(await kinds()).toEqual(["known", "known"]);
  });
});

describe("a conversion", () => {
  test("of the purpose alone does not show in the directory", () => {
    const { mailboxes, mailboxId, round, alone } = tenant();
    const { link } = round(USERS);
    mailboxes.setPurpose(mailboxId, "shared");
    expect(round(link).rows).toEqual([]);
    expect([alone(mailboxId), mailboxes.purpose(mailboxId)]).toEqual(["shared", "shared"]);
  });

  test("to a shared mailbox disables the sign-in, and back enables it; the directory shows both", () => {
    const { mailboxes, mailboxId, round, alone } = tenant();
    const first = round(USERS);
    mailboxes.convert(mailboxId, "shared");
    const second = round(first.link);
    expect([second.rows, alone(mailboxId)]).toMatchObject([[{ id: mailboxId, accountEnabled: false }], "shared"]);
    mailboxes.convert(mailboxId, "user");
    expect([round(second.link).rows, alone(mailboxId)]).toMatchObject([[{ accountEnabled: true }], "user"]);
  });

  test("of somebody who left before does not show in the directory", () => {
    const { mailboxes, mailboxId, round, alone } = tenant();
    mailboxes.updateUser(mailboxId, { accountEnabled: false });
    const { link } = round(USERS);
    mailboxes.convert(mailboxId, "shared");
    expect([round(link).rows, alone(mailboxId)]).toEqual([[], "shared"]);
  });
});

describe("a tenant of more than people", () => {
  test("has of each hundred accounts what was asked for, and none of them can sign in", () => {
    const { mailboxes, round, inBatch } = tenant({ mailboxes: 300, perHundred: MIXED_TENANT });
    const { rows } = round(USERS, 999);
    const disabled = rows.filter(({ accountEnabled }) => accountEnabled === false);
    const purposes = disabled.map(({ id }) => mailboxes.purpose(id));
    const count = (wanted: string) => purposes.filter((purpose) => purpose === wanted).length;
    expect(["shared", "room", "equipment", "user"].map(count)).toEqual([21, 9, 6, 9]);
    expect(disabled.every(({ userType }) => userType === "Member")).toBe(true);
    const enabled = rows.filter(({ accountEnabled }) => accountEnabled === true);
    expect(enabled.every(({ id }) => mailboxes.purpose(id) === "user")).toBe(true);
    expect(inBatch(disabled.slice(0, 20).map(({ id }) => id))).toEqual(purposes.slice(0, 20));
  });

  test("has some of each among fifty, and the first is a person", () => {
    const { mailboxes, mailboxId } = tenant({ mailboxes: 50, perHundred: MIXED_TENANT });
    expect(new Set(mailboxes.ids().map((id) => mailboxes.purpose(id)))).toEqual(
      new Set(["user", "shared", "room", "equipment"]),
    );
    expect(mailboxes.purpose(mailboxId)).toBe("user");
  });

  test("is described in one word of the command line", () => {
    expect(accountsPerHundredOf("shared=7,room=3,equipment=2,leaver=3")).toEqual(MIXED_TENANT);
    for (const text of ["", "shared", "robot=3", "shared=90,room=20", "shared=-1"])
      expect(() => accountsPerHundredOf(text)).toThrow("Of each hundred accounts");
  });
});
