import type { JsonObject } from "../../sync/types.js";
import { mailboxFeedPaths } from "./mailboxFeed.js";
import { protocolPaths } from "./protocol.js";
import { subscriptionPaths } from "./subscriptionPaths.js";
import { tenantFeedPaths } from "./tenantFeed.js";

/** What other programs ask for: all below `/beta`. */
export const feedPaths: JsonObject = {
  ...tenantFeedPaths,
  ...mailboxFeedPaths,
  ...subscriptionPaths,
  ...protocolPaths,
};
