import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // Much of a run is waiting for child processes: more files at once than processors.
    maxWorkers: availableParallelism() + 1,
  },
});
