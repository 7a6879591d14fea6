import { availableParallelism } from "node:os";
import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "test/clients/**"], // Its packages are its own: `npm run test:clients`.
    testTimeout: 180_000,
    hookTimeout: 120_000,
    // Tests start many processes at once, which may read each other's half-written files in the cache of tsx.
    env: { TSX_DISABLE_CACHE: "1" },
    // Much of a run is waiting for child processes: more files at once than processors.
    maxWorkers: availableParallelism() + 1,
  },
});
