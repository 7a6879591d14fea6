import { type Census, mirroredIn } from "../figures/shardFigures.js";
import type { PagesEnd } from "../rounds/applyPage.js";
import type { RunEnd } from "../rounds/runRounds.js";
import { mailboxHash } from "./mailboxHash.js";
import type { Attributes, Point } from "./telemetry.js";

/** Attributes of the span of a run over a shard. */
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

/** Attributes of the span of one mailbox's pages. */
export function pagesAttributes(mailboxId: string, { kind, pages, changes }: PagesEnd): Attributes {
  return {
    "calendar_mirror.mailbox": mailboxHash(mailboxId),
    "calendar_mirror.outcome": kind,
    "calendar_mirror.pages": pages,
    "calendar_mirror.changes": changes,
  };
}

/** The metrics of a run, from its own figures. A run that another one has taken over from reports none. */
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

/** The gauges of a shard. There is no share of no mailboxes, and no age of no success. */
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
