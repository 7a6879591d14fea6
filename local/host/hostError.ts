/** A mistake in the app or its settings: shown as one line, without a stack. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stack of whatever was thrown, for logs of a function's own failures. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
