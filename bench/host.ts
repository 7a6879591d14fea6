import { programPath } from "../local/root.js";
import type { Child } from "../local/start/processes.js";
import { type Surroundings, startLine } from "./surroundings.js";

/** The built app in the host stand-in, in a process of its own. */

export const shards = 16;
export const tableName = "calendarmirror";

export type HostedApp = {
  readonly appDir: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Where a processor profile goes; null for none. */
  readonly profileDir: string | null;
};

export type HostEvent = { readonly event: string; readonly function?: string };

export async function startHost(
  { azurite, graphUrl, token }: Surroundings,
  { appDir, settings, profileDir }: HostedApp,
  onEvent: (event: HostEvent) => void,
): Promise<{ readonly child: Child; readonly url: string }> {
  const env = {
    ...process.env,
    AzureWebJobsStorage: azurite.connectionString,
    GRAPH_ENDPOINT: graphUrl,
    GRAPH_ACCESS_TOKEN: token,
    SHARDS: `${shards}`,
    SYNC_SCHEDULE: "0 0 0 1 1 *", // Only the ticks that we ask for.
    ...settings,
  };
  const args = ["--app", appDir, "--port", "0", "--events", "--with-parent", "--log-level", "none"];
  const { child, line } = await startLine("The host", programPath("host"), args, env, {
    nodeFlags: profileDir === null ? [] : ["--cpu-prof", "--cpu-prof-dir", profileDir],
    onLine: (text) => onEvent(JSON.parse(text) as HostEvent),
  });
  return { child, url: (JSON.parse(line) as { url: string }).url };
}
