import { join } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: join(import.meta.dirname, "..", ".."),
    include: ["test/clients/js/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { TSX_DISABLE_CACHE: "1" },
    maxWorkers: 2,
  },
});
