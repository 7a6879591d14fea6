import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import type { Kept } from "./kept.js";
import type { Reader, Subscribed } from "./reader.js";

/** A notification of a change, as it was received and verified. */
export type Told = {
  readonly id: string;
  readonly changeType: "created" | "updated" | "deleted";
  readonly mailboxId: string;
  /** `calendars`: those of the mailbox as a whole; `mailbox`: it has come, or gone. */
  readonly about: "calendar" | "calendars" | "mailbox";
  /** Null: it is not about one calendar. */
  readonly calendarId: string | null;
};

/** What to do with what is received. */
export type Takes = {
  /** Notifications that are verified and new, in their order. They are accepted when it resolves; else they come again. */
  take(told: readonly Told[]): Promise<void>;
  /** The log did not reach back to what was told last: all is to be read anew. */
  missed(): Promise<void>;
};

/** A receiver that is subscribed. */
export type Receiver = {
  /** Whether it goes on with the subscription of an earlier run. */
  readonly isResumed: boolean;
  readonly counts: { readonly notifications: number; readonly repeats: number; readonly refused: number };
  /** Its subscription is left for the next run where something is kept for that, else deleted. */
  stop(): Promise<void>;
};

const bodyBytesMax = 1_000_000;
/** Ids that are remembered: repeats come soon after, when an answer was lost. */
const idsMax = 2_000;

type Wire = {
  readonly id?: string;
  readonly changeType: Told["changeType"];
  readonly resource: string;
  readonly lifecycleEvent?: string;
};

/**
 * Receives what a mirror tells, as a program of others would: it subscribes to all calendars, answers the handshake, verifies
 * signatures, accepts what it has handled, and handles nothing twice.
 * @param isKept Whether `kept` outlives this run.
 * @throws Error in one line when it cannot subscribe.
 */
export async function startReceiver(
  reader: Pick<Reader, "subscribe" | "renew" | "unsubscribe">,
  kept: Kept,
  isKept: boolean,
  takes: Takes,
): Promise<Receiver> {
  const server = createServer();
  const url = await listen(server, kept);
  const counts = { notifications: 0, repeats: 0, refused: 0 };
  const known = new Set((kept.get("told") as readonly string[] | undefined) ?? []);
  let subscribed = kept.get("subscription") as Subscribed | undefined;
  let handled: Promise<unknown> = Promise.resolve();

  const remember = (ids: readonly string[]) => {
    for (const id of ids) known.add(id);
    const forgotten = [...known].slice(0, -idsMax);
    for (const id of forgotten) known.delete(id);
    kept.set("told", [...known]);
  };
  const handle = async (sent: readonly Wire[]) => {
    const fresh = sent.filter(({ id }) => id !== undefined && !known.has(id));
    const told = fresh.map(toldOf);
    if (told.length > 0) await takes.take(told);
    for (const { lifecycleEvent } of sent) {
      if (lifecycleEvent === "missed") await takes.missed();
      if (lifecycleEvent === "reauthorizationRequired") await reader.renew(subscribed?.id ?? "", url);
    }
    remember(told.map(({ id }) => id));
    counts.notifications += told.length;
    counts.repeats += sent.filter(({ id }) => id !== undefined).length - told.length;
  };
  const receive = async (request: IncomingMessage): Promise<readonly [status: number, words?: string]> => {
    const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
    if (token !== null) return [200, token];
    if (!(Number(request.headers["content-length"]) <= bodyBytesMax)) return [413];
    const sent = verified(subscribed?.secret, await text(request), request.headers);
    if (sent === null) counts.refused += 1;
    if (sent === null) return [400];
    // One after the other: one that comes again while it is still handled is then known.
    const handling = handled.then(() => handle(sent));
    handled = handling.catch(() => undefined);
    await handling;
    return [202];
  };
  server.on("request", async (request, response) => {
    const [status, words] = await receive(request).catch(() => [503] as const); // It comes again.
    response.writeHead(status, { "content-type": "text/plain", "x-content-type-options": "nosniff" }).end(words);
  });

  const isResumed = subscribed !== undefined && (await reader.renew(subscribed.id, url));
  if (!isResumed) {
    subscribed = await reader.subscribe(url);
    kept.set("subscription", subscribed);
  }
  return {
    isResumed,
    counts,
    stop: async () => {
      if (!isKept) await reader.unsubscribe(subscribed?.id ?? "");
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Listens on the port of the last run, which its subscription names, or else on a free one. */
async function listen(server: Server, kept: Kept): Promise<string> {
  const before = kept.get("receiverPort");
  try {
    server.listen(typeof before === "number" ? before : 0, "127.0.0.1");
    await once(server, "listening");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const { port } = server.address() as AddressInfo;
  kept.set("receiverPort", port);
  return `http://localhost:${port}/notifications`;
}

/** Null: it was not signed with our secret, or is old. */
function verified(
  secret: string | undefined,
  body: string,
  headers: IncomingMessage["headers"],
): readonly Wire[] | null {
  if (secret === undefined) return null;
  try {
    return (new Webhook(secret).verify(body, headers as Record<string, string>) as { value: readonly Wire[] }).value;
  } catch {
    return null;
  }
}

function toldOf({ id = "", changeType, resource }: Wire): Told {
  const [, mailbox = "", calendars, calendar] = /^users\/([^/]+)(\/calendars(?:\/(.+))?)?$/.exec(resource) ?? [];
  const about = calendar !== undefined ? "calendar" : calendars !== undefined ? "calendars" : "mailbox";
  const calendarId = calendar === undefined ? null : decodeURIComponent(calendar);
  return { id, changeType, mailboxId: decodeURIComponent(mailbox), about, calendarId };
}
