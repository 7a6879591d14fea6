import { decodeSegment } from "./answers.js";
import type { FaultTarget } from "./faults.js";

/** Whose calendars: `path` as it was sent, since links repeat it; `id` is null for `me`. */
export type UserRef = { readonly path: string; readonly id: string | null };

/** What a path asks for. */
export type Route =
  | { readonly kind: "delta" | "calendars" | "calendarsCount" | "user" | "userPurpose"; readonly user: UserRef }
  | { readonly kind: "calendar"; readonly user: UserRef; readonly calendarId: string }
  | { readonly kind: "usersDelta" }
  | { readonly kind: "members"; readonly groupId: string }
  | { readonly kind: "unknown"; readonly segment: string };

/** The kinds of routes, by which `stats` counts. */
export type RouteKind = Route["kind"];

const DELTA_SPELLINGS = new Set(["delta", "delta()", "microsoft.graph.delta", "microsoft.graph.delta()"]);

/** @param path Without version, query and leading slash; keys may stand in segments or as `users('id')`. */
export function routeOf(path: string): Route {
  const segments = (path.includes("('") ? path.replace(/\('([^']*)'\)/g, "/$1") : path).split("/");
  if (segments.at(-1) === "") segments.pop();
  const first = segments[0]?.toLowerCase();
  if (first === "me") return userRoute({ path: "me", id: null }, segments.slice(1));
  if (first === "users") return usersRoute(path, segments);
  if (first === "groups") return groupsRoute(segments);
  return { kind: "unknown", segment: segments[0] ?? "" };
}

function usersRoute(path: string, segments: readonly string[]): Route {
  const raw = segments[1] ?? "";
  if (DELTA_SPELLINGS.has(raw.toLowerCase()) && segments.length === 2) return { kind: "usersDelta" };
  const id = decodeSegment(raw);
  if (id === null || id === "") return { kind: "unknown", segment: "users" };
  const isKeyed = path.startsWith("('", "users".length);
  const asSent = isKeyed ? `${segments[0]}('${raw}')` : `${segments[0]}/${raw}`;
  return userRoute({ path: asSent, id }, segments.slice(2));
}

function userRoute(user: UserRef, rest: readonly string[]): Route {
  const [collection, raw, ...more] = rest;
  if (collection === undefined) return { kind: "user", user };
  if (rest.join("/").toLowerCase() === "mailboxsettings/userpurpose") return { kind: "userPurpose", user };
  if (collection.toLowerCase() !== "calendars" || more.length > 0) {
    return { kind: "unknown", segment: more[0] ?? collection };
  }
  if (raw === undefined) return { kind: "calendars", user };
  if (DELTA_SPELLINGS.has(raw.toLowerCase())) return { kind: "delta", user };
  const calendarId = decodeSegment(raw);
  if (calendarId?.toLowerCase() === "$count") return { kind: "calendarsCount", user };
  return calendarId === null ? { kind: "unknown", segment: raw } : { kind: "calendar", user, calendarId };
}

function groupsRoute(segments: readonly string[]): Route {
  const [, groupId, relation, cast] = segments.map((segment) => segment.toLowerCase());
  if (groupId && relation === "transitivemembers" && cast === "microsoft.graph.user" && segments.length === 4) {
    return { kind: "members", groupId };
  }
  return { kind: "unknown", segment: segments.at(-1) ?? "groups" };
}

/** The target of faults that a route and method belong to. */
export function targetOf(kind: RouteKind, method: string): FaultTarget {
  if (kind === "delta") return "delta";
  if (kind === "calendars" || kind === "calendarsCount" || kind === "calendar")
    return method === "GET" ? "list" : "write";
  return kind === "userPurpose" ? "settings" : "directory";
}
