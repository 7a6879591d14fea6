/** The table could not be reached, or gave an answer that no caller can act on. One line, without links and secrets. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly operation: string;
  readonly partition: string;
  /** HTTP status, or null when there was no answer. */
  readonly status: number | null;
  /** The service's error code, or the network's, such as `ECONNREFUSED`. */
  readonly code: string;

  constructor(operation: string, partition: string, status: number | null, code: string) {
    const answer = status === null ? "no answer" : `status ${status}`;
    super(`Table storage: ${operation} in partition ${partition || "(none)"} failed with ${answer}, code ${code}.`);
    this.operation = operation;
    this.partition = partition;
    this.status = status;
    this.code = code;
  }
}

/** The table does not exist, or is being deleted: what was known of it no longer holds. */
export function isTableGone(error: unknown): boolean {
  return error instanceof StorageError && (error.code === "TableNotFound" || error.code === "TableBeingDeleted");
}

/** The table was laid out by another version or another number of shards. */
export class LayoutError extends Error {
  override readonly name = "LayoutError";
}

/** A stored row that cannot be read as what it should be. */
export class RowError extends Error {
  override readonly name = "RowError";
}

/** The error code of a row that cannot be read, in checkpoints and figures. */
export const rowUnreadable = "rowUnreadable";
