import type { AccessToken, TokenCredential } from "@azure/core-auth";
import { graphLimits } from "./limits.js";
import type { Clock, TokenSource } from "./ports.js";

export type { TokenSource } from "./ports.js";

/**
 * A bearer token that somebody fetched by hand, for a trial. It is never renewed.
 * @throws Error when it could not stand in a header. The message does not hold it.
 */
export function trialToken(token: string): TokenSource {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("The trial token holds blanks, line breaks or nothing at all.");
  return { getToken: async () => token };
}

/**
 * Tokens of an Azure Identity credential, kept until five minutes before they expire. Callers that come at once share
 * one request. With `enableCae` a revoked token is refused by a claims challenge, and new claims pass our store by.
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function identityToken(credential: TokenCredential, scope: string, clock: Clock): TokenSource {
  let kept: AccessToken | null = null;
  const pending = new Map<string, Promise<string>>();
  const fetchToken = async (claims: string | undefined): Promise<string> => {
    const fetched = await credential.getToken(scope, {
      enableCae: true,
      abortSignal: AbortSignal.timeout(graphLimits.tokenMaxMs),
      ...(claims === undefined ? {} : { claims }),
    });
    if (fetched === null) throw new Error(`The identity gave no token for ${scope}.`);
    kept = fetched;
    return fetched.token;
  };
  return {
    async getToken({ claims, fresh = false } = {}) {
      const isKept = kept !== null && clock.nowMs() < kept.expiresOnTimestamp - graphLimits.tokenSpareMs;
      if (kept !== null && isKept && !fresh && claims === undefined) return kept.token;
      const key = claims ?? "";
      const asked = pending.get(key) ?? fetchToken(claims).finally(() => pending.delete(key));
      pending.set(key, asked);
      return asked;
    },
  };
}
