import { describe, expect, test } from "vitest";
import { createFeed } from "../../shared/feed/feed.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { readFeedKey } from "../../shared/store/meta.js";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { mailboxId, mailboxWorld, worldWith } from "../worlds/mailbox.js";

/** What readers meet after the mirror has moved to another table: docs/operations.md, "Another SHARDS". */

const drawing = (byte: number) => () => new Uint8Array(32).fill(byte);

/** A reader's token from one table, asked in another one in which the mailbox was added anew. */
async function moved(carried: "with the key of tokens" | "alone") {
  const before = await worldWith({ a: "A" });
  const key = await readFeedKey(before.table, drawing(1));
  const feed = createFeed({ store: before.store, key });
  const page = await feed.delta(mailboxId, null, 10);
  const token = "token" in page ? page.token : "";

  const table = memoryTable();
  await table.createIfMissing();
  if (carried === "with the key of tokens") {
    // As an operator does, before the app has ever seen the table.
    const columns = { key: Buffer.from(key).toString("base64") };
    await table.transact("~meta", [{ kind: "create", rowKey: "feedkey", columns }]);
  }
  const after = await mailboxWorld({ store: { table } });
  await addMailbox(mailboxId, {}, after.store, () => "another epoch");
  await after.fullRound({ b: "B" });
  const feedAfter = createFeed({ store: after.store, key: await readFeedKey(table, drawing(2)) });
  return feedAfter.delta(mailboxId, token, 10);
}

describe("a reader whose mirror moves to a new table", () => {
  test("I6: has to start over, when the key of its tokens came along", async () => {
    expect(await moved("with the key of tokens")).toMatchObject({ kind: "expired" });
  });

  test("I6: is refused without that key, and never given half of the changes", async () => {
    expect(await moved("alone")).toMatchObject({ kind: "badToken" });
  });
});
