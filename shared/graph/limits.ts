import { minuteMs, secondMs } from "../sync/time.js";

/** Bounds of everything that goes to Graph or comes from there. Passed in, so that tests make them tiny. */
export const graphLimits = {
  /** Graph: a `$batch` takes 20 requests. @see https://learn.microsoft.com/graph/json-batching */
  itemsPerBatchMax: 20,
  /** Graph passes at most 4 items of a batch to Outlook at a time: without batches we ask no more at once either. */
  singleCallsAtOnceMax: 4,
  /** Our choice: after a failed batch, so many failed single calls and none answered mean that Graph is down. */
  failedCallsMax: 8,
  /** Our choice: one refused batch may be chance, three in a row are not. */
  batchRefusalsMax: 3,
  batchPauseMs: 15 * minuteMs,
  /** Our choice: among fewer than 8 items a few throttled mailboxes are no reason to brake the whole application. */
  brakeItemsMin: 8,
  brakeShareMin: 0.5,
  /** Our choice: beyond Graph's own gateway timeouts, and within a function's run. Covers the body too. */
  callMaxMs: 100 * secondMs,
  /**
   * Our choice: how long a run waits for an answer that others wait for too. A batch of 20 takes Graph under a second; a
   * mailbox that takes longer than this is asked alone. It grows when Graph is slow, not a mailbox.
   */
  patienceMs: 4 * secondMs,
  patienceMsMax: 16 * secondMs,
  /** Our choice: where no batches are sent, so many calls cut off in a row, none answered, mean that Graph is slow. */
  cutCallsMax: 8,
  /** Our choice: 20 pages of 50 calendars are below 2 MiB. More than this is not a calendar list. */
  bodyBytesMax: 32 * 1024 * 1024,
  /**
   * Our choice. One instance then asks for 2,100 mailboxes a second where an item takes 120 ms: a sixth of the 130,000
   * requests in 10 s that Graph allows an application. More calls wait for a socket.
   * @see https://learn.microsoft.com/graph/throttling-limits
   */
  socketsMax: 64,
  /** Our choice: below the minutes after which gateways drop idle connections. */
  idleSocketMaxMs: minuteMs,
  /** A token is renewed this long before it expires, or earlier where the service says so. MSAL gives no new one before. */
  tokenSpareMs: 5 * minuteMs,
  /** A token is used up to this long before it expires: not below the second in which Azure's SDKs wait for a new one. */
  tokenValidMs: secondMs,
  /** Our choice: the pause between two renewals while the present token is valid. */
  tokenPauseMs: minuteMs,
  /** Our choice: an identity answers in milliseconds, and its own retries take seconds. */
  tokenMaxMs: minuteMs,
};
/** The same bounds, perhaps with other values. */
export type GraphLimits = { readonly [Name in keyof typeof graphLimits]: number };

/** Our choice: links were seen with up to 500 characters; a URL over 16,000 is refused by common gateways. */
export const linkCharsMax = 16_000;

/** Our choice: Graph's codes and request ids are cut to this before they are logged or stored. */
export const codeCharsMax = 80;
/** Our choice: the same for `x-ms-ags-diagnostic`. */
export const diagnosticCharsMax = 300;

/** Our choice: an error nests two or three deep. */
export const codesPerChainMax = 10;
