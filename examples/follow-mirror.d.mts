import type { Client, Middleware } from "@microsoft/microsoft-graph-client";

/** The calendars of one mailbox by id, and the place in its feed that they stand for. */
export type Copy = { readonly calendars: ReadonlyMap<string, { readonly name: string }>; readonly deltaLink: string };

/** What the example needs of a Graph client, and of a `QueueClient`. */
export type Asking = { api(path: string): { get(): Promise<unknown> } };
export type Queue = {
  receiveMessages(options: object): Promise<{
    readonly receivedMessageItems: readonly {
      readonly messageText: string;
      readonly messageId: string;
      readonly popReceipt: string;
    }[];
  }>;
  deleteMessage(messageId: string, popReceipt: string): Promise<unknown>;
};

export function clientFor(baseUrl: string, key: string, transport?: Middleware): Client;
export function refresh(client: Asking, copies: Map<string, Copy>, mailbox: string): Promise<void>;
export function takeNudges(queue: Queue, client: Asking, copies: Map<string, Copy>): Promise<number>;
