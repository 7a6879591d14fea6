import http from "node:http";
import https from "node:https";
import type { GraphLimits } from "./limits.js";
import type { Root } from "./links.js";

/** Keep-alive connections to the one origin. */
export type Pool = {
  readonly agent: http.Agent;
  /** Whether the request of this `client-request-id` went over a connection that had served before. Asked once. */
  takeReused(clientRequestId: string): boolean;
  /** Uses the connection of this body for no other request. */
  retire(body: unknown): void;
};

/**
 * A pool for one origin.
 * @see https://nodejs.org/api/http.html#class-httpagent: `reuseSocket` and `keepSocketAlive` are meant to be replaced.
 */
export function createPool(root: Root, limits: GraphLimits): Pool {
  const options: http.AgentOptions = {
    keepAlive: true,
    maxSockets: limits.socketsMax,
    maxFreeSockets: limits.socketsMax,
    timeout: limits.idleSocketMaxMs,
  };
  const agent = root.scheme === "https" ? new https.Agent(options) : new http.Agent(options);
  const reusedBy = new Set<string>();
  const retired = new WeakSet<object>();
  const reuseSocket = agent.reuseSocket.bind(agent);
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  agent.reuseSocket = (socket, request) => {
    reusedBy.add(String(request.getHeader("client-request-id")));
    reuseSocket(socket, request);
  };
  agent.keepSocketAlive = (socket) => !retired.has(socket) && keepSocketAlive(socket);
  return {
    agent,
    takeReused: (clientRequestId) => reusedBy.delete(clientRequestId),
    retire: (body) => {
      if (body instanceof http.IncomingMessage) retired.add(body.socket);
    },
  };
}
