import type { JsonObject, Outcome } from "../sync/types.js";

/** Epoch milliseconds. */
export type Clock = { nowMs(): number };

/** What an answer without a page means. */
export type Failure = Exclude<Outcome, { kind: "page" | "lastPage" }>;

/** Where bearer tokens come from. Throws when there is none. */
export type TokenSource = {
  /**
   * @param options `claims`: what a claims challenge asks for, as JSON text. `fresh`: the cached token was refused.
   */
  getToken(options?: { readonly claims?: string; readonly fresh?: boolean }): Promise<string>;
};

/** A body: parsed JSON, nothing at all, or something else (HTML of a gateway). */
export type Body =
  | { readonly shape: "json"; readonly value: unknown }
  | { readonly shape: "empty" }
  | { readonly shape: "notJson" };

/** One HTTP answer, or one item of a batch answer. Names of headers are in lower case. */
export type Answer = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Body;
};

/**
 * One HTTP request. `rawTarget`: path and query, sent byte for byte to the configured origin and to no other. `mailboxId`:
 * the mailbox that it is about, if it is about one.
 */
export type Call = {
  readonly method: "GET" | "POST";
  readonly rawTarget: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject | null;
  readonly mailboxId?: string;
  /** Cut off after this time with the code `answersSlowly`. Absent: the bound of any call. */
  readonly patienceMs?: number;
};

/** How a call ended. `requests`: HTTP requests made. `clientRequestId`: of the last of them. */
export type Sent = { readonly requests: number; readonly clientRequestId: string | null } & (
  | { readonly kind: "answer"; readonly answer: Answer }
  /** `detail`: why the identity gave no token; null for all other faults. */
  | { readonly kind: "fault"; readonly failure: Failure; readonly detail: string | null }
);

/** What this process has learned about `$batch`. Kept with the transport: clients live for one invocation only. */
export type BatchHealth = {
  refusalsInARow: number;
  pausedUntilMs: number;
  /** How long a run waits for an answer that others wait for too; null: as long as at the start. */
  patienceMs: number | null;
  /** Where no batches are sent: single calls cut off since the last one that was answered in time. */
  cutInARow: number;
};

/** The way to Graph. */
export type Transport = {
  /** Sends one call. Never throws for anything that the network, Graph or the identity does. */
  send(call: Call): Promise<Sent>;
  /**
   * Whether the identity has another token than the one that `sent` was signed with and `refusal` refuses. For items of a
   * batch: whole calls are signed again by the transport itself.
   */
  hasOtherToken(sent: Sent, refusal: Answer): Promise<boolean>;
  /** A fresh `client-request-id`, for the items of a batch. */
  nextRequestId(): string;
  readonly batchHealth: BatchHealth;
  /** Drops all connections. */
  close(): void;
};
