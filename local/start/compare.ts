import { sameJson } from "../../shared/sync/merge.js";
import type { JsonObject } from "../../shared/sync/types.js";
import type { MirrorView } from "./mirrorView.js";
import type { SimulatedMailbox, Simulator } from "./product.js";

/** With more mailboxes than this, only some of each thousand are compared with the simulator: each takes a query. */
const comparedWholeMax = 10_000;
const comparedOfThousand = 20;

/** Accounts of these are made with a disabled sign-in. */
const withoutSignIn: ReadonlySet<string> = new Set(["shared", "room", "equipment"]);

/** What is compared: `mailboxes` is how many there are in all. */
export type Comparison = {
  readonly simulator: Pick<Simulator, "truth">;
  readonly view: Pick<MirrorView, "isMirrored" | "calendars">;
  readonly mailboxes: number;
  /** Of a discovered roster the kinds that it takes; null: mailboxes were added by hand, all of them. */
  readonly rosterKinds: ReadonlySet<string> | null;
};

/**
 * Compares the mirror with what the simulator holds.
 * @returns Mailboxes that differ: in their calendars, or because they should be mirrored and are not, or the other way round.
 */
export async function differences({ simulator, view, mailboxes, rosterKinds }: Comparison) {
  const different: string[] = [];
  let compared = 0;
  const ofThousand = mailboxes > comparedWholeMax ? comparedOfThousand : 1000;
  for await (const mailbox of simulator.truth(ofThousand)) {
    const { id, calendars } = mailbox;
    const isWanted = rosterKinds === null || isExpected(mailbox, rosterKinds);
    const isMirrored = await view.isMirrored(id);
    if (isMirrored) compared += 1;
    const isRight = isWanted === isMirrored && (!isMirrored || (await isSame(view, id, calendars)));
    if (!isRight) different.push(id);
  }
  return { different, compared };
}

/**
 * Whether a discovered roster should mirror a mailbox. Written down here a second time, so that the mirror is compared with
 * the rule and not with itself: members with an address who can sign in, and what nobody signs in to.
 */
function isExpected({ user, purpose }: SimulatedMailbox, kinds: ReadonlySet<string>): boolean {
  const isMember = user.userType !== "Guest" && user.mail !== null && user.mail !== "";
  return isMember && (user.accountEnabled || withoutSignIn.has(purpose)) && kinds.has(purpose);
}

/** Whether the mirror has these calendars of a mailbox, and no others. */
export async function isSame(
  view: Pick<MirrorView, "calendars">,
  id: string,
  calendars: readonly Readonly<Record<string, unknown>>[],
): Promise<boolean> {
  const alive = (await view.calendars(id)).filter(({ removedMs }) => removedMs === null);
  const mirrored = new Map(alive.map(({ calendarId, resource }) => [calendarId, resource]));
  return (
    mirrored.size === calendars.length &&
    calendars.every((calendar) => {
      const { "@odata.type": _type, ...resource } = mirrored.get(String(calendar["id"])) ?? {};
      return sameJson(resource, calendar as JsonObject);
    })
  );
}
