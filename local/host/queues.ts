import type { DequeuedMessageItem, QueueClient } from "@azure/storage-queue";
import type { HostFunction } from "./functions.js";
import { messageOf } from "./hostError.js";
import type { Invoker } from "./invoke.js";
import type { HostEvent, Reporter } from "./log.js";
import { encodeMessage } from "./outputs.js";
import { decodeMessage, messageMetadata } from "./queueMessage.js";
import type { QueueSettings } from "./settings.js";
import { sendCreating, statusOf } from "./storage.js";

const LEASE_MS = 10 * 60_000; // Fixed in the extension; host.json cannot change it.
const BACKOFF_MS = 100; // First wait after an empty answer, and the step that then doubles.

/** What polls one queue. */
export type QueueListener = {
  /** Looks again at once: the same host has just written to this queue. */
  notify(): void;
  /** Asks for no more messages. What was received is still handled; `Invoker.idle` says when. */
  stop(): Promise<void>;
};

/** Which queue is polled, for which function. */
export type QueueListenerOptions = {
  readonly hostFunction: HostFunction;
  readonly queue: QueueClient;
  /** Null for a queue that can have none. */
  readonly poisonQueue: QueueClient | null;
  readonly settings: QueueSettings;
  readonly invoker: Invoker;
  readonly reporter: Reporter;
};

/** The name of the poison queue, or null: a `-poison` queue has none, nor has one too long for the suffix. */
export function poisonQueueName(queueName: string): string | null {
  const name = `${queueName}-poison`;
  return queueName.endsWith("-poison") || name.length > 63 ? null : name;
}

/**
 * Polls one queue for one function. A batch is fetched while at most `newBatchThreshold` messages are being handled, so
 * that at most batchSize + newBatchThreshold run at a time.
 */
export function startQueueListener(options: QueueListenerOptions): QueueListener {
  const { hostFunction, queue, settings, reporter } = options;
  const inHand = new Set<Promise<void>>();
  let isStopping = false;
  let wake: () => void = () => undefined;
  let wasNotified = false;
  let emptyAnswers = 0;

  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const receive = async (): Promise<DequeuedMessageItem[]> => {
    try {
      const numberOfMessages = settings.batchSize;
      const answer = await queue.receiveMessages({ numberOfMessages, visibilityTimeout: LEASE_MS / 1000 });
      return answer.receivedMessageItems;
    } catch (error) {
      // A missing queue counts as empty; the trigger does not create it.
      if (statusOf(error) !== 404) reporter.log("warning", hostFunction.name, `cannot poll: ${messageOf(error)}`);
      return [];
    }
  };
  const poll = async (): Promise<void> => {
    while (!isStopping) {
      wasNotified = false;
      const messages = await receive();
      for (const message of messages) {
        const work = handleMessage(options, message).finally(() => inHand.delete(work));
        inHand.add(work);
      }
      emptyAnswers = messages.length > 0 ? 0 : emptyAnswers + 1;
      while (inHand.size > settings.newBatchThreshold) await Promise.race(inHand);
      if (messages.length === 0 && !wasNotified && !isStopping) await sleep(backoffMs(emptyAnswers, settings));
    }
  };
  const polling = poll();
  return {
    notify() {
      wasNotified = true;
      emptyAnswers = 0;
      wake();
    },
    async stop() {
      isStopping = true;
      wake();
      await polling; // A receive under way must end: its messages would stay hidden for the whole lease.
      await Promise.all(inHand);
    },
  };
}

/** The wait after the n-th empty answer in a row: exponential, ±20 %, at most maxPollingInterval. */
function backoffMs(emptyAnswers: number, settings: QueueSettings): number {
  const growth = emptyAnswers <= 1 ? 0 : BACKOFF_MS * 2 ** Math.min(emptyAnswers - 2, 20);
  return Math.min(BACKOFF_MS + growth * (0.8 + Math.random() * 0.4), settings.maxPollingIntervalMs);
}

