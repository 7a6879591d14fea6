/** How often a property is tried: `FUZZ_RUNS=20000 npx vitest run test/fuzz` is a campaign, the default a glance. */
export function runs(glance: number): { readonly numRuns: number } {
  return { numRuns: Math.max(glance, Number(process.env["FUZZ_RUNS"] ?? 0)) };
}
