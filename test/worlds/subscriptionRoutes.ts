import { subscriptionsRoute } from "../../shared/http/beta/beta.js";
import type { HttpPorts, Route } from "../../shared/http/handler.js";
import type { DeliverMessage } from "../../shared/messages.js";
import { origin, routesOver } from "./http.js";
import { mailboxId, worldWith } from "./mailbox.js";
import { countingIds, dayMs } from "./parts.js";

/** The routes of subscriptions over a mirror of one mailbox, whose subscribers' addresses all consent; `asked`: of which, and how. */
export async function subscriptionRoutes(changed: Partial<HttpPorts> = {}) {
  const world = await worldWith({ a: "A" });
  const ids = countingIds();
  const asked: string[] = [];
  const logged: string[] = [];
  /** Subscriptions of which a delivery was started. */
  const started: string[] = [];
  const base = routesOver(world.store, () => world.clock.ms).ports.subscribers;
  const subscribers = {
    ...base,
    consentOf: async (url: string, format: string) => {
      asked.push(`${format} ${url}`);
      return { kind: "given" } as const;
    },
    start: async ({ subscriptions }: DeliverMessage) => void started.push(...subscriptions),
  };
  const log: HttpPorts["log"] = (_level, message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`);
  const routes = routesOver(world.store, () => world.clock.ms, { newId: ids, subscribers, log, ...changed });
  const send = (method: string, path = "", body?: unknown, route: Route = subscriptionsRoute) =>
    routes.through(route, `${origin}/api/beta/subscriptions${path}`, {
      method,
      ...(body === undefined ? {} : { text: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const inMs = (ms: number) => new Date(world.clock.ms + ms).toISOString();
  const wanted = (more: object = {}) => ({
    changeType: "created,updated",
    notificationUrl: "https://receiver.example/hook?code=secret-code",
    resource: `users/${mailboxId}/calendars`,
    expirationDateTime: inMs(dayMs),
    clientState: "secret-state",
    ...more,
  });
  const created = async (more: object = {}) => {
    const { status, body } = await send("POST", "", wanted(more));
    if (status !== 201) throw new Error(`It was not created: ${status} ${JSON.stringify(body)}.`);
    return String(body["id"]);
  };
  return { world, send, asked, logged, started, wanted, created, inMs };
}
