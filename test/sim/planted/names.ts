import type { Mutant } from "./mutant.js";

const finds = ["test/roster/mailboxNames.test.ts"];
const answers = ["test/http/userNames.test.ts"];

/** Faults in whose mailbox a userPrincipalName is. */
export const inTheNames: readonly Mutant[] = [
  {
    name: "believe a remembered name without its row",
    file: "shared/roster/mailboxNames.ts",
    from: `hint?.step === step && held !== null && goesBy(name, held.row)`,
    to: `hint?.step === step`,
    unit: finds,
  },
  {
    name: "believe a remembered name though discovery has given it to a second user",
    file: "shared/roster/mailboxNames.ts",
    from: `hint?.step === step && held !== null`,
    to: `hint !== undefined && held !== null`,
    unit: finds,
  },
  {
    name: "remember a name by the step after the look",
    file: "shared/roster/mailboxNames.ts",
    from: `remember(name, isOnes ? { mailboxId: first.row.mailboxId, step } : null);`,
    to: `const after = await store.readDirectory();\n    remember(name, isOnes ? { mailboxId: first.row.mailboxId, step: after?.state.step ?? step } : null);`,
    unit: finds,
  },
  {
    name: "remember every name that was ever found",
    file: "shared/roster/mailboxNames.ts",
    from: `if (hints.size > max && oldest !== undefined)`,
    to: `if (hints.size > Number.MAX_SAFE_INTEGER && oldest !== undefined)`,
    unit: finds,
  },
  {
    name: "serve the first of two users of one name",
    file: "shared/roster/mailboxNames.ts",
    from: `const isOnes = first !== undefined && second === undefined;`,
    to: `const isOnes = first !== undefined && (second === undefined || first !== second);`,
    unit: finds,
  },
  {
    name: "find the name of a mailbox that is kept by hand",
    file: "shared/store/rosterRows.ts",
    from: `if (userPrincipalName === null || source === manualSource || state !== "active") return false;`,
    to: `if (userPrincipalName === null || source === "" || state !== "active") return false;`,
    unit: finds,
  },
  {
    name: "find the name of a user who has left",
    file: "shared/store/rosterRows.ts",
    from: `if (userPrincipalName === null || source === manualSource || state !== "active") return false;`,
    to: `if (userPrincipalName === null || source === manualSource) return false;`,
    unit: finds,
  },
  {
    name: "believe the folded column instead of the name",
    file: "shared/store/rosterRows.ts",
    from: `found.push(...page.map(heldOf).filter(({ row }) => goesBy(name, row)));`,
    to: `found.push(...page.map(heldOf).filter(({ row }) => row.state === "active" && row.source !== manualSource));`,
    unit: finds,
  },
  {
    name: "find no names of rows of an earlier release",
    file: "shared/store/rosterRows.ts",
    from: `...asStored.map((equals) => ({ column: userPrincipalName.name, equals })),`,
    to: `...asStored.slice(2).map((equals) => ({ column: userPrincipalName.name, equals })),`,
    unit: finds,
  },
  {
    name: "write names as they are given into the folded column",
    file: "shared/store/rosterRows.ts",
    from: `userPrincipalName === null ? null : foldedName(userPrincipalName) };`,
    to: `userPrincipalName };`,
    unit: finds,
  },
  {
    name: "ask half of the shards for a name",
    file: "shared/store/rosterRows.ts",
    from: `await mapAtOnce(shardNames(shards), shardsAtOnceMax, (shard) =>`,
    to: `await mapAtOnce(shardNames(Math.ceil(shards / 2)), shardsAtOnceMax, (shard) =>`,
    unit: finds,
  },
  {
    name: "let quotes of a text end a condition of the table",
    file: "shared/table/azureTable.ts",
    from: `text.replaceAll("'", "''")`,
    to: `text`,
    unit: ["test/table/table.test.ts"],
  },
  {
    name: "ask for all alternatives of a condition at once",
    file: "shared/table/azureTable.ts",
    from: `map(conditionText).join(" or ")`,
    to: `map(conditionText).join(" and ")`,
    unit: ["test/table/table.test.ts"],
  },
  {
    name: "refuse for good the token of who had a name before",
    file: "shared/http/beta/mailbox.ts",
    from: `if (refused.kind !== "badToken" || !asked.isByName) return`,
    to: `if (refused.kind !== "expired" || refused.checkpoint !== null) return`,
    unit: answers,
  },
  {
    name: "begin anew for any token that is none of ours",
    file: "shared/http/beta/mailbox.ts",
    from: `if (refused.kind !== "badToken" || !asked.isByName) return`,
    to: `if (refused.kind !== "badToken") return`,
    unit: answers,
  },
  {
    name: "put the mailbox's id into the context of who was asked for by name",
    file: "shared/http/askedMailbox.ts",
    from: `return { id: found.mailboxId, user: text, isByName: true };`,
    to: `return { id: found.mailboxId, user: found.mailboxId, isByName: true };`,
    unit: answers,
  },
  {
    name: "leave quotes of a name single in a context",
    file: "shared/http/beta/mailbox.ts",
    from: `encodeURIComponent(user.replaceAll("'", "''"))`,
    to: `encodeURIComponent(user)`,
    unit: answers,
  },
  {
    name: "take a name for removing a mailbox",
    file: "shared/http/mailboxes.ts",
    from: `if (request.method === "GET") return mailboxOfPath(request, ports);`,
    to: `if (request.method !== "PUT") return mailboxOfPath(request, ports);`,
    unit: answers,
  },
];
