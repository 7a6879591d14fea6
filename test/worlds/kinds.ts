import { MIXED_TENANT } from "../../local/graph/accounts.js";
import type { KindAnswer, MailboxKindsClient } from "../../shared/graph/mailboxKinds.js";
import { discoverMailboxes } from "../../shared/roster/discover.js";
import { type Fleet, type FleetOptions, fitUsers, fleet } from "./fleet.js";

/** A fleet of which some mailboxes are shared, rooms or equipment, and some are leavers'; and what is asked about them. */

const groupId = "11111111-2222-4333-8444-555555555555";
export const group = { kind: "group", groupId } as const;
export const directory = { kind: "directory" } as const;

/** A tenant with shared mailboxes, rooms, equipment and leavers among its accounts. */
export async function mixedTenant(options: FleetOptions = {}): Promise<Fleet> {
  const world = fleet({ mailboxes: 100, perHundred: MIXED_TENANT, usersPerPage: 50, ...options });
  await world.store.open();
  world.graph.groups.add(groupId, [...world.graph.mailboxes.ids()]);
  return world;
}

/** Mailboxes that are on the roster and not suspended. */
export const alive = async (world: Fleet) =>
  [...(await world.states())].flatMap(([id, state]) => (state === "suspended" ? [] : [id])).sort();
/** Mailboxes that a roster takes, by what Graph knows of them. */
export const wanted = (world: Fleet) => [...fitUsers(world)].sort();
/** Discovery's own checkpoint. */
export const directoryOf = async (world: Fleet) => {
  const held = await world.store.readDirectory();
  if (held === null) throw new Error("The roster was never discovered.");
  return held.state;
};
export const rowOf = async (world: Fleet, id: string) => (await world.store.roster.read(id))?.row;
export const checkpointOf = async (world: Fleet, id: string) => (await world.store.readMailbox(id))?.checkpoint;

type User = { readonly accountEnabled: boolean; readonly userType: string };
function userOf({ graph }: Fleet, id: string): User {
  const headers = { authorization: "Bearer test" };
  return JSON.parse(graph.handle({ method: "GET", url: `/beta/users/${id}`, headers }).body) as User;
}
export const purposeOf = ({ graph }: Fleet, id: string) => graph.mailboxes.purpose(id);
export const ofPurpose = (world: Fleet, ...purposes: readonly string[]) =>
  world.graph.mailboxes.ids().filter((id) => purposes.includes(purposeOf(world, id)));
export const disabled = (world: Fleet) => world.graph.mailboxes.ids().filter((id) => !userOf(world, id).accountEnabled);
/** Whose sign-in is disabled, with a person's mailbox. */
export const leavers = (world: Fleet) => disabled(world).filter((id) => purposeOf(world, id) === "user");
/** People who are mirrored. */
export const people = (world: Fleet) => fitUsers(world).filter((id) => purposeOf(world, id) === "user");

/** Requests for kinds of the passes that follow, by the accounts that each asks about. */
export function asked(world: Fleet): { readonly batches: string[][] } {
  const batches: string[][] = [];
  const handle = world.graph.handle;
  world.graph.handle = (request) => {
    const ids = [...(request.body ?? "").matchAll(/\/users\/([^/"]+)\/mailboxSettings\/userPurpose/g)];
    if (ids.length > 0) batches.push(ids.map(([, id]) => id ?? ""));
    return handle(request);
  };
  return { batches };
}

/** A client whose answers a test decides, over the one that asks the simulator. */
function scripted(answerOf: (id: string) => KindAnswer | null, ports: () => MailboxKindsClient): MailboxKindsClient {
  return {
    async kindsOf(ids) {
      const answers = await ports().kindsOf(ids);
      return ids.map((id, index) => answerOf(id) ?? answers[index] ?? { kind: "none", code: "none" });
    },
  };
}
/** A pass in which some accounts answer as a test says; null: as the simulator does. */
export async function pass(world: Fleet, answerOf: (id: string) => KindAnswer | null): Promise<string> {
  const ports = world.discoverPorts();
  const mailboxKinds = scripted(answerOf, () => ports.mailboxKinds);
  return (await discoverMailboxes({ discover: world.newId() }, { ...ports, mailboxKinds })).kind;
}
export const failed: KindAnswer = { kind: "failed", code: "UnknownError", retryAfterMs: null };
