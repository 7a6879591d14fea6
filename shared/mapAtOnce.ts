/**
 * Runs `work` over all values, so many at a time. Results stand in the order of the values.
 * @throws the first fault, once nothing is left running.
 */
export async function mapAtOnce<Value, Result>(
  values: readonly Value[],
  atOnceMax: number,
  work: (value: Value) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const waiting = values.entries();
  const lane = async () => {
    for (const [index, value] of waiting) results[index] = await work(value);
  };
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnceMax, values.length) }, lane));
  const failed = lanes.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results;
}
