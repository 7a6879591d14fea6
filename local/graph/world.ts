import type { Faults } from "./faults.js";
import type { MailboxStore } from "./mailboxes.js";
import type { Clock, Random } from "./random.js";
import type { Stats } from "./stats.js";
import type { Sealer } from "./tokens.js";
import type { DeltaAvailability, Version } from "./types.js";

/** A group's members: everybody, or those ids. */
export type GroupMembers = "everybody" | ReadonlySet<string>;

/** What can be switched while the simulator runs. */
type Switches = {
  publicRoot: string;
  token: string | null;
  /** Whether the application has `MailboxSettings.Read`. */
  isMailboxSettingsGranted: boolean;
  delta: Record<Version, DeltaAvailability>;
};

/** The state that the handlers share. */
export type World = {
  readonly clock: Clock;
  readonly random: Random;
  readonly me: number | null;
  readonly generationsKept: number;
  readonly linkStyle: "asSent" | "keyed";
  readonly latency: { readonly minMs: number; readonly maxMs: number };
  readonly switches: Switches;
  readonly mailboxes: MailboxStore;
  readonly groups: Map<string, GroupMembers>;
  readonly sealer: Sealer;
  readonly faults: Faults;
  readonly stats: Stats;
};
