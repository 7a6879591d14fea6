import type { Mutant } from "./mutant.js";

const kinds = ["test/roster/kinds.test.ts"];
const untold = ["test/roster/kindsUntold.test.ts"];

/** Faults in what discovery learns of the kinds of mailboxes, and makes of it. */
export const inTheKinds: readonly Mutant[] = [
  {
    name: "take a mailbox that nobody signs in to for a leaver's",
    file: "shared/sync/mailboxKind.ts",
    from: `account.accountEnabled === false && !withoutSignIn.has(kind)`,
    to: `account.accountEnabled === false && kind !== "equipment"`,
    unit: kinds,
  },
  {
    name: "take an account for a leaver whose kind was not told for a failure",
    file: "shared/roster/planUser.ts",
    from: `if (one.leaveReason === "disabled" && wanted.answer?.kind === "failed") {`,
    to: `if (one.leaveReason === null && wanted.answer?.kind === "failed") {`,
    unit: untold,
  },
  {
    name: "forget a known kind while the permission is missing",
    file: "shared/roster/planUser.ts",
    from: `const kind = answer?.kind === "known" ? answer.mailboxKind : (row?.mailboxKind ?? "unknown");`,
    to: `const kind = answer?.kind === "known" ? answer.mailboxKind : answer === null ? (row?.mailboxKind ?? "unknown") : "unknown";`,
    unit: untold,
  },
  {
    name: "never look again for mailboxes that were converted",
    file: "shared/sync/directory.ts",
    from: `const isAuditDue = nowMs - (state.lastFullRoundMs ?? 0) >= auditMs;`,
    to: `const isAuditDue = nowMs - (state.lastFullRoundMs ?? 0) < 0 * auditMs;`,
    unit: kinds,
  },
  {
    name: "let those who are held leave by an answer of yesterday",
    file: "shared/roster/askKinds.ts",
    from: `return isOld || isNews || isLeaving || hasChanged(item, row);`,
    to: `return isOld || isNews || (isLeaving && !state.isFull) || hasChanged(item, row);`,
    unit: kinds,
  },
  {
    name: "take other kinds from now on alone",
    file: "shared/sync/directory.ts",
    from: `state.hold !== null || state.kinds !== kinds || isAuditDue;`,
    to: `state.hold !== null || isAuditDue;`,
    unit: kinds,
  },
  {
    name: "go on with news alone once the permission is there",
    file: "shared/roster/askKinds.ts",
    from: `const isFullDue = isAnswered && !(isFull && pages === 0);`,
    to: `const isFullDue = isAnswered && isFull && pages < 0;`,
    unit: untold,
  },
  {
    name: "read all users again in each pass for those out of reach",
    file: "shared/roster/askKinds.ts",
    from: `if (told.witness === undefined) told.witness = await knownOnce(state, ports);
    return told.witness;`,
    to: `return told.witness ?? (state.pages < 0 ? knownOnce(state, ports) : null);`,
    unit: untold,
  },
  {
    name: "ask about all accounts while the permission is missing",
    file: "shared/roster/askKinds.ts",
    from: `if (kindProbe !== null && !isAnswered) return`,
    to: `if (kindProbe !== null && tried.length < 0) return`,
    unit: untold,
  },
  {
    name: "ask for a permission that is there",
    file: "shared/views/roster.ts",
    from: `noteOf(notLookedAt, (state?.kindProbe ?? null) !== null)`,
    to: `noteOf(notLookedAt, true)`,
    unit: ["test/views/kinds.test.ts"],
  },
  {
    name: "read a refusal that says nothing as no mailbox",
    file: "shared/graph/mailboxKinds.ts",
    from: `if (saysNoMailbox(failure)) return`,
    to: `if (failure.kind === "noMailbox") return`,
    unit: ["test/graph/mailboxKinds.test.ts"],
  },
  {
    name: "let one mailbox that is out of reach stand for those there is news of",
    file: "shared/roster/askKinds.ts",
    from: `const some = isFull ? [this.#oneOf(due)] : due.map(({ id }) => id);`,
    to: `const some = isFull ? [this.#oneOf(due)] : [];`,
    unit: untold,
  },
  {
    name: "believe that the permission is missing by those alone who are out of reach",
    file: "shared/roster/askKinds.ts",
    from: `if (witness !== null && this.told.answered.get(witness)?.kind === "known") return null;`,
    to: `if (witness !== null && this.told.answered.get(witness)?.kind === "failed") return null;`,
    unit: untold,
  },
  {
    name: "take an account without a mailbox for proof of the permission",
    file: "shared/roster/askKinds.ts",
    from: `|| this.#first(ids, "known") !== null) return null;`,
    to: `|| this.#first(ids, "known") !== null || this.#first(ids, "none") !== null) return null;`,
    unit: untold,
  },
  {
    name: "let an account leave unasked whose address is left out",
    file: "shared/roster/completePage.ts",
    from: `return isUnasked || (isLeaving`,
    to: `return (isUnasked && isLeaving) || (isLeaving`,
    unit: untold,
  },
  {
    name: "ask in each pass about accounts that were left out",
    file: "shared/roster/planUser.ts",
    from: `if (leaveReason !== null && !isNoted) return nothing(one);`,
    to: `if (leaveReason !== null) return nothing(one);`,
    unit: kinds,
  },
  {
    name: "ask again about accounts that have answered when others of the page failed",
    file: "shared/roster/askKinds.ts",
    from: `.filter((id) => !this.told.answered.has(id));`,
    to: `;`,
    unit: untold,
  },
  {
    name: "leave the mailbox its old name when its user is renamed",
    file: "shared/roster/planUser.ts",
    from: `const held = isShownAlike ? null : await store.readMailbox(row.mailboxId);`,
    to: `const held = isShownAlike || next.step > 0 ? null : await store.readMailbox(row.mailboxId);`,
    unit: kinds,
  },
  {
    name: "never forget who was left out",
    file: "shared/store/purge.ts",
    from: `return options.onlyLeaving ? removeLeftOut(session, mailboxId) : "unknown";`,
    to: `return "unknown";`,
    unit: kinds,
  },
];
