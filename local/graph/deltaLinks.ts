import { badToken } from "./answers.js";
import { CURSOR_BEFORE_ALL, type Cursor, type Mailbox } from "./mailbox.js";
import { linkRefused, syncStateLost } from "./refusals.js";
import type { UserRef } from "./route.js";
import type { Answer, ResourceRequest } from "./types.js";
import type { World } from "./world.js";

/** What a link stands for. */
export type Position = {
  readonly kind: "skip" | "delta";
  readonly cursor: Cursor;
  /** The mailbox's sequence when a full round began; null in incremental rounds. */
  readonly roundStart: number | null;
  /** The last change that the caller had when an incremental round began: partial items tell what came after it. */
  readonly knownAt: number;
  /** Empty pages still to come before the real one; -1 when such a run has just ended. */
  readonly emptyPages: number;
  /** How the link loops, while a fault demands it. */
  readonly loop: "none" | "rotating" | "same";
};

/** Where a full round begins. */
export function firstPosition(mailbox: Mailbox): Position {
  const roundStart = mailbox.sequence;
  return { kind: "skip", cursor: CURSOR_BEFORE_ALL, roundStart, knownAt: -1, emptyPages: 0, loop: "none" };
}

const LOOPS = ["none", "rotating", "same"] as const;

/** The position that a link's token stands for, or the refusal of a token that is damaged, foreign, refused or forgotten. */
export function openLink(world: World, mailbox: Mailbox, token: string): Position | Answer {
  const payload = world.sealer.open(token);
  if (payload === null || !payload.startsWith("calendars,")) return badToken();
  const [, kind, ...texts] = payload.split(",");
  const numbers = texts.map(Number);
  const [index = -1, epoch = 0, generation = 0, at = 0, slot = 0, ...round] = numbers;
  const [roundStart = -1, knownAt = -1, emptyPages = 0, loop = 0] = round;
  if (index !== mailbox.index) return badToken();
  if (epoch === mailbox.epoch && generation <= mailbox.refusedUpTo) return linkRefused(mailbox.refusedWith);
  const oldest = Math.max(mailbox.generation - world.generationsKept, mailbox.forgottenUpTo);
  if (epoch !== mailbox.epoch || generation <= oldest) {
    return syncStateLost("SyncStateNotFound", generation, mailbox.generation);
  }
  const cursor = { at, slot };
  const common = { cursor, knownAt, emptyPages, loop: LOOPS[loop] ?? "none" };
  return { kind: kind === "d" ? "delta" : "skip", roundStart: roundStart < 0 ? null : roundStart, ...common };
}

/** A link of a new generation for `position`, as the URL that the body carries. */
export function newLink(
  world: World,
  request: ResourceRequest,
  user: UserRef,
  mailbox: Mailbox,
  position: Position,
): string {
  const { kind, cursor, roundStart, knownAt, emptyPages, loop } = position;
  const counters = [mailbox.index, mailbox.epoch, ++mailbox.generation, cursor.at, cursor.slot];
  const payload = [...counters, roundStart ?? -1, knownAt, emptyPages, LOOPS.indexOf(loop)].join(",");
  const token = world.sealer.seal(`calendars,${kind === "delta" ? "d" : "s"},${payload}`);
  const name = kind === "delta" ? "$deltatoken" : "$skiptoken";
  const path = world.linkStyle === "keyed" ? keyedPath(user.path) : user.path;
  return `${world.switches.publicRoot}/${request.version}/${path}/calendars/delta?${name}=${token}`;
}

function keyedPath(path: string): string {
  return path.includes("/") ? path.replace(/\/(.*)$/, "('$1')") : path;
}
