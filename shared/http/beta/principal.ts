import * as z from "zod";
import { isGuid } from "../../sync/mailboxId.js";

/** The claim that holds a user's object id: its long name, and the one in the token itself. */
const objectIdClaims = ["http://schemas.microsoft.com/identity/claims/objectidentifier", "oid"];

/** Claims that name a user for people, where the principal does not say which claim does. */
const nameClaims = ["preferred_username", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", "name"];

const principalShape = z.object({
  name_typ: z.string().optional(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })).max(10_000),
});

type Headers = { get(name: string): string | null };

/**
 * The object id of the user whom App Service Authentication signed in, in lower case; null where there is none, or more than
 * one. Call it only while that feature is on: only then does the platform remove such headers from requests.
 * (The library's own `request.user` throws where a header is missing.)
 * @see https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export function signedInUser(headers: Headers): string | null {
  if (headers.get("x-ms-client-principal-idp") !== "aad") return null; // Other providers have no object ids.
  const principal = principalOf(headers);
  if (principal === null) return null;
  const claims = principal.claims.filter(({ typ }) => objectIdClaims.includes(typ));
  const [id, ...others] = new Set(claims.map(({ val }) => val.toLowerCase()));
  return id !== undefined && others.length === 0 && isGuid(id) ? id : null;
}

/**
 * What App Service Authentication calls whoever it signed in, whichever provider said so: the claim that the principal names,
 * such as an e-mail address; else the id of an app without a name. Null where nobody is signed in. Call it only while that
 * feature is on.
 */
export function signedInName(headers: Headers): string | null {
  const principal = principalOf(headers);
  if (principal === null) return null;
  const { claims, name_typ: named } = principal;
  const types = [...(named === undefined ? [] : [named]), ...nameClaims, ...objectIdClaims];
  for (const wanted of types) {
    const value = claims.find(({ typ, val }) => typ === wanted && val.trim() !== "")?.val;
    if (value !== undefined) return value;
  }
  return headers.get("x-ms-client-principal-id") || null;
}

function principalOf(headers: Headers): z.output<typeof principalShape> | null {
  const principal = principalShape.safeParse(decoded(headers.get("x-ms-client-principal") ?? ""));
  return principal.success ? principal.data : null;
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, "base64").toString("utf8"));
  } catch {
    return undefined; // No JSON; the shape refuses it.
  }
}
