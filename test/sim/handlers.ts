import { parsePageMessage, parseRoundsMessage } from "../../shared/messages.js";
import { applyPage } from "../../shared/rounds/applyPage.js";
import { parkPages, parkRounds } from "../../shared/rounds/poison.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { type Invocation, portsOf, type Wiring } from "./process.js";
import type { QueueName } from "./queues.js";

/** Messages that leave once the handler has succeeded, by output binding. */
export type Outputs = readonly { readonly queue: QueueName; readonly bodies: readonly string[] }[];

/** What the triggers in `functions/` do: parse, hand over, and put outputs into their bindings. */
export async function handle(
  queue: QueueName,
  body: unknown,
  invocation: Invocation,
  wiring: Wiring,
): Promise<Outputs> {
  switch (queue) {
    case "rounds": {
      const message = parseRoundsMessage(body);
      if ("discover" in message) throw new Error("Discovery has no queue here.");
      const end = await runRounds(message, await portsOf(invocation, wiring));
      const pages = { queue: "pages", bodies: end.pages.map((page) => JSON.stringify(page)) } as const;
      const more = end.continuation === null ? [] : [JSON.stringify(end.continuation)];
      return [pages, { queue: "rounds", bodies: more }];
    }
    case "pages": {
      const { next } = await applyPage(parsePageMessage(body), await portsOf(invocation, wiring));
      return [{ queue: "pages", bodies: next === null ? [] : [JSON.stringify(next)] }];
    }
    case "pages-poison":
      await parkPages(body, await portsOf(invocation, wiring));
      return [];
    case "rounds-poison":
      parkRounds(body, wiring.log);
      return [];
  }
}
