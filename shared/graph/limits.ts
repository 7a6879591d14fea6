import { minuteMs, secondMs } from "../sync/time.js";

export type GraphLimits = {
  readonly itemsPerBatchMax: number;
  readonly singleCallsAtOnceMax: number;
  readonly failedCallsMax: number;
  readonly batchRefusalsMax: number;
  readonly batchPauseMs: number;
  readonly brakeItemsMin: number;
  readonly brakeShareMin: number;
  readonly callMaxMs: number;
  readonly patienceMs: number;
  readonly patienceMsMax: number;
  readonly cutCallsMax: number;
  readonly bodyBytesMax: number;
  readonly socketsMax: number;
  readonly idleSocketMaxMs: number;
  readonly tokenSpareMs: number;
  readonly tokenValidMs: number;
  readonly tokenPauseMs: number;
  readonly tokenMaxMs: number;
};

/** Bounds of everything that goes to Graph or comes from there. Passed in, so that a test makes them tiny. */
export const graphLimits: GraphLimits = {
  /** Graph: a `$batch` takes 20 requests. */
  itemsPerBatchMax: 20,
  /** Graph passes at most 4 items of a batch to Outlook at a time: without the batch we ask for no more. */
  singleCallsAtOnceMax: 4,
  /** Our choice: after a failed batch so many single calls that fail too, and none that is answered, say that Graph is away. */
  failedCallsMax: 8,
  /** Our choice: one refused batch may be bad luck, three in a row are a habit. */
  batchRefusalsMax: 3,
  batchPauseMs: 15 * minuteMs,
  /** Our choice: below 8 items a few busy mailboxes are a coincidence, and no reason to brake the fleet. */
  brakeItemsMin: 8,
  brakeShareMin: 0.5,
  /** Our choice: beyond Graph's own gateway timeouts, and within a function's run. Covers the body too. */
  callMaxMs: 100 * secondMs,
  /**
   * Our choice: how long a run waits for an answer that others wait for too. A batch of 20 takes Graph under a second, and
   * a mailbox that needs longer than this is asked alone. Grows where it is Graph that is slow, and not a mailbox.
   */
  patienceMs: 4 * secondMs,
  patienceMsMax: 16 * secondMs,
  /** Our choice: where no batches are sent, so many calls that are cut off, and none that is answered between, are Graph's. */
  cutCallsMax: 8,
  /** Our choice: 20 pages of 50 calendars are below 2 MiB. More than this is not a calendar list. */
  bodyBytesMax: 32 * 1024 * 1024,
  /**
   * Our choice. One instance then asks for 2,100 mailboxes a second where an item takes 120 ms: a sixth of the 130,000
   * requests in 10 s that Graph allows an application. More calls wait in line for a socket.
   */
  socketsMax: 64,
  /** Our choice: below the minutes after which gateways drop idle connections. */
  idleSocketMaxMs: minuteMs,
  /** A token is asked anew this long before it expires, or earlier where the service says so. MSAL gives no new one before. */
  tokenSpareMs: 5 * minuteMs,
  /** Until then it is used. Not longer than the second for which Azure's SDKs wait for a new one themselves. */
  tokenValidMs: secondMs,
  /** Our choice, between two renewals while the token at hand is valid. */
  tokenPauseMs: minuteMs,
  /** Our choice: an identity answers in milliseconds, and its own retries take seconds. */
  tokenMaxMs: minuteMs,
};

/** Our choice: links were seen with up to 500 characters; a URL over 16,000 is refused by common gateways. */
export const linkCharsMax = 16_000;

/** What Graph says about itself is cut before it is logged or stored. */
export const codeCharsMax = 80;
export const diagnosticCharsMax = 300;

/** Our choice: an error nests two or three deep. */
export const codesPerChainMax = 10;
