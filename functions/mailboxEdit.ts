import { app } from "@azure/functions";
import { httpHandler } from "../shared/http/handler.js";
import { mailboxEditRoute } from "../shared/http/mailboxes.js";
import { httpPorts, nowMs } from "../shared/live.js";

const handler = httpHandler(mailboxEditRoute, httpPorts, nowMs);

// Apart from `mailbox`, which reads: a function's key opens all its methods.
app.http("mailboxEdit", { route: "mailboxes/{id}", methods: ["PUT", "DELETE"], authLevel: "function", handler });
