import fc from "fast-check";

/** How often a property is tried: `FUZZ_RUNS=20000 npx vitest run test/fuzz` is a campaign, the default a glance. */
export function runs(glance: number): { readonly numRuns: number } {
  return { numRuns: Math.max(glance, Number(process.env["FUZZ_RUNS"] ?? 0)) };
}

/**
 * Three thousand draws that are the same each time. Whether a property meets the case that it is about is asked of these: of
 * draws by chance no count holds for certain.
 */
export function fixedDraws<Drawn>(arbitrary: fc.Arbitrary<Drawn>): readonly Drawn[] {
  return fc.sample(arbitrary, { numRuns: 3000, seed: 1 });
}
