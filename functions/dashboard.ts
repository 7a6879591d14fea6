import { app, type HttpHandler } from "@azure/functions";
import { dashboardAnswer } from "../shared/http/dashboard.js";

/** The page holds no data, so anybody may have it: the key that it asks for opens what it shows. It is loaded when somebody asks for it. */
const handler: HttpHandler = async () => dashboardAnswer((await import("../shared/http/dashboardPage.js")).page);

app.http("dashboard", { route: "dashboard", methods: ["GET", "HEAD"], authLevel: "anonymous", handler });
