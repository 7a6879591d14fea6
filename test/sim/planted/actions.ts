import type { Mutant } from "./mutant.js";

const routes = ["test/http/actionLog.test.ts"];

/** Faults in the log of what operators do. */
export const inTheLogOfActions: readonly Mutant[] = [
  {
    name: "believe the headers of App Service Authentication while it is off",
    file: "shared/http/actor.ts",
    from: `isSignInOn ? signedInName(request.headers) : null`,
    to: `signedInName(request.headers)`,
    unit: routes,
  },
  {
    name: "write the key into the log of actions",
    file: "shared/http/actor.ts",
    from: `{ kind: "key", name: fingerprintOf(key) }`,
    to: `{ kind: "key", name: key }`,
    unit: routes,
  },
  {
    name: "refuse an action because it cannot be noted",
    file: "shared/http/noteAction.ts",
    from: `if (!(error instanceof StorageError)) throw error;`,
    to: `throw error;`,
    unit: routes,
  },
  {
    name: "retire the actions that are young, and keep the old ones",
    file: "shared/store/keys.ts",
    from: `lastMs - Math.min(Math.max(Math.floor(atMs), 0), lastMs)`,
    to: `Math.min(Math.max(Math.floor(atMs), 0), lastMs)`,
    unit: ["test/rounds/retention.test.ts"],
  },
];