/** Handles one message to its end. Never rejects: what storage refuses is logged, and the message comes back when its lease ends. */
async function handleMessage(options: QueueListenerOptions, message: DequeuedMessageItem): Promise<void> {
  try {
    await processMessage(options, message);
  } catch (error) {
    options.reporter.log("error", options.hostFunction.name, `message ${message.messageId}: ${messageOf(error)}`);
  }
}

async function processMessage(options: QueueListenerOptions, message: DequeuedMessageItem): Promise<void> {
  const { hostFunction, queue, poisonQueue, settings, invoker, reporter } = options;
  const body = decodeMessage(message.messageText, settings.messageEncoding);
  if (body === null) {
    reporter.log("warning", hostFunction.name, `Message decoding has failed! MessageId=${message.messageId}`);
    // Its text is passed on unchanged. Without a poison queue it stays hidden until its lease ends.
    return moveToPoison(options, message, message.messageText, "undecodable");
  }
  const encoded = encodeMessage(Buffer.from(body), settings.messageEncoding);
  // A message that keeps killing its host ends here too: its dequeue count rises although no invocation ends.
  if (poisonQueue !== null && message.dequeueCount > settings.maxDequeueCount) {
    return moveToPoison(options, message, encoded, "dequeueCount");
  }
  const lease = keepLease(options, message);
  let isDone: boolean;
  try {
    const triggerMetadata = messageMetadata(hostFunction.name, body, message);
    isDone = (await invoker.invoke(hostFunction, { cause: "queue", data: { string: body }, triggerMetadata })).ok;
  } finally {
    lease.stop();
  }
  const { messageId } = message;
  if (isDone) return ignoreLost(() => queue.deleteMessage(messageId, lease.popReceipt()));
  if (poisonQueue === null) return; // Hidden until its lease ends, then tried again, for ever.
  if (message.dequeueCount >= settings.maxDequeueCount) {
    return moveToPoison(options, { ...message, popReceipt: lease.popReceipt() }, encoded, "failed");
  }
  const visibleInSeconds = Math.ceil(settings.visibilityTimeoutMs / 1000);
  await ignoreLost(() => queue.updateMessage(messageId, lease.popReceipt(), undefined, visibleInSeconds));
}

type PoisonReason = Extract<HostEvent, { event: "poison" }>["reason"];

/** Copy, then delete: not atomic, so poison may come twice. */
async function moveToPoison(
  { hostFunction, queue, poisonQueue, reporter }: QueueListenerOptions,
  message: DequeuedMessageItem,
  text: string,
  reason: PoisonReason,
): Promise<void> {
  if (poisonQueue === null) return;
  const { messageId, dequeueCount } = message;
  await sendCreating(poisonQueue, text);
  await ignoreLost(() => queue.deleteMessage(messageId, message.popReceipt));
  const about = { function: hostFunction.name, queue: queue.name, poisonQueue: poisonQueue.name };
  reporter.log(
    "warning",
    hostFunction.name,
    `Message ${messageId} (dequeued ${dequeueCount}×) → '${poisonQueue.name}'`,
  );
  reporter.emit({ event: "poison", ...about, messageId, dequeueCount, reason });
}

/** Renews the lease at half time for as long as the function runs. */
function keepLease(
  { hostFunction, queue, reporter }: QueueListenerOptions,
  message: DequeuedMessageItem,
): { popReceipt(): string; stop(): void } {
  let receipt = message.popReceipt;
  const timer = setInterval(async () => {
    try {
      const renewed = await queue.updateMessage(message.messageId, receipt, undefined, LEASE_MS / 1000);
      receipt = renewed.popReceipt ?? receipt;
    } catch (error) {
      if (isLost(error)) clearInterval(timer); // Another receiver has it now. The handler goes on, as in the real host.
      reporter.log("debug", hostFunction.name, `lease of ${message.messageId} not renewed: ${messageOf(error)}`);
    }
  }, LEASE_MS / 2);
  return { popReceipt: () => receipt, stop: () => clearInterval(timer) };
}

function isLost(error: unknown): boolean {
  const status = statusOf(error);
  return status === 404 || status === 400; // MessageNotFound; PopReceiptMismatch.
}

async function ignoreLost(call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isLost(error)) throw error; // Else another receiver has the message by now.
  }
}
