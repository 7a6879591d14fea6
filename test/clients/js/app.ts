import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { vi } from "vitest";
import { type Product, startProduct } from "../../worlds/product.js";
import { startFront } from "./front.js";
import { startReceiver } from "./receiver.js";

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
 * answered for (503), one that it denies (403), and one that was added again, so that links of before are 410.
 */
export async function startApp() {
  const settings = { WEBSITE_AUTH_ENABLED: "True", GRAPH_PAGE_SIZE: "3" };
  const product = await startProduct({ mailboxes: 4, calendars, settings });
  const receiver = await startReceiver();
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
  const ofAgain = `${base}/users/${again}/calendars`;
  const links = [
    await linkOf(`${ofAgain}/delta`, "@odata.deltaLink", key),
    await linkOf(`${ofAgain}?$top=1`, "@odata.nextLink", key),
  ];
  await addAgain(product, again);
  return {
    origin: front.origin,
    /** What a Graph client takes as the root, in the place of `https://graph.microsoft.com/beta`. */
    base,
    host: new URL(front.origin).hostname,
    /** The mailbox that is read, and the user whom `token` names. */
    mailbox,
    unread,
    denied,
    /** A deltaLink, and the nextLink of a list, that are no longer valid. */
    expiredLinks: links,
    key,
    token,
    /** Where notifications may go. */
    receiverUrl: receiver.url,
    connectionString: product.connectionString,
    /** For programs that are started beside it. */
    environment: {
      ...process.env,
      SSL_CERT_FILE: certificateFile, // .NET and OpenSSL
      CURL_CA_BUNDLE: certificateFile,
      NODE_EXTRA_CA_CERTS: certificateFile,
      UNREAD_MAILBOX: unread,
      DENIED_MAILBOX: denied,
      EXPIRED_LINKS: links.join(" "),
      MIRROR_STORAGE: product.connectionString,
      RECEIVER_URL: receiver.url,
    },
    /** What Graph has, by id in code units, which is the order of the mirror's lists. */
    truth: (): readonly Item[] => [...product.graph.truth(mailbox)].sort((a, b) => (a.id < b.id ? -1 : 1)),
    change: () => change(product, mailbox),
    stop: async () => {
      await front.stop();
      await product.stop();
      await receiver.stop();
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

async function linkOf(url: string, name: string, key: string): Promise<string> {
  const page = (await (await fetch(url, { headers: { "x-functions-key": key } })).json()) as Record<string, unknown>;
  return String(page[name]);
}

/** Removes a mailbox and adds it again: its links belong to an epoch that has ended. */
async function addAgain(product: Product, mailbox: string): Promise<void> {
  const url = `${product.hostUrl()}/api/mailboxes/${mailbox}`;
  const removed = await fetch(url, { method: "DELETE" });
  if (removed.status !== 204) throw new Error(`The mailbox was not removed: ${removed.status}.`);
  await fetch(url, { method: "PUT" });
  await mirrored(product, [mailbox]);
}
