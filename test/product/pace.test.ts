import { expect, onTestFinished, test } from "vitest";
import { productAt } from "../../local/start/product.js";
import { startProduct } from "../worlds/product.js";

test("a mirror of 32 shards begins the second sixteen two seconds later, and asks all of its mailboxes", async () => {
  // A message that is to be seen later takes the way of our own request: over Azurite's queue, to the host, and back.
  const product = await startProduct({
    mailboxes: 60,
    calendars: 1,
    settings: { SHARDS: "32", SYNC_SCHEDULE: "0 * * * * *" },
  });
  onTestFinished(() => product.stop());
  await product.add();
  await product.countedTick();
  const { shards, mailboxes } = await productAt(product.hostUrl()).status();
  expect(shards).toHaveLength(32);
  expect(mailboxes.byState).toMatchObject({ fresh: 60, new: 0 });
  for (const { tick, started } of shards.slice(16)) {
    const tickMs = Date.parse(tick?.slice(0, "2026-01-01T00:00:00.000Z".length) ?? "");
    expect(Date.parse(started ?? "") - tickMs).toBeGreaterThan(1_000);
  }
});
