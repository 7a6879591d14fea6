import { liftBrake } from "../mirror/brakeCare.js";
import { answer, type Route } from "./handler.js";

/** `POST /api/brake/release`: lifts what all instances wait for. Without a brake nothing changes. */
export const brakeReleaseRoute: Route = async (_request, { store, log, nowMs }) =>
  answer(200, await liftBrake(store, log, nowMs()));
