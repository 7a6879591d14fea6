import { below } from "../../local/graph/random.js";
import type { Outputs } from "./handlers.js";
import type { Invocation, Process } from "./process.js";
import type { Message, QueueName } from "./queues.js";
import type { World } from "./world.js";

/** Trouble with a queue, as the host or the queue client throws it. */
export class QueueFault extends Error {}

/** What a Functions host does around a handler: it sends outputs and completes messages. And the changes queue. */
export class Host {
  readonly nudged = new Map<string, { epoch: string; sequence: number }>();
  nudges = 0;

  constructor(private readonly world: World) {}

  /** Outputs are sent one by one once the handler has succeeded, the bindings side by side. */
  async send({ process }: Invocation, outputs: Outputs): Promise<void> {
    const lanes = outputs.map(async ({ queue, bodies }) => {
      for (const body of bodies) await this.#sendOne(process, queue, body);
    });
    await Promise.all(lanes);
  }

  async complete({ process }: Invocation, message: Message): Promise<void> {
    const { scheduler, queues } = this.world;
    const fate = await scheduler.gate(process, "delete", () => `${message.queue}#${message.id}`);
    if (fate === "crashBefore") return this.world.die(process);
    if (fate === "fails") throw new QueueFault("simulated");
    queues.delete(message);
    if (fate === "crashAfter") return this.world.die(process);
  }

  async nudge(process: Process, mailboxId: string, sequence: number): Promise<void> {
    const { scheduler, oracle } = this.world;
    const fate = await scheduler.gate(process, "nudge", () => `…${mailboxId.slice(-4)} ${sequence}`);
    if (fate === "crashBefore") return this.world.die(process);
    if (fate === "fails") throw new QueueFault("simulated");
    this.nudges += 1;
    oracle.log.nudged(mailboxId, sequence);
    const epoch = oracle.mailbox(mailboxId).checkpoint?.epoch ?? "";
    const known = this.nudged.get(mailboxId);
    const highest = known?.epoch === epoch ? Math.max(known.sequence, sequence) : sequence;
    this.nudged.set(mailboxId, { epoch, sequence: highest });
    if (fate === "crashAfter") return this.world.die(process);
    if (fate === "lost") throw new QueueFault("simulated");
  }

  /** A message that the handler sends itself, to be seen after so many seconds. */
  async sendLater({ process }: Invocation, queue: QueueName, message: object, delaySeconds: number): Promise<void> {
    await this.#sendOne(process, queue, JSON.stringify(message), delaySeconds * 1000);
  }

  async #sendOne(process: Process, queue: QueueName, body: string, laterMs = 0): Promise<void> {
    const { scheduler, oracle, dice, queues, random } = this.world;
    const fate = await scheduler.gate(process, "send", () => `${queue} ${body}`);
    if (fate === "crashBefore") return this.world.die(process);
    if (fate === "fails") throw new QueueFault("simulated");
    if (/token=/i.test(body)) oracle.report("I8", "a link in a queue message", "no link", queue);
    const delayMs = dice.injects("delayedDelivery") ? below(random, 20 * 60_000) : 0;
    if (!dice.injects("messageLost")) queues.add(queue, body, scheduler.nowMs + laterMs + delayMs);
    if (dice.injects("foreignMessage"))
      queues.add(queue, FOREIGN[below(random, FOREIGN.length)] ?? "", scheduler.nowMs);
    if (fate === "crashAfter") return this.world.die(process);
    if (fate === "lost") throw new QueueFault("simulated");
  }
}

/** Messages that somebody else wrote, or an older release. */
const FOREIGN = [
  "null",
  '"text"',
  "{}",
  "[1]",
  "not json",
  '{"shard":"zz","tick":"t"}',
  '{"mailbox":"m","round":"r","page":-1}',
  '{"mailbox":"nobody","round":"r","page":1}',
  '{"mailbox":"nobody","round":"r","page":1,"link":"https://example.com"}',
] as const;
