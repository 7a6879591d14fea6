import { createHash } from "node:crypto";
import type { Actor } from "../sync/operatorAction.js";
import { signedInName } from "./beta/principal.js";

type Asked = { readonly url: string; readonly headers: { get(name: string): string | null } };

/** Our choice: enough to tell a handful of keys apart, and far too little to guess one by. */
const fingerprintDigits = 8;

/**
 * Who asks. The host knows the name of the key that was sent, and tells its worker, but `@azure/functions` keeps it to itself
 * (4.16: `RpcHttp.identities` is not part of `HttpRequest`). So a key is known by its fingerprint, the first digits of its SHA-256.
 * @param isSignInOn Whether App Service Authentication is on. Only then are its headers its own.
 */
export function actorOf(request: Asked, isSignInOn: boolean): Actor {
  const name = isSignInOn ? signedInName(request.headers) : null;
  if (name !== null) return { kind: "user", name };
  // As the host takes it: the header first.
  const key = request.headers.get("x-functions-key") || new URL(request.url).searchParams.get("code");
  return key ? { kind: "key", name: fingerprintOf(key) } : { kind: "nobody", name: null };
}

/** As `printf %s "$KEY" | sha256sum | cut -c1-8` prints it. */
function fingerprintOf(key: string): string {
  return createHash("sha256").update(key, "utf8").digest("hex").slice(0, fingerprintDigits);
}
