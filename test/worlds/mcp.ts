import { Client, StreamableHTTPClientTransport, type VersionNegotiationMode } from "@modelcontextprotocol/client";
import type { HttpPorts, Route } from "../../shared/http/handler.js";
import { mcpRoute } from "../../shared/http/mcp.js";
import { discovered, type Fleet, type FleetOptions, fitUsers } from "./fleet.js";
import { origin, type Reply, routesOver } from "./http.js";

/** The official client of the Model Context Protocol, and what it is answered: over a fleet without a host, or over HTTP. */

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;
/** What a tool answered: its structured content, or its refusal. */
export type Told = { readonly isError: boolean; readonly text: string; readonly content: Record<string, unknown> };

/** A client that has connected. `call` gives what a tool answers, after the client has held it to the tool's schema. */
export async function connected(url: string, mode: VersionNegotiationMode, fetch?: Fetch) {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const transport = new StreamableHTTPClientTransport(new URL(url), fetch === undefined ? {} : { fetch });
  await client.connect(transport);
  const { tools } = await client.listTools(); // From now on it knows the schemas.
  const call = async (name: string, args: Record<string, unknown> = {}): Promise<Told> => {
    const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
    const [first] = content;
    return {
      isError,
      text: first?.type === "text" ? first.text : "",
      content: (structuredContent ?? {}) as Told["content"],
    };
  };
  return { client, tools, call, version: transport.protocolVersion };
}

/** The route over a fleet. @param ownHostName What the platform calls the app. */
export function mcpOf(world: Fleet, changed: Partial<HttpPorts> = {}, ownHostName = "mirror.example") {
  const { through } = routesOver(world.store, world.clock.nowMs, changed, world.shards);
  const route: Route = mcpRoute(world.facts, ownHostName);
  const url = `${origin}/api/mcp`;
  const ask = (method: string, text?: string, headers: Record<string, string> = {}, query = ""): Promise<Reply> =>
    through(route, `${url}${query}`, { method, headers, ...(text === undefined ? {} : { text }) });
  const fetch: Fetch = async (_url, init = {}) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const { status, body, ...reply } = await ask(init.method ?? "GET", init.body as string, headers);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return new Response(status === 202 ? null : text, { status, headers: { ...reply.headers } });
  };
  return { ask, connect: (mode: VersionNegotiationMode = "auto") => connected(url, mode, fetch) };
}

/** A fleet after its first tick, and an assistant that asks about it. */
export async function mcpOpened(options: FleetOptions = {}) {
  const world = await discovered({ mailboxes: 8, shards: 3, ...options });
  await world.tick();
  const { call, tools } = await mcpOf(world).connect();
  return { world, call, tools, ids: fitUsers(world) };
}
