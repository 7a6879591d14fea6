import type { JsonObject } from "../../sync/types.js";
import { mailboxSchema } from "../../views/mailboxSchema.js";
import { newMailboxBody } from "../mailboxes.js";
import { header, json, mailboxInPath, noKey, noStorage, ref, refused } from "./parts.js";

const newMailboxSchema = newMailboxBody.meta({ id: "NewMailbox" });

const badId = refused("The mailbox id is no object id, or the query or the body is not what is expected.");

/** The roster: which mailboxes are mirrored. */
export const mailboxPaths: JsonObject = {
  "/mailboxes/{id}": {
    parameters: [mailboxInPath],
    get: {
      operationId: "getMailbox",
      summary: "A mailbox of the roster, and how it stands.",
      responses: {
        "200": json("The mailbox.", mailboxSchema),
        "400": badId,
        "401": noKey,
        "404": refused("It is not on the roster."),
        "503": noStorage,
      },
    },
    put: {
      operationId: "putMailbox",
      summary:
        "Puts a mailbox on the roster. Its first round comes with the next tick. Again is harmless. A discovered mailbox " +
        "stays discovered, unless source is manual; roster.source of the answer says which it is.",
      requestBody: { content: { "application/json": { schema: ref(newMailboxSchema) } } },
      responses: {
        "200": json("It was on the roster.", mailboxSchema),
        "201": json("It was added.", mailboxSchema),
        "400": badId,
        "401": noKey,
        "409": refused("Discovery has suspended it: its user has left the roster. With source manual it is resumed."),
        "503": noStorage,
      },
    },
    delete: {
      operationId: "deleteMailbox",
      summary: "Takes a mailbox off the roster, with all its rows. Again is harmless.",
      responses: {
        "202": json("It takes longer than this request: GET shows removing until it is done.", mailboxSchema),
        "204": {
          description: "It is not on the roster any more.",
          headers: { "x-mirror-note": header("There where discovery will bring it back.") },
        },
        "400": badId,
        "401": noKey,
        "503": noStorage,
      },
    },
  },
};
