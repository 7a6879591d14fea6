import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { vi } from "vitest";
import { type Product, startProduct } from "../../worlds/product.js";
import { startFront } from "./front.js";

/** A calendar, or its removal, as JSON. */
export type Item = { readonly id: string; readonly [name: string]: unknown };

/**
 * The built app, in the real worker of a host, over Azurite and beside the Graph simulator, behind a front end with TLS that checks
 * keys and tokens as Azure does. Programs of other languages get `environment`.
 */
export type App = Awaited<ReturnType<typeof startApp>>;

const soon = { timeout: 60_000, interval: 50 };
/** Calendars of each mailbox at the start. */
const calendars = 7;
/** The group of two calendars of the mailbox; all others are in none that Graph names. */
export const groupId = "AAMkADIwM2E4ZmYxLTU3ZjItNGM2Mi1hZjQ5LWI0ZmQ5Y2Q4Y2Q4ZgBGAAAAAAB=";

/**
 * Starts it, with mailboxes that answer everything that a client can meet: one that is mirrored, one that Graph has never
 * answered for (503), one that it denies (403), and one that was added again, so that `expiredLink` is 410.
 */
export async function startApp() {
  const settings = { WEBSITE_AUTH_ENABLED: "True", GRAPH_PAGE_SIZE: "3" };
  const product = await startProduct({ mailboxes: 4, calendars, settings });
  const [mailbox = "", unread = "", denied = "", again = ""] = product.graph.mailboxes.ids();
  const key = randomBytes(16).toString("hex");
  const token = randomBytes(16).toString("hex");
  const own = { "/test/change": async () => change(product, mailbox) };
  const front = await startFront({ hostUrl: product.hostUrl(), key, token, userId: mailbox, own });
  setDefaultCACertificates([...getCACertificates("default"), front.certificate]);
  const folder = await mkdtemp(join(tmpdir(), "clients-"));
  const certificateFile = join(folder, "front.pem");
  await writeFile(certificateFile, front.certificate);

  for (const { id } of product.graph.truth(mailbox).slice(2, 4)) {
    product.graph.updateCalendar(mailbox, id, { calendarGroupId: groupId });
  }
  product.graph.faults.add({ kind: "mailboxInfoStale", mailboxId: unread });
  product.graph.faults.add({ kind: "denied", mailboxId: denied });
  await product.add();
  await mirrored(product, [mailbox, again]);
  const base = `${front.origin}/api/beta`;
  const expiredLink = await linkThatExpires(product, `${base}/users/${again}/calendars/delta`, key, again);
  return {
    origin: front.origin,
    /** What a Graph client takes as the root, in the place of `https://graph.microsoft.com/beta`. */
    base,
    host: new URL(front.origin).hostname,
    /** The mailbox that is read, and the user whom `token` names. */
    mailbox,
    unread,
    denied,
    expiredLink,
    key,
    token,
    connectionString: product.connectionString,
    /** For programs that are started beside it. */
    environment: {
      ...process.env,
      SSL_CERT_FILE: certificateFile, // .NET and OpenSSL
      CURL_CA_BUNDLE: certificateFile,
      NODE_EXTRA_CA_CERTS: certificateFile,
      UNREAD_MAILBOX: unread,
      EXPIRED_LINK: expiredLink,
      MIRROR_STORAGE: product.connectionString,
    },
    /** What Graph has, by id in code units, which is the order of the mirror's lists. */
    truth: (): readonly Item[] => [...product.graph.truth(mailbox)].sort((a, b) => (a.id < b.id ? -1 : 1)),
    change: () => change(product, mailbox),
    stop: async () => {
      await front.stop();
      await product.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** Creates, renames and deletes a calendar of the mailbox, none of the group's, and waits until the mirror has all of it. */
async function change(product: Product, mailbox: string) {
  const { graph } = product;
  const mayGo = graph.truth(mailbox).filter((each) => each.isRemovable === true && each.calendarGroupId !== groupId);
  const [renamed, removed] = mayGo;
  const created = graph.createCalendar(mailbox, { name: `New ${randomBytes(4).toString("hex")}` });
  graph.renameCalendar(mailbox, renamed?.id ?? "", `Other ${randomBytes(4).toString("hex")}`);
  graph.deleteCalendar(mailbox, removed?.id ?? "");
  await mirrored(product, [mailbox]);
  return { created: created.id, renamed: renamed?.id ?? "", removed: removed?.id ?? "" };
}

async function mirrored(product: Product, mailboxes: readonly string[]): Promise<void> {
  await product.countedTick();
  await vi.waitFor(async () => {
    const different = await product.different();
    const { notFresh } = await product.snapshot();
    const wrong = mailboxes.filter((id) => different.includes(id) || id in notFresh);
    if (wrong.length > 0) throw new Error(`Not mirrored: ${wrong.join(", ")}.`);
  }, soon);
}

/** A deltaLink of a mailbox that is then removed and added again: it belongs to an epoch that has ended. */
async function linkThatExpires(product: Product, start: string, key: string, mailbox: string): Promise<string> {
  const headers = { "x-functions-key": key };
  const page = (await (await fetch(start, { headers })).json()) as Record<string, unknown>;
  const remove = await fetch(`${product.hostUrl()}/api/mailboxes/${mailbox}`, { method: "DELETE" });
  if (remove.status !== 204) throw new Error(`The mailbox was not removed: ${remove.status}.`);
  await fetch(`${product.hostUrl()}/api/mailboxes/${mailbox}`, { method: "PUT" });
  await mirrored(product, [mailbox]);
  return String(page["@odata.deltaLink"]);
}
