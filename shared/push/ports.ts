/**
 * What became of a request to a subscriber. `accepted`: any 2xx. `refused`: any other answer. `unreachable`: none in time, with the
 * network's code or `timeout`. `forbidden`: not sent, for the address is not one that we talk to.
 */
export type SendOutcome =
  | { readonly kind: "accepted"; readonly status: number }
  | { readonly kind: "refused"; readonly status: number; readonly retryAfterMs: number | null }
  | { readonly kind: "unreachable"; readonly code: string }
  | { readonly kind: "forbidden"; readonly why: string };

/** Sends one request to a subscriber, bounded in time and size. Expected failures are outcomes. */
export type Send = (request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly method?: "POST" | "OPTIONS";
}) => Promise<SendOutcome & { readonly text?: string; readonly headers?: Readonly<Record<string, string>> }>;
