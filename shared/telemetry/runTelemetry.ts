import { type Census, mirroredIn } from "../figures/shardFigures.js";
import type { PagesEnd } from "../rounds/applyPage.js";
import type { RunEnd } from "../rounds/runRounds.js";
import { mailboxHash } from "./mailboxHash.js";
import type { Attributes, Point } from "./telemetry.js";

/** What the span of a run over a shard tells of its end. */
export function runAttributes(shard: string, { kind, figures, pages }: RunEnd): Attributes {
  const about = { "calendar_mirror.shard": shard, "calendar_mirror.outcome": kind };
  if (figures === null) return about;
  const { rounds, changes, graphRequests, throttles, transactions } = figures.done;
  return {
    ...about,
    "calendar_mirror.rounds": rounds,
    "calendar_mirror.changes": changes,
    "calendar_mirror.graph_requests": graphRequests,
    "calendar_mirror.throttles": throttles,
    "calendar_mirror.transactions": transactions,
    "calendar_mirror.page_messages": pages.length,
  };
}

/** What the span of one mailbox's pages tells of their end. */
export function pagesAttributes(mailboxId: string, { kind, pages, changes }: PagesEnd): Attributes {
  return {
    "calendar_mirror.mailbox": mailboxHash(mailboxId),
    "calendar_mirror.outcome": kind,
    "calendar_mirror.pages": pages,
    "calendar_mirror.changes": changes,
  };
}

/** The figures of a run, from what it has counted anyway. One that was overtaken wrote none, and tells none. */
export function runPoints(shard: string, { kind, figures }: RunEnd): readonly Point[] {
  if (kind === "superseded" || kind === "finished" || kind === "busy") return [];
  const points: Point[] = [
    { metric: "calendar_mirror.brake", value: kind === "braked" ? 1 : 0, shard },
    { metric: "calendar_mirror.refused", value: kind === "refused" ? 1 : 0, shard },
  ];
  if (figures === null) return points;
  for (const counter of ["rounds", "pages", "changes", "throttles", "transactions"] as const) {
    points.push({ metric: `calendar_mirror.${counter}`, value: figures.done[counter] });
  }
  const { counted } = figures;
  return counted === null ? points : [...points, ...standing(shard, counted.census, counted.atMs)];
}

/** How a shard stands. A share of no mailboxes, and the age of no success, are nothing that could be told. */
function standing(shard: string, census: Census, atMs: number): readonly Point[] {
  const mirrored = mirroredIn(census);
  const { oldestSuccess, freshWithinTwoTicks, driftFound, states } = census;
  const of = (metric: Point["metric"], value: number | null): readonly Point[] =>
    value === null ? [] : [{ metric, value, shard }];
  return [
    ...of("calendar_mirror.parked", states.parked),
    ...of("calendar_mirror.drift", driftFound),
    ...of("calendar_mirror.lag", oldestSuccess === null ? null : (atMs - oldestSuccess.atMs) / 1000),
    ...of("calendar_mirror.fresh_share", mirrored === 0 ? null : freshWithinTwoTicks / mirrored),
  ];
}
