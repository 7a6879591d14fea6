import type { JsonObject } from "../../sync/types.js";
import { mailboxFeedPaths } from "./mailboxFeed.js";
import { protocolPaths } from "./protocol.js";
import { tenantFeedPaths } from "./tenantFeed.js";

/** What other programs read: all below `/beta`. */
export const feedPaths: JsonObject = { ...tenantFeedPaths, ...mailboxFeedPaths, ...protocolPaths };
