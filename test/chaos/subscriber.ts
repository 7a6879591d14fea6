import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { type Random, randomFrom } from "../../local/graph/random.js";
import type { JsonObject } from "../../shared/sync/types.js";
import { contentText } from "../sim/views.js";
import type { HostPool } from "./hosts.js";

type Told = {
  readonly changeType: "created" | "updated" | "deleted";
  readonly resource: string;
};

/** How often, in the calm, a host is asked to look who is behind: a killed one may have left messages hidden, and a claim. */
const looksMax = 90;
const lookMs = 2_000;

/**
 * A program that keeps a copy of the tenant by notifications alone (I15). Told that something has changed, it reads that through whichever
 * host is up; where it cannot, it says no, and is told again. It also refuses, and breaks connections off, without a reason.
 */
export class Subscriber {
  readonly counts = { requests: 0, notifications: 0, refusals: 0 };
  readonly copy = new Map<string, Map<string, string>>();
  readonly faults: string[] = [];
  readonly #random: Random;
  #secret = "";
  #isCalm = false;

  private constructor(
    private readonly pool: HostPool,
    private readonly server: Server,
    seed: number,
  ) {
    this.#random = randomFrom(seed * 3 + 1);
  }

  /** Subscribes to all, before there is any mailbox: all else it is told. */
  static async open(pool: HostPool, seed: number): Promise<Subscriber> {
    const server = createServer();
    const subscriber = new Subscriber(pool, server, seed);
    server.on("request", async (request, response) => {
      const token = new URL(request.url ?? "", "http://localhost").searchParams.get("validationToken");
      const body = await text(request).catch(() => null); // The host that has sent it was killed.
      if (token !== null) return response.writeHead(200, { "content-type": "text/plain" }).end(token);
      const status = body === null ? null : await subscriber.#take(body, request.headers as Record<string, string>);
      return status === null ? response.destroy() : response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await subscriber.#subscribe();
    return subscriber;
  }

  async #subscribe(): Promise<void> {
    const { port } = this.server.address() as AddressInfo;
    const body = JSON.stringify({
      changeType: "created,updated,deleted",
      notificationUrl: `http://127.0.0.1:${port}/`,
      resource: "users/getAllCalendars",
      expirationDateTime: new Date(Date.now() + 86_400_000).toISOString(),
    });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(this.#url("subscriptions"), { method: "POST", headers, body });
    if (answer.status !== 201) throw new Error(`The subscription was refused: ${await answer.text()}`);
    this.#secret = String(((await answer.json()) as JsonObject)["@calendarMirror.signingSecret"]);
  }

  /** Null: no answer. */
  async #take(body: string, headers: Record<string, string>): Promise<number | null> {
    this.counts.requests += 1;
    const trouble = this.#trouble();
    if (trouble === "refuses") return this.#refused(503);
    const sent = this.#verified(body, headers);
    if (sent === null) return 400;
    for (const told of sent) {
      this.counts.notifications += 1;
      if (!(await this.#look(told))) return this.#refused(503);
    }
    return trouble === "loses its answer" ? this.#refused(null) : 202; // It has taken all.
  }

  /** What comes first meets both, however few requests a storm of kills leaves time for; in the storm they go on by chance. */
  #trouble(): "refuses" | "loses its answer" | null {
    const { requests } = this.counts;
    if (requests === 1) return "refuses";
    if (requests === 2) return "loses its answer";
    const draw = this.#isCalm ? 1 : this.#random.next();
    return draw < 0.15 ? "refuses" : draw < 0.3 ? "loses its answer" : null;
  }

  #refused<Status>(status: Status): Status {
    this.counts.refusals += 1;
    return status;
  }

  #verified(body: string, headers: Record<string, string>): readonly Told[] | null {
    try {
      return (new Webhook(this.#secret).verify(body, headers) as { value: readonly Told[] }).value;
    } catch (error) {
      this.faults.push(`a notification is not signed as it should be: ${String(error)}`);
      return null;
    }
  }

  /** Looks at what has changed, as it stands now. @returns False: that cannot be read at the moment. */
  async #look({ changeType, resource }: Told): Promise<boolean> {
    const [, mailboxId = "", calendarId] = /^users\/([^/]+)(?:\/calendars(?:\/(.+))?)?$/.exec(resource) ?? [];
    const own = this.copy.get(mailboxId) ?? new Map<string, string>();
    this.copy.set(mailboxId, own);
    if (calendarId === undefined) {
      if (changeType === "deleted") own.clear();
      return changeType === "deleted" || this.#readAll(mailboxId, own);
    }
    const { status, body } = await this.#read(`users/${mailboxId}/calendars/${calendarId}`);
    if (status === 200) own.set(decodeURIComponent(calendarId), contentText(body));
    else if (status === 404) own.delete(decodeURIComponent(calendarId));
    return status === 200 || status === 404;
  }

  async #readAll(mailboxId: string, own: Map<string, string>): Promise<boolean> {
    const found = new Map<string, string>();
    for (let path: string | null = `users/${mailboxId}/calendars`; path !== null; ) {
      const { status, body }: { status: number; body: JsonObject } = await this.#read(path);
      if (status === 404) break; // It has gone.
      if (status !== 200) return false;
      for (const calendar of body["value"] as readonly JsonObject[])
        found.set(String(calendar["id"]), contentText(calendar));
      const next = body["@odata.nextLink"];
      path = typeof next === "string" ? next.replace(/^.*\/beta\//, "") : null;
    }
    own.clear();
    for (const [id, content] of found) own.set(id, content);
    return true;
  }

  /** Status 0: no host has answered. */
  async #read(path: string): Promise<{ status: number; body: JsonObject }> {
    try {
      const answer = await fetch(this.#url(path));
      return { status: answer.status, body: (await answer.json()) as JsonObject };
    } catch {
      return { status: 0, body: {} }; // It was killed under the request.
    }
  }

  #url(path: string): string {
    return `${this.pool.ready()[0]?.hostUrl ?? "http://127.0.0.1:9"}/api/beta/${path}`;
  }

  /** Until its copy is what it should be, or for so long at most. @param isSame Whether it is. */
  async becomes(isSame: () => boolean): Promise<boolean> {
    this.#isCalm = true;
    for (let look = 0; look < looksMax && !isSame(); look++) {
      const hostUrl = this.pool.ready()[0]?.hostUrl;
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", headers, body: '{"input":""}' };
      if (hostUrl !== undefined) await fetch(`${hostUrl}/admin/functions/startDeliveries`, init);
      await pause(lookMs);
    }
    return isSame();
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
