// Receives the mirror's notifications, in Graph's format or as CloudEvents. A request is verified, each of its notifications is written
// down, once however often it comes, and only then is it answered. Kill it at any point: started again, it goes on where it was.
// Needs TLS in front. Start it before you subscribe, so that it answers the handshake, then anew with the secret that POST has answered:
//   WEBHOOK_SECRET=whsec_… MIRROR_URL=https://<app>.azurewebsites.net/api MIRROR_KEY=<function key> \
//   node examples/receive-notifications.mjs notifications.db 8080
import { once } from "node:events";
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const [file = "notifications.db", port = "8080"] = process.argv.slice(2);
const { WEBHOOK_SECRET, MIRROR_URL, MIRROR_KEY = "" } = process.env;
const db = new DatabaseSync(file); // A real program forgets in time what it has handled: nothing comes again after HISTORY_DAYS.
db.exec(`CREATE TABLE IF NOT EXISTS notification (place INTEGER PRIMARY KEY, subscription, id, json, UNIQUE (subscription, id));
  CREATE TABLE IF NOT EXISTS handled AS SELECT 0 AS place`);
const put = db.prepare("INSERT OR IGNORE INTO notification (subscription, id, json) VALUES (?, ?, ?)");
const next = db.prepare(
  "SELECT place, json FROM notification WHERE place > (SELECT place FROM handled) ORDER BY place LIMIT 1",
);
const move = db.prepare("UPDATE handled SET place = ?");

/** The answer's status, headers and text. What throws is answered 400, and comes again. */
async function receive(request) {
  const { method, url, headers } = request;
  const token = new URL(url, "http://localhost").searchParams.get("validationToken");
  if (method === "OPTIONS")
    return [200, { "webhook-allowed-origin": headers["webhook-request-origin"] ?? "", allow: "POST" }];
  if (token !== null) return [200, { "content-type": "text/plain", "x-content-type-options": "nosniff" }, token];
  if (!(Number(headers["content-length"]) <= 1_000_000)) return [413];
  const sent = new Webhook(WEBHOOK_SECRET).verify(await text(request), headers); // Throws where it is not the mirror's.
  for (const item of sent.value ?? [sent].flat()) {
    const notification = item.data ?? item; // Of a CloudEvent.
    put.run(notification.subscriptionId, item.id ?? headers["webhook-id"], JSON.stringify(notification));
  }
  server.emit("written");
  return [202];
}

/** What a real program does with a notification. What throws ends the program: started again, it begins with this one. */
async function handle({ subscriptionId, lifecycleEvent, changeType, resource }) {
  console.log(lifecycleEvent ?? changeType, resource ?? subscriptionId);
  if (lifecycleEvent === "missed") console.log(`read all anew: ${MIRROR_URL}/beta/users/getAllCalendars/delta`);
  if (lifecycleEvent !== "reauthorizationRequired") return;
  const body = JSON.stringify({ expirationDateTime: new Date(Date.now() + 6 * 86_400_000).toISOString() });
  const headers = { "content-type": "application/json", "x-functions-key": MIRROR_KEY };
  const { ok, status } = await fetch(`${MIRROR_URL}/beta/subscriptions/${subscriptionId}`, {
    method: "PATCH",
    headers,
    body,
  });
  if (!ok) throw new Error(`The subscription could not be renewed: ${status}.`);
}

const server = createServer(async (request, response) => {
  const [status, headers, words] = await receive(request).catch(({ message }) => [400, {}, message]);
  response.writeHead(status, headers).end(words);
}).listen(Number(port), () => console.log(`listening on ${server.address().port}`));
for (;;) {
  const row = next.get();
  if (row === undefined) await once(server, "written");
  else move.run(await handle(JSON.parse(row.json)).then(() => row.place));
}
