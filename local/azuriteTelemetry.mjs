// Azurite (3.37) loads Application Insights with all of OpenTelemetry, 2,700 modules of 3,300, even when it is to send
// nothing. Its servers, which we start without its CLI, never use it, and start in a quarter of the time without it.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Keeps Azurite from loading it. Call it before Azurite is loaded. */
export function leaveTelemetryOut() {
  const ofAzurite = createRequire(require.resolve("azurite/package.json"));
  const filename = ofAzurite.resolve("applicationinsights");
  require.cache[filename] = { id: filename, filename, loaded: true, exports: {}, children: [], paths: [] };
}
