import { expect, test } from "vitest";
import { countedWorld } from "../../bench/quietTick.js";

/** Exact counts, the same on every machine: what a quiet mailbox costs must not creep up. */
test("10,000 quiet mailboxes in 16 shards stay within what a tick may ask of Graph, table and host", async () => {
  const world = await countedWorld({ mailboxes: 10_000, calendars: 2, shards: 16 });
  const counts = await world.tick();
  const per1000 = (count: number) => (count * 1_000) / counts.mailboxes;
  expect(counts.isFresh).toBe(true);
  expect(per1000(counts.graphRequests)).toBeLessThanOrEqual(52);
  expect(counts.graphLinksSent).toBe(counts.mailboxes);
  expect(counts.graphBytesSent / counts.mailboxes).toBeLessThanOrEqual(230); // Without what Graph issued: links' tokens.
  expect(per1000(counts.tableRequests)).toBeLessThanOrEqual(25);
  expect(per1000(counts.executions)).toBeLessThanOrEqual(5);
  // One message for each shard, put, received and deleted; none for a mailbox.
  expect(counts.queueOperations).toBe(16 + 2 + 16);
});
