import type { AccessToken, TokenCredential } from "@azure/core-auth";
import { within } from "../within.js";
import { graphLimits } from "./limits.js";
import type { Clock, TokenSource } from "./ports.js";

/**
 * A bearer token that somebody fetched by hand, for a trial. It is never renewed.
 * @throws Error when it could not stand in a header. The message does not hold it.
 */
export function trialToken(token: string): TokenSource {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Error("The trial token holds blanks, line breaks or nothing at all.");
  return { getToken: async () => token };
}

/** `onTrouble`: called with the reason when a renewal fails while the present token is still valid; nothing else reports it. */
export type TokenPorts = { readonly clock: Clock; readonly onTrouble: (why: string) => void };

/**
 * Tokens of an Azure Identity credential for Graph, cached and renewed early. `enableCae` and claims are passed on;
 * ManagedIdentityCredential (@azure/identity 4.14.1) ignores both, and answers `fresh` and claims with the token
 * that it has: after a refusal the caller must compare tokens.
 * @see https://learn.microsoft.com/entra/identity-platform/claims-challenge
 */
export function identityToken(credential: TokenCredential, scope: string, ports: TokenPorts): TokenSource {
  const tokens = keepTokens(credential, scope, ports);
  return { getToken: async (options) => (await tokens(options)).token };
}

/**
 * The same for clients of Azure's SDKs, which share one pending request among all callers: with a credential that never
 * answers they would wait for ever. Their own retries run in the background and may reject unhandled, so a token is handed
 * out for as long as it is valid. Requests with a tenant or claims bypass the cache.
 */
export function steadyCredential(credential: TokenCredential, ports: TokenPorts): TokenCredential {
  const byScope = new Map<string, ReturnType<typeof keepTokens>>();
  return {
    async getToken(scopes, options = {}) {
      const { claims, tenantId } = options;
      if (claims !== undefined || tenantId !== undefined) {
        return within(graphLimits.tokenMaxMs, identitySilent, (abortSignal) =>
          credential.getToken(scopes, { ...options, abortSignal }),
        );
      }
      const scope = [scopes].flat().join(" ");
      const tokens = byScope.get(scope) ?? keepTokens(credential, scopes, ports);
      byScope.set(scope, tokens);
      const token = await tokens();
      return { ...token, refreshAfterTimestamp: renewFromMs(token) };
    },
  };
}

/** When a token is renewed: when the service says so, usually at half of its lifetime; else shortly before its end. */
function renewFromMs({ expiresOnTimestamp, refreshAfterTimestamp }: AccessToken): number {
  const lastMs = expiresOnTimestamp - graphLimits.tokenSpareMs;
  return Math.min(refreshAfterTimestamp ?? lastMs, lastMs);
}

/**
 * The tokens of one scope. One that is due for renewal is handed out while it is renewed, once in `tokenPauseMs`, so that
 * an identity that fails or is silent stops nothing while the token is valid. (MSAL answers the first renewal with the old
 * token, and the second one with the new.) Simultaneous callers share one request; one without an answer within
 * `tokenMaxMs` is given up.
 */
function keepTokens(credential: TokenCredential, scopes: string | string[], { clock, onTrouble }: TokenPorts) {
  let held: AccessToken | null = null;
  let renewedMs = Number.NEGATIVE_INFINITY;
  const pending = new Map<string, Promise<AccessToken>>();
  const fetchToken = async (claims: string | undefined): Promise<AccessToken> => {
    const options = { enableCae: true, ...(claims === undefined ? {} : { claims }) };
    const fetched = await within(graphLimits.tokenMaxMs, identitySilent, (abortSignal) =>
      credential.getToken(scopes, { ...options, abortSignal }),
    );
    if (fetched === null) throw new Error(`The identity gave no token for ${[scopes].flat().join(" ")}.`);
    held = fetched;
    return fetched;
  };
  const ask = (claims?: string): Promise<AccessToken> => {
    const key = claims ?? "";
    const asked = pending.get(key) ?? fetchToken(claims).finally(() => pending.delete(key));
    pending.set(key, asked);
    return asked;
  };
  const renew = (nowMs: number): void => {
    if (nowMs - renewedMs < graphLimits.tokenPauseMs) return;
    renewedMs = nowMs;
    void ask().catch((error: unknown) => onTrouble(error instanceof Error ? error.message : "no reason given"));
  };
  return async ({ claims, fresh = false }: Parameters<TokenSource["getToken"]>[0] = {}): Promise<AccessToken> => {
    const nowMs = clock.nowMs();
    const isValid = held !== null && nowMs < held.expiresOnTimestamp - graphLimits.tokenValidMs;
    if (held === null || !isValid || fresh || claims !== undefined) return ask(claims);
    if (nowMs >= renewFromMs(held)) renew(nowMs);
    return held;
  };
}

const identitySilent = () => new Error(`The identity did not answer within ${graphLimits.tokenMaxMs / 1000} s.`);
