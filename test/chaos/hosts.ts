import { programPath } from "../../local/root.js";
import { type Child, run } from "../../local/start/processes.js";
import { type Product, productAt } from "../../local/start/product.js";

/** One host process at a time in each place; a killed one is replaced. */
export type Place = {
  readonly number: number;
  child: Child | null;
  /** Null while no host is up here. */
  hostUrl: string | null;
  product: Product | null;
};

export type HostPool = {
  readonly places: readonly Place[];
  /** Places whose host is up. */
  ready(): readonly Place[];
  /** Why hosts died that nobody killed. */
  readonly crashes: readonly string[];
  /** At once, with all that runs in it, as when a machine dies. */
  kill(place: Place): void;
  start(place: Place): Promise<void>;
  stopAll(): Promise<void>;
};

/** @param appDir The built app. @param env Its settings. @param hear Takes what hosts say on stderr. */
export function hostPool(
  count: number,
  appDir: string,
  env: NodeJS.ProcessEnv,
  hear: (line: string) => void,
): HostPool {
  const places: Place[] = Array.from({ length: count }, (_, number) => ({
    number,
    child: null,
    hostUrl: null,
    product: null,
  }));
  const crashes: string[] = [];
  const killed = new Set<Child>();
  const start = async (place: Place): Promise<void> => {
    const flags = ["--app", appDir, "--port", "0", "--events", "--with-parent", "--log-level", "error"];
    const name = `Host ${place.number}`;
    await new Promise<void>((resolve, reject) => {
      const child = run(name, process.execPath, [programPath("host"), ...flags], env, (line, stream) => {
        if (stream === "stderr") return hear(`${name}: ${line}`);
        const event = JSON.parse(line) as { event: string; url?: string };
        if (event.event !== "ready" || event.url === undefined || place.child !== child) return;
        place.hostUrl = event.url;
        place.product = productAt(event.url);
        resolve();
      });
      place.child = child;
      void child.died.then((reason) => {
        if (place.child === child) leave(place);
        if (!killed.has(child)) crashes.push(reason);
        reject(new Error(reason)); // Nobody listens once it was ready.
      });
    });
  };
  return {
    places,
    ready: () => places.filter(({ product }) => product !== null),
    crashes,
    kill: (place) => {
      leave(place);
      if (place.child !== null) killed.add(place.child);
      place.child?.process.kill("SIGKILL");
    },
    start,
    stopAll: async () => {
      await Promise.all(places.map(({ child }) => child?.stop()));
    },
  };
}

function leave(place: Place): void {
  place.hostUrl = null;
  place.product = null;
}
