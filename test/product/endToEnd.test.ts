import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Product, startProduct } from "../worlds/product.js";

const soon = { timeout: 150_000, interval: 200 };

describe("50 mailboxes with 25 calendars each, 10 to a page, in real processes", () => {
  let product: Product;
  beforeAll(async () => {
    product = await startProduct({ mailboxes: 50, calendars: 25, settings: { GRAPH_PAGE_SIZE: "10" } });
    await product.add();
  });
  afterAll(() => product?.stop());

  const becomesIdentical = () => vi.waitFor(async () => expect(await product.different()).toEqual([]), soon);
  const idle = { mailboxes: 50, fresh: 50, notFresh: {} };

  test("I1: are identical to Graph after the first tick", async () => {
    await product.tick();
    await becomesIdentical();
    await vi.waitFor(async () => expect(await product.snapshot()).toMatchObject({ ...idle, calendars: 1250 }), soon);
  });

  test("I5: are identical after 200 random edits and a tick", async () => {
    for (let edit = 0; edit < 200; edit++) product.graph.editAtRandom();
    expect(await product.different()).not.toEqual([]);
    await product.tick();
    await becomesIdentical();
  });

  test("I4: are identical after every link was forgotten, and no calendar was away meanwhile", async () => {
    const [mailboxId = ""] = product.graph.mailboxes.ids();
    const before = new Set(product.graph.truth(mailboxId).map(({ id }) => id));
    product.graph.mailboxes.forgetLinks();
    for (let edit = 0; edit < 50; edit++) product.graph.editAtRandom();
    const stays = new Set(product.graph.truth(mailboxId).flatMap(({ id }) => (before.has(id) ? [id] : [])));
    await product.tick();
    await vi.waitFor(async () => {
      const alive = (await product.view.calendars(mailboxId)).filter(({ removedMs }) => removedMs === null);
      const served = new Set(alive.map(({ calendarId }) => calendarId));
      expect([...stays].filter((id) => !served.has(id))).toEqual([]);
      expect(await product.different()).toEqual([]);
    }, soon);
  });

  test("I1, I9: are identical after the host was killed in mid-round and started again", async () => {
    product.graph.mailboxes.forgetLinks();
    for (let edit = 0; edit < 50; edit++) product.graph.editAtRandom();
    product.graph.faults.add({ kind: "latency", latencyMs: 150 });
    await product.tick();
    await vi.waitFor(async () => {
      const states = Object.keys((await product.snapshot()).notFresh);
      expect(states).toContain("inProgress");
    }, soon);
    await product.killHost();
    expect(await product.different()).not.toEqual([]);
    product.graph.faults.clear();
    await product.restartHost();
    await product.tick();
    await becomesIdentical();
    await vi.waitFor(async () => expect(await product.snapshot()).toMatchObject(idle), soon);
  });
});
