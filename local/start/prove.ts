import type { MirrorView } from "./mirrorView.js";
import type { Product, Simulator } from "./product.js";
import type { Proof } from "./proof.js";
import type { Subscriber } from "./subscriber.js";

/** So many calendars are renamed, each of another mailbox. */
const editsMax = 3;
const pollMs = 200;
/** Without any progress for so long, the receiver was not told of all. */
const stillMsMax = 60_000;

/**
 * Edits some calendars, lets the mirror see that, and waits until the copy that the receiver keeps by notifications alone is the mirror's,
 * mailbox by mailbox. @param mailboxIds All that may be mirrored.
 */
export async function proveCopy(
  subscriber: Subscriber,
  view: MirrorView,
  product: Product,
  simulator: Simulator | null,
  mailboxIds: readonly string[],
): Promise<Proof> {
  const edits = simulator === null ? 0 : await editSome(subscriber, view, simulator, mailboxIds);
  if (edits > 0) await product.tick();
  // First the edits: before they are mirrored, a copy that has nothing of them is the mirror's too.
  const untold = await whileItMoves(
    async (left: number) => (left === 0 ? 0 : subscriber.untold()),
    edits,
    (left) => left,
  );
  const stillDifferent = async (ids: readonly string[]) => {
    const still: string[] = [];
    for (const id of ids) if (!(await subscriber.isSame(id, view))) still.push(id);
    return still;
  };
  const different = await whileItMoves(stillDifferent, mailboxIds, (ids) => ids.length);
  const { notifications, refused } = subscriber.counts;
  return { notifications, refused, edits, untold, lagSeconds: subscriber.lagSeconds(), different };
}

/** Looks again and again, until nothing is left, or what is left has not become less for too long. */
async function whileItMoves<Left>(look: (left: Left) => Promise<Left>, all: Left, count: (left: Left) => number) {
  let left = await look(all);
  for (let movedMs = Date.now(); count(left) > 0 && Date.now() - movedMs < stillMsMax; ) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    const now = await look(left);
    if (count(now) < count(left)) movedMs = Date.now();
    left = now;
  }
  return left;
}

/** @returns How many calendars were edited. */
async function editSome(
  subscriber: Subscriber,
  view: MirrorView,
  simulator: Simulator,
  mailboxIds: readonly string[],
): Promise<number> {
  let count = 0;
  for (const id of mailboxIds) {
    if (count === editsMax) break;
    if (!(await view.isMirrored(id))) continue;
    const atMs = Date.now();
    const edits = await simulator.rename(id);
    subscriber.edited(edits, atMs);
    count += edits.length;
  }
  return count;
}
