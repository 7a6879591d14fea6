import type { DirectoryItem } from "../graph/directory.js";
import { mapAtOnce } from "../mapAtOnce.js";
import { type DirectoryState, nobodyLeftOut, type PageTally } from "../sync/directory.js";
import { askedKinds, type KindsTold, type LookedUser } from "./askKinds.js";
import { completedPage, type UserFailure } from "./completePage.js";
import { type Plan, planOf, type Wanted } from "./planUser.js";
import type { DiscoverPorts } from "./ports.js";

/** How a page was applied. `superseded`: a newer discovery has written these rows. */
export type AppliedUsers =
  | { readonly kind: "applied"; readonly tally: PageTally }
  | { readonly kind: "superseded" }
  | (UserFailure & { readonly requests: number });

type Tally = {
  -readonly [Name in "seen" | "added" | "resumed" | "leaving" | "untold"]: PageTally[Name];
} & { readonly leftOut: { -readonly [Reason in keyof PageTally["leftOut"]]: number } };

/**
 * Applies one page of users to the roster: adds, resumes, renames, and marks those who leave. Repeating it is harmless.
 * Rows carry the step that wrote them: a late twin meets a newer step and stops (I2).
 * @param told Kinds that this invocation was told, those of an earlier attempt at this page among them.
 * @throws Error when others have written the rows first, again and again; StorageError.
 */
export async function applyUsers(
  items: readonly DirectoryItem[],
  state: DirectoryState,
  ports: DiscoverPorts,
  told: KindsTold,
): Promise<AppliedUsers> {
  const page = await completedPage(items, state, ports);
  if (page.kind === "failed") return { ...page, requests: 0 };
  const looked = await askedKinds(page.users, state, ports, told);
  if (looked.kind === "failed") return looked;
  const tally: Tally = {
    seen: looked.users.length,
    added: 0,
    resumed: 0,
    leaving: 0,
    untold: 0,
    leftOut: { ...nobodyLeftOut },
  };
  let waiting: readonly Wanted[] = looked.users.map(wantedOf);
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (attempt === ports.limits.attemptsMax)
      throw new Error(`The roster's rows were lost to others ${attempt} times.`);
    const isFirstLook = attempt === 0;
    const plans = await mapAtOnce(waiting, ports.limits.readsAtOnceMax, (one) =>
      planOf(one, state, ports, isFirstLook),
    );
    if (plans.some(({ effect }) => effect === "overtaken")) return { kind: "superseded" };
    const writing = plans.flatMap(({ entry, ...plan }) => (entry === null ? [] : [{ ...plan, entry }]));
    for (const plan of plans) if (plan.entry === null) count(tally, plan);
    const results = await ports.store.roster.commit(writing.map(({ entry }) => entry));
    const lost: Wanted[] = plans.filter(({ effect }) => effect === "again").map(({ wanted }) => wanted);
    for (const [index, plan] of writing.entries()) {
      if (results[index] !== "committed") lost.push(plan.wanted);
      else count(tally, plan);
    }
    waiting = lost;
  }
  return { kind: "applied", tally: { ...tally, asked: looked.asked } };
}

function count(tally: Tally, { effect, leftOut }: Pick<Plan, "effect" | "leftOut">): void {
  if (effect === "again" || effect === "overtaken") return;
  if (leftOut !== null) tally.leftOut[leftOut] += 1;
  if (effect !== null) tally[effect] += 1;
}

function wantedOf({ user, held, answer }: LookedUser): Wanted {
  if (user.kind !== "described") return { mailboxId: user.id, item: null, isHidden: user.kind === "hidden" };
  return { mailboxId: user.item.id, item: user.item, held, answer };
}
