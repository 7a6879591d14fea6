import type { Address, RoutePath } from "./address.js";
import type { Api, Status } from "./api.js";

/** What the frame and the views agree on. A view is one file of `views/`, registered in `views.ts`. */

/** What the frame reads again and again, for all views. */
export type Now = {
  readonly status: Status;
  /** While it is the same, no tick has changed a mailbox: what lists show is as it was. */
  readonly census: string;
  /** While it is the same, the change log has not grown: only runs write it. */
  readonly logged: string;
};

export type Tools = {
  /** Its calls end with the view: after that they neither answer nor fail. What is to end whatever the viewer does uses `api`. */
  readonly api: Api;
  /** The `:id` of the route; empty for a route without one. */
  readonly id: string;
  /** Changes heading and window title, where a name is read only after the view is there. */
  setTitle(title: string): void;
  /** Reads the status at once and calls `refresh`, as after an action. */
  refreshNow(): void;
};

export type Mounted = {
  /** At first, then every few seconds while somebody looks. It reads what it shows only where `census` or `logged` says so. */
  refresh?(now: Now): void | Promise<void>;
  /** The query of the address is another one now. A view without this is mounted anew. */
  update?(address: Address): void;
  unmount?(): void;
};

export type View = {
  readonly route: RoutePath;
  /** The heading, and the title of the window. */
  readonly title: string;
  /** What the navigation calls it; null: it is reached by links of other views. */
  readonly nav: string | null;
  /** Draws into an empty element. Nothing of it stays when the view is left. */
  mount(place: HTMLElement, address: Address, tools: Tools): Mounted;
};
