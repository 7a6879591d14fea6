import type { HttpRequest } from "@azure/functions";
import type { MirrorFacts } from "../views/status.js";
import { kept } from "../within.js";
import { type Answer, type HttpPorts, type Route, refusal } from "./handler.js";
import { jsonOf, queryMistake } from "./requests.js";

/** What was registered is answered by us: for other methods the host has a 404 of its own, without a body. */
export const mcpMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Our choice: the bytes of a message. A call of a tool with every argument as long as it may be has a tenth of them. */
const messageBytesMax = 65_536;

/**
 * `POST /api/mcp`: the mirror for assistants, by the Model Context Protocol over stateless streamable HTTP. What answers it is
 * loaded with the first message. GET and DELETE, by which older clients open and end sessions, are 405, as there are none.
 * @param ownHostName Under which the platform knows the app, with or without a port.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export function mcpRoute(facts: MirrorFacts, ownHostName: string): Route {
  const serving = kept(async () => (await import("./mcp/serve.js")).mcpServing(facts));
  return async (request, ports, alone) => {
    if (request.method !== "POST") {
      return refusal(
        405,
        "invalidRequest",
        "An MCP client sends messages by POST. There are no sessions and no streams.",
        {
          allow: "POST",
        },
      );
    }
    const mistake = queryMistake(request, []);
    if (mistake !== null) return refusal(400, "invalidRequest", mistake);
    if (!isOwnOrigin(request.headers.get("origin"), ownHostName, ports)) {
      return rpcRefusal(
        403,
        -32600,
        "Pages of browsers may not ask here: the Origin of this request is not the app's own.",
      );
    }
    const message = await messageOf(request);
    if ("refusal" in message) return message.refusal;
    return (await serving())(request, message.message, ports, alone);
  };
}

/** Names of this machine for itself. */
const loopbackNames = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Browsers name the page that asks; other clients send no `Origin`. A page that another's name has led to this machine (DNS
 * rebinding) names that name, so what the request says of its host does not count.
 */
function isOwnOrigin(origin: string | null, ownHostName: string, { publicOrigin }: HttpPorts): boolean {
  if (origin === null || origin === "") return true;
  if (!URL.canParse(origin)) return false; // `null`, for one: a page in a sandbox.
  const own = hostNameOf(`https://${ownHostName}`);
  const names = [own, ...(loopbackNames.includes(own) ? loopbackNames : [])];
  if (publicOrigin !== null) names.push(hostNameOf(publicOrigin));
  return names.includes(hostNameOf(origin));
}

function hostNameOf(url: string): string {
  return new URL(url).hostname;
}

/** The one message of a request. Several in a list, as the protocol had them for three months of 2025, are refused. */
async function messageOf(request: HttpRequest): Promise<{ readonly message: object } | { readonly refusal: Answer }> {
  const text = await request.text();
  const wrong = (status: number, code: number, why: string) => ({ refusal: rpcRefusal(status, code, why) });
  if (text === "")
    return wrong(400, -32700, "There is no body. Send the message with its Content-Length, not in chunks.");
  if (Buffer.byteLength(text) > messageBytesMax) {
    return wrong(413, -32600, `The message is too long. It may have ${messageBytesMax} bytes.`);
  }
  const message = jsonOf(text);
  if (message === undefined) return wrong(400, -32700, "The body is not JSON.");
  if (typeof message === "object" && message !== null && !Array.isArray(message)) return { message };
  return wrong(400, -32600, "The body must be one JSON-RPC message, an object. Send several one by one.");
}

/** A refusal in the shape that clients of the protocol read, before it is known which request is meant. */
function rpcRefusal(status: number, code: number, message: string): Answer {
  const body = JSON.stringify({ jsonrpc: "2.0", id: null, error: { code, message } });
  return { status, headers: { "content-type": "application/json" }, body };
}
