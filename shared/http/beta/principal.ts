import * as z from "zod";
import { isGuid } from "../../sync/mailboxId.js";

/** The claim that holds a user's object id: its long name, and the one in the token itself. */
const objectIdClaims = ["http://schemas.microsoft.com/identity/claims/objectidentifier", "oid"];

const principalShape = z.object({
  claims: z.array(z.object({ typ: z.string(), val: z.string() })).max(10_000),
});

/**
 * The object id of the user whom App Service Authentication signed in, in lower case; null where there is none, or more than
 * one. Call it only while that feature is on: only then does the platform remove such headers from requests.
 * (The library's own `request.user` throws where a header is missing.)
 * @see https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export function signedInUser(headers: { get(name: string): string | null }): string | null {
  if (headers.get("x-ms-client-principal-idp") !== "aad") return null; // Other providers have no object ids.
  const principal = principalShape.safeParse(decoded(headers.get("x-ms-client-principal") ?? ""));
  if (!principal.success) return null;
  const claims = principal.data.claims.filter(({ typ }) => objectIdClaims.includes(typ));
  const [id, ...others] = new Set(claims.map(({ val }) => val.toLowerCase()));
  return id !== undefined && others.length === 0 && isGuid(id) ? id : null;
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    return undefined; // No JSON; the shape refuses it.
  }
}
