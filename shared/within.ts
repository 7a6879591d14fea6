/**
 * Waits for foreign work for `ms` at most. The bound holds by our own timer, whether or not the work heeds the signal that
 * it is given: that signal is aborted at the bound, so that a socket is let go where it does. What the work brings
 * afterwards, a value or an error, is dropped.
 * @param late Makes the error that is thrown at the bound.
 */
export async function within<T>(
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => PromiseLike<T>,
): Promise<T> {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(late()); // First: the work may answer an abort with an error of its own.
      stop.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(stop.signal), bound]); // A race handles the late rejection of either side.
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Makes something at its first call and keeps it; callers that come at once share one making. What could not be made is
 * never kept: the next call tries anew.
 */
export function kept<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw error;
    });
    return made;
  };
}
