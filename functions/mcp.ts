import { app } from "@azure/functions";
import { compressing } from "../shared/http/gzip.js";
import { httpHandler } from "../shared/http/handler.js";
import { mcpMethods, mcpRoute } from "../shared/http/mcp.js";
import { httpPorts, mirrorFacts, nowMs, ownHostName } from "../shared/live.js";

const handler = httpHandler(compressing(mcpRoute(mirrorFacts, ownHostName)), httpPorts, nowMs);

app.http("mcp", { route: "mcp", methods: [...mcpMethods], authLevel: "function", handler });
