// Copies the calendars of all mailboxes into SQLite and keeps them current. Kill it at any point: a page and the link to the
// next are written together. While a new copy is made, the view `calendars` shows the one before.
//   MIRROR_KEY=<function key> node examples/copy-tenant.mjs https://<app>.azurewebsites.net/api calendars.db [--once]
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const [api, file, option] = process.argv.slice(2);
const restMs = 1000 * Number(process.env.REST_SECONDS ?? 10);
const start = `${api}/beta/users/getAllCalendars/delta`;
const db = new DatabaseSync(file);
db.exec(`PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS place AS SELECT '' AS start, '' AS link, 0 AS copy, 0 AS shown;
  CREATE TABLE IF NOT EXISTS item (copy, userId, id, name, json, PRIMARY KEY (copy, userId, id)) WITHOUT ROWID;
  CREATE VIEW IF NOT EXISTS calendars AS SELECT * FROM item WHERE copy = (SELECT shown FROM place)`);
const place = db.prepare("SELECT * FROM place");
const move = db.prepare("UPDATE place SET start = ?, link = ?, copy = ?, shown = ? WHERE link = ? AND copy = ?");
const put = db.prepare("INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?)");
const remove = db.prepare("DELETE FROM item WHERE copy = ? AND userId = ? AND ifnull(id = ?, TRUE)");
const count = db.prepare("SELECT count(*) AS calendars, count(DISTINCT userId) AS mailboxes FROM calendars");

/** What the mirror answers; null where the link is no longer good. */
async function ask(link) {
  const response = await fetch(link, { headers: { "x-functions-key": process.env.MIRROR_KEY ?? "" } });
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  if (link !== start && (response.status === 410 || text.includes("syncStateInvalid"))) return null;
  throw Object.assign(new Error(`${response.status} ${text}`), { retryAfter: response.headers.get("retry-after") });
}

/** Writes a page; null begins a new copy. What throws here ends the program, and the transaction with it. */
function write(page, before) {
  const copy = page === null ? before.copy + 1 : before.copy;
  const link = page === null ? start : (page["@odata.nextLink"] ?? page["@odata.deltaLink"]);
  const shown = page?.["@odata.deltaLink"] === undefined ? before.shown : copy;
  db.exec("BEGIN IMMEDIATE");
  const { changes } = move.run(start, link, copy, shown, before.link, before.copy);
  if (changes === 0) throw new Error(`Another program writes ${file}.`);
  for (const item of page?.value ?? []) {
    const isMailbox = item["@odata.type"] === "#microsoft.graph.user"; // It has left, with all its calendars.
    if (item["@removed"]) remove.run(copy, item.userId, isMailbox ? null : item.id);
    else put.run(copy, item.userId, item.id, item.name ?? null, JSON.stringify(item)); // The whole calendar, always.
  }
  if (page === null || shown !== before.shown) db.prepare("DELETE FROM item WHERE copy <> ?").run(shown);
  db.exec("COMMIT");
}

if (place.get().start !== start) write(null, place.get()); // New, or of another mirror.
for (let items = 0; ; ) {
  const before = place.get();
  const page = await ask(before.link).catch((error) => error);
  if (page instanceof Error && option === "--once" && !page.retryAfter) throw page;
  if (page instanceof Error) console.error(page.cause?.message ?? page.message);
  else write(page, before);
  items += page?.value?.length ?? 0;
  if (page === null || page["@odata.nextLink"] !== undefined) continue;
  if (page["@odata.deltaLink"]) console.log(new Date().toISOString(), `${items} items;`, { ...count.get() });
  if (option === "--once" && page["@odata.deltaLink"]) break;
  await sleep(1000 * Number(page.retryAfter) || restMs);
  items = 0;
}
