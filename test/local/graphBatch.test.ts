import { describe, expect, test } from "vitest";
import { simulator, verdict } from "../worlds/simulator.js";

const deltas = (ids: readonly string[]) =>
  ids.map((id, at) => ({ id: String(at), method: "GET", url: `/users/${id}/calendars/delta` }));

describe("a batch", () => {
  test("answers every item by itself, in another order", () => {
    const { graph, send } = simulator({ mailboxes: 20 });
    const response = send("POST", "/beta/$batch", { requests: deltas(graph.mailboxes.ids()) });
    const { responses } = JSON.parse(response.body) as { responses: { id: string; status: number }[] };
    const order = responses.map(({ id }) => Number(id));
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(20);
    expect(responses.every(({ status }) => status === 200)).toBe(true);
    expect(graph.stats()).toMatchObject({ httpRequests: 1, batchRequests: 1, batchItems: 20, itemsInFlightMax: 4 });
    expect(graph.stats()).toMatchObject({ itemsPerMailboxInBatchMax: 1, answersByKind: { delta: 20 } });
  });

  test("takes headers per item, and links without root and version", () => {
    const { start, round, batch, mailboxId } = simulator({ calendars: 5 });
    const { link } = round(start);
    const headers = { Prefer: "odata.maxpagesize=2", "client-request-id": "mine" };
    const items = batch([
      { id: "first", method: "GET", url: `users/${mailboxId}/calendars/delta`, headers },
      { id: "later", method: "GET", url: link.slice(link.indexOf("/users")) },
      { id: "foreign", method: "GET", url: "/beta/me/calendars/delta" },
    ]);
    expect(items.get("first")?.body?.value).toHaveLength(2);
    expect(items.get("first")?.headers["client-request-id"]).toBe("mine");
    expect(items.get("later")?.body?.value).toEqual([]);
    expect(items.get("foreign")).toMatchObject({ status: 400, body: { error: { code: "RequestBroker--ParseUri" } } });
  });

  test("carries bodies, leaves them out of a 204, and fails what depends on a failure", () => {
    const { graph, batch, mailboxId } = simulator();
    const list = `/users/${mailboxId}/calendars`;
    const last = graph.truth(mailboxId).at(-1);
    const items = batch([
      { id: "a", method: "POST", url: list, headers: { "Content-Type": "application/json" }, body: { name: "New" } },
      { id: "b", method: "DELETE", url: `${list}/${last?.id}` },
      { id: "c", method: "GET", url: `${list}/none` },
      { id: "d", method: "GET", url: list, dependsOn: ["C"] },
    ]);
    expect([...items.values()].map(({ id, status }) => `${id}${status}`).sort()).toEqual([
      "a201",
      "b204",
      "c404",
      "d424",
    ]);
    expect(items.get("b")).not.toHaveProperty("body");
    expect(graph.truth(mailboxId).map(({ name }) => name)).toContain("New");
  });

  test("takes as long as its items do, four at a time", () => {
    const { graph, send, start, ask } = simulator({ mailboxes: 20, latency: { minMs: 50, maxMs: 50 } });
    const delayMs = (count: number) =>
      send("POST", "/beta/$batch", { requests: deltas(graph.mailboxes.ids().slice(0, count)) }).delayMs;
    expect([delayMs(1), delayMs(4), delayMs(5), delayMs(20)]).toEqual([50, 50, 100, 250]);
    expect(ask(start).delayMs).toBe(50);
  });

  test.each([
    ["no JSON", "{"],
    ["no requests", {}],
    ["too many", { requests: deltas(Array.from({ length: 21 }, (_, at) => String(at))) }],
    [
      "ids that differ in case only",
      {
        requests: [
          { id: "a", method: "GET", url: "/me" },
          { id: "A", method: "GET", url: "/me" },
        ],
      },
    ],
    ["an absolute url", { requests: [{ id: "a", method: "GET", url: "https://graph.microsoft.com/beta/me" }] }],
    ["no method", { requests: [{ id: "a", url: "/me" }] }],
  ])("is refused whole: %s", (_why, body) => {
    const { graph } = simulator();
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const headers = { authorization: "Bearer fake" };
    expect(verdict(graph.handle({ method: "POST", url: "/beta/$batch", headers, body: text }))).toBe("400 BadRequest");
    expect(graph.stats()).toMatchObject({ batchRefusals: 1, batchItems: 0 });
  });
});
