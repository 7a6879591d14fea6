// Subscribes to the mirror's notifications. Each is verified, handled once, a mailbox's in their order, and only then accepted; else it comes
// again. Kill it at any point: started again, it renews its subscription and goes on where it was. Away from this machine it needs TLS in front.
//   MIRROR_KEY=<function key> node examples/receive-notifications.mjs https://<app>.azurewebsites.net/api notifications.db 8080 https://<its address>
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const [api, file, port = "8080", notificationUrl = `http://localhost:${port}/`] = process.argv.slice(2);
const urls = { notificationUrl, lifecycleNotificationUrl: notificationUrl };
const wanted = { resource: "users/getAllCalendars", changeType: "created,updated,deleted", ...urls };
const db = new DatabaseSync(file); // A real program forgets ids in time: nothing comes again after HISTORY_DAYS.
db.exec("CREATE TABLE IF NOT EXISTS subscription (id, secret); CREATE TABLE IF NOT EXISTS handled (id PRIMARY KEY)");
const held = () => db.prepare("SELECT id, secret FROM subscription").get();
const headers = { "content-type": "application/json", "x-functions-key": process.env.MIRROR_KEY ?? "" };
const ask = (method, path, asked) =>
  fetch(`${api}/beta/subscriptions${path}`, { method, headers, body: JSON.stringify(asked) });

/** What a real program does with a notification. It is repeated where that fails, or is killed before its end. */
const handle = async ({ changeType, resource }) => console.log(`${changeType} ${resource}`);

/** Renews the subscription, or makes one. Nobody tells what changed before that, or while notifications were missed: all is to be read. */
async function subscribe(event) {
  const expirationDateTime = new Date(Date.now() + 6 * 86_400_000);
  const renewed = held() ? await ask("PATCH", `/${held().id}`, { expirationDateTime }) : { status: 404 };
  const answer = renewed.status === 404 ? await ask("POST", "", { ...wanted, expirationDateTime }) : renewed;
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const { id, "@calendarMirror.signingSecret": secret = held().secret } = await answer.json(); // Told once, when it is made.
  db.prepare("INSERT OR REPLACE INTO subscription (rowid, id, secret) VALUES (1, ?, ?)").run(id, secret);
  if (answer !== renewed || event === "missed") console.log(`read all: ${api}/beta/users/getAllCalendars/delta`);
}

/** Handles what is new in a request. Throws where it is not the mirror's. */
async function receive(body, { headers }) {
  for (const one of new Webhook(held().secret).verify(body, headers).value) {
    const id = `${one.subscriptionId} ${one.id ?? headers["webhook-id"]}`;
    if (db.prepare("SELECT 1 FROM handled WHERE id = ?").get(id)) continue; // It has come before.
    await (one.lifecycleEvent ? subscribe(one.lifecycleEvent) : handle(one));
    db.prepare("INSERT INTO handled VALUES (?)").run(id);
  }
}

let before = Promise.resolve(); // One after the other: what comes again while it is being handled is then known.
createServer(async (request, response) => {
  const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
  if (token !== null) return response.writeHead(200, { "content-type": "text/plain" }).end(token);
  // What is too large, or breaks off, is not verified.
  const body = Number(request.headers["content-length"]) <= 1_000_000 ? await text(request).catch(() => "") : "";
  const accepted = before.then(() => receive(body, request));
  before = accepted.catch(({ message }) => console.error(message));
  return response.writeHead(await accepted.then(() => 202).catch(() => 400)).end();
}).listen(Number(port), subscribe);
