import type { TokenCredential } from "@azure/core-auth";
import { createDefaultHttpClient, type HttpClient } from "@azure/core-rest-pipeline";
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import { graphLimits } from "../graph/limits.js";

/** Who the app signs in as. */
export type IdentityOptions = {
  /** In Azure the managed identity, elsewhere whoever is signed in to Azure's tools. */
  readonly isInAzure: boolean;
  readonly authorityHost: string;
  /** Of a user-assigned identity; null: the system-assigned one. */
  readonly clientId: string | null;
};

/**
 * A credential of Azure Identity. Its promises may stay pending for ever (ManagedIdentityCredential of @azure/identity 4.14.1
 * drops the caller's abort signal), so callers bound them. Its requests have a timeout of their own: otherwise each attempt
 * at an identity endpoint that accepts and never answers would leave a socket behind.
 */
export function identityCredential({ isInAzure, authorityHost, clientId }: IdentityOptions): TokenCredential {
  if (!isInAzure) return new DefaultAzureCredential({ authorityHost });
  const httpClient = endingHttpClient(graphLimits.tokenMaxMs);
  return new ManagedIdentityCredential(clientId === null ? { httpClient } : { clientId, httpClient });
}

function endingHttpClient(requestMsMax: number): HttpClient {
  const client = createDefaultHttpClient();
  return {
    sendRequest: (request) => {
      request.timeout ||= requestMsMax;
      return client.sendRequest(request);
    },
  };
}
