// Keeps a second copy of the mirrored calendar lists current: a nudge says which mailbox, the feed says what changed. A
// mailbox that leaves is nudged too: the feed then answers 404, and its copy goes.
// Over https, as in Azure: Microsoft's client follows no other links.
//   MIRROR_URL=https://<app>.azurewebsites.net/api/ MIRROR_KEY=<function key> \
//   AzureWebJobsStorage=<connection string> node examples/follow-mirror.mjs
import { pathToFileURL } from "node:url";
import { QueueClient } from "@azure/storage-queue";
import { Client, HTTPMessageHandler, PageIterator, RetryHandler } from "@microsoft/microsoft-graph-client";

/**
 * Microsoft's own client: only the base URL is another, and the function key goes along in the place of a token.
 * @public
 */
export function clientFor(baseUrl, key, transport = new HTTPMessageHandler()) {
  const retry = new RetryHandler();
  const withKey = {
    execute(context) {
      context.options.headers = { ...context.options.headers, "x-functions-key": key };
      return transport.execute(context);
    },
  };
  retry.setNext(withKey);
  return Client.initWithMiddleware({ middleware: retry, baseUrl, defaultVersion: "beta" });
}

/**
 * Walks the feed to its end. `copies`: a Map of mailbox id to `{ calendars: Map, deltaLink }`; a lost one is read anew.
 * @public
 */
export async function refresh(client, copies, mailbox) {
  const held = copies.get(mailbox);
  const calendars = new Map(held?.calendars);
  const take = (row) => {
    if (row["@removed"]) calendars.delete(row.id);
    else calendars.set(row.id, row); // The mirror always gives the whole calendar.
    return true;
  };
  try {
    const start = `/users/${encodeURIComponent(mailbox)}/calendars/delta`;
    const pages = new PageIterator(client, await client.api(held?.deltaLink ?? start).get(), take);
    await pages.iterate();
    copies.set(mailbox, { calendars, deltaLink: pages.getDeltaLink() }); // Rows and link together, or neither.
  } catch (error) {
    if (error.statusCode === 404)
      copies.delete(mailbox); // Its user has left, it was taken off the roster, or Graph has no such mailbox.
    else if (error.statusCode !== 410 && error.code !== "syncStateInvalid") throw error;
    else if (copies.delete(mailbox))
      await refresh(client, copies, mailbox); // Expired, or of a table that is gone: what the new walk lacks is gone.
    else throw error; // A walk that began with nothing and expired on the way: the nudge comes again.
  }
}

/**
 * Handles the nudges that are waiting now. One is deleted only when its mailbox is current; else it comes again.
 * @public
 */
export async function takeNudges(queue, client, copies) {
  const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 120 });
  for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
    const { mailbox } = JSON.parse(Buffer.from(messageText, "base64").toString());
    try {
      await refresh(client, copies, mailbox);
      await queue.deleteMessage(messageId, popReceipt);
    } catch (error) {
      console.error(`${mailbox} is not current: ${error.code ?? error.message}`);
    }
  }
  return receivedMessageItems.length;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const queue = new QueueClient(process.env.AzureWebJobsStorage, process.env.CHANGES_QUEUE ?? "calendar-changes");
  const client = clientFor(process.env.MIRROR_URL, process.env.MIRROR_KEY);
  const copies = new Map(); // A real program keeps these where they outlive it.
  for (;;) {
    const taken = await takeNudges(queue, client, copies);
    if (taken > 0) console.log(`${taken} nudges, ${copies.size} mailboxes held`);
    else await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}
