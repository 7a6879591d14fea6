import { liftBrake } from "../actions/brake.js";
import { brakeView } from "../views/status.js";
import { answer, type Route, refusal } from "./handler.js";
import { noteAction } from "./noteAction.js";
import type { Lifted } from "./openapi/operators.js";
import { mistakeOfEmptyRequest } from "./requests.js";

/** `POST /api/brake/release`: lifts the brake that all instances obey. Without a brake nothing changes. */
export const brakeReleaseRoute: Route = async (request, ports) => {
  const { store, log, nowMs } = ports;
  const mistake = await mistakeOfEmptyRequest(request);
  if (mistake !== null) return refusal(400, "invalidRequest", mistake);
  const { lifted, brake } = await liftBrake(store, log, nowMs());
  if (lifted) await noteAction(request, ports, { action: "releaseBrake" });
  return answer(200, { lifted, ...brakeView(brake, nowMs()) } satisfies Lifted);
};
