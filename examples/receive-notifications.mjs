// Subscribes to the mirror's notifications. Each is verified, handled once, a mailbox's in their order, and only then accepted; else it comes
// again. Kill it at any point: started again, it renews its subscription and goes on where it was. Away from this machine it needs TLS in front.
//   MIRROR_KEY=<function key> node examples/receive-notifications.mjs https://<app>.azurewebsites.net/api notifications.db 8080 https://<its address>
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const [api, file, port = "8080", notificationUrl = `http://localhost:${port}/`] = process.argv.slice(2);
const db = new DatabaseSync(file); // A real program forgets ids in time: nothing comes again after HISTORY_DAYS.
db.exec("CREATE TABLE IF NOT EXISTS subscription (id, secret); CREATE TABLE IF NOT EXISTS handled (id PRIMARY KEY)");
const held = () => db.prepare("SELECT id, secret FROM subscription").get();

/** What a real program does with a notification. It is repeated where that fails, or is killed before its end. */
async function handle({ lifecycleEvent, changeType, resource }) {
  if (lifecycleEvent === "reauthorizationRequired") await subscribe();
  else console.log(lifecycleEvent ? `read all: ${api}/beta/users/getAllCalendars/delta` : `${changeType} ${resource}`);
}

/** Renews the subscription, or makes one: nobody tells what changed before that. */
async function subscribe() {
  const expirationDateTime = new Date(Date.now() + 6 * 86_400_000);
  if (held() && (await ask("PATCH", `/${held().id}`, { expirationDateTime }))) return;
  const asked = { resource: "users/getAllCalendars", changeType: "created,updated,deleted", expirationDateTime };
  const made = await ask("POST", "", { ...asked, notificationUrl, lifecycleNotificationUrl: notificationUrl });
  const put = db.prepare("INSERT OR REPLACE INTO subscription (rowid, id, secret) VALUES (1, ?, ?)");
  put.run(made.id, made["@calendarMirror.signingSecret"]);
  await handle({ lifecycleEvent: "missed" });
}

/** Null: there is no such subscription. */
async function ask(method, path, body) {
  const headers = { "content-type": "application/json", "x-functions-key": process.env.MIRROR_KEY ?? "" };
  const answer = await fetch(`${api}/beta/subscriptions${path}`, { method, headers, body: JSON.stringify(body) });
  if (answer.ok) return answer.json();
  if (answer.status === 404 && method === "PATCH") return null;
  throw new Error(`${answer.status} ${await answer.text()}`);
}

async function receive(body, headers) {
  const { value } = new Webhook(held().secret).verify(body, headers); // Throws where it is not the mirror's.
  for (const one of value) {
    const id = `${one.subscriptionId} ${one.id ?? headers["webhook-id"]}`;
    if (db.prepare("SELECT 1 FROM handled WHERE id = ?").get(id)) continue; // It has come before.
    await handle(one);
    db.prepare("INSERT INTO handled VALUES (?)").run(id);
  }
}

let before = Promise.resolve(); // One after the other: what comes again while it is being handled is then known.
const server = createServer(async (request, response) => {
  const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
  response.setHeader("content-type", "text/plain");
  if (token !== null) return response.end(token);
  if (!(Number(request.headers["content-length"]) <= 1_000_000)) return response.writeHead(413).end();
  const body = await text(request).catch(() => ""); // Broken off: it is not verified.
  const accepted = before.then(() => receive(body, request.headers));
  before = accepted.catch(({ message }) => console.error(message));
  const status = await accepted.then(() => 202).catch(() => 400);
  return response.writeHead(status).end();
});
server.listen(Number(port), subscribe);
