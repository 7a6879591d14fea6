import type { View } from "./view.js";
import { actions } from "./views/actions.js";
import { calendars } from "./views/calendars.js";
import { changes } from "./views/changes.js";
import { guide } from "./views/guide.js";
import { mailbox } from "./views/mailbox.js";
import { mailboxes } from "./views/mailboxes.js";
import { overview } from "./views/overview.js";
import { subscribers } from "./views/subscribers.js";

/** All views, in the order of the navigation. */
export const views: readonly View[] = [overview, mailboxes, mailbox, changes, calendars, subscribers, actions, guide];
