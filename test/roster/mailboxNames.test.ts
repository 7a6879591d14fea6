import { describe, expect, test } from "vitest";
import { below, randomFrom } from "../../local/graph/random.js";
import { addMailbox } from "../../shared/roster/byHand.js";
import { createMailboxNames, type NamedMailbox } from "../../shared/roster/mailboxNames.js";
import { manualSource, StorageError } from "../../shared/store/store.js";
import { discovered, type Fleet, fitUsers, fleet } from "../worlds/fleet.js";
import { storeOn } from "../worlds/store.js";
import { interfered } from "../worlds/tables.js";

/** Whose mailbox a userPrincipalName is: what the roster says at that moment, whatever the process remembers. */

const named = (mailboxId: string): NamedMailbox => ({ kind: "mailbox", mailboxId });
const unknown: NamedMailbox = { kind: "unknown" };
const several: NamedMailbox = { kind: "several" };

async function opened(options: Parameters<typeof discovered>[0] = {}) {
  const world = await discovered({ mailboxes: 40, ...options });
  const [first = "", second = ""] = fitUsers(world);
  return { world, first, second, ...finderOn(world) };
}

/** A process that asks, with the requests that an answer took. */
function finderOn(world: Pick<Fleet, "storeOf">, max?: number) {
  const names = createMailboxNames({ isFollowed: true }, max);
  const find = (name: string) => names.find(name, world.storeOf());
  const requestsOf = async (name: string) => {
    const store = world.storeOf();
    await names.find(name, store);
    return store.transactions();
  };
  return { names, find, requestsOf };
}

const nameOf = async (world: Fleet, id: string) => (await world.store.roster.read(id))?.row.userPrincipalName ?? "";

async function rename(world: Fleet, id: string, userPrincipalName: string): Promise<void> {
  world.graph.mailboxes.updateUser(id, { userPrincipalName });
  await world.discover();
}

describe("a userPrincipalName", () => {
  test("finds its mailbox in any case of letters, over all shards", async () => {
    const { world, find } = await opened();
    for (const id of fitUsers(world)) {
      const name = await nameOf(world, id);
      expect([await find(name), await find(name.toUpperCase())]).toEqual([named(id), named(id)]);
    }
  });

  test("is whole: neither its start, nor a display name or an id", async () => {
    const { world, first, find } = await opened();
    const name = await nameOf(world, first);
    for (const text of [name.slice(0, -1), name.slice(1), ` ${name}`, "Samantha Booth", first, ""]) {
      expect([text, await find(text)]).toEqual([text, unknown]);
    }
  });

  test.each([
    "o'brien@contoso.example",
    "user_fabrikam.com#EXT#@contoso.onmicrosoft.example",
    "$x@contoso.example",
    "' or userPrincipalName ne '@contoso.example",
    "zoë\ud800@contoso.example",
    "ELİF@contoso.example",
  ])("may hold what looks like syntax: %j", async (name) => {
    const { world, first, find } = await opened();
    expect(await find(name)).toEqual(unknown);
    await rename(world, first, name);
    expect(await find(name)).toEqual(named(first));
    expect(await find(name.toLowerCase())).toEqual(named(first));
  });

  test("I14: who was renamed is found by the new name alone, also by a process that knew the old one", async () => {
    const { world, first, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    await rename(world, first, "new.name@contoso.example");
    expect([await find(name), await find("New.Name@contoso.example")]).toEqual([unknown, named(first)]);
  });

  test("I14: a name that was given to another user is that user's", async () => {
    const { world, first, second, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    world.graph.mailboxes.updateUser(first, { userPrincipalName: "gone@contoso.example" });
    await rename(world, second, name.toUpperCase());
    expect(await find(name)).toEqual(named(second));
  });

  test("I14: of two users is nobody's, also where a process knew the first before, until one is left", async () => {
    const { world, first, second, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    await rename(world, second, name.toUpperCase());
    expect(await find(name)).toEqual(several);
    await rename(world, first, "other@contoso.example");
    expect(await find(name)).toEqual(named(second));
  });

  test("I14: that is given to a second user while it is looked for is noticed by the next question", async () => {
    const { world, first, second } = await opened();
    const name = await nameOf(world, first);
    let isRenamed = false;
    const table = interfered(world.table, {
      after: async ({ name: call }) => {
        if (call !== "page" || isRenamed) return;
        isRenamed = true;
        await rename(world, second, name);
      },
    });
    const { find } = finderOn({ storeOf: () => storeOn(table, { shards: world.shards.length }) });
    await find(name);
    expect([isRenamed, await find(name)]).toEqual([true, several]);
  });

  test("I14: goes with its user, comes back with it, and is free for another one meanwhile", async () => {
    const { world, first, second, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    world.graph.mailboxes.remove(first, "changed");
    await world.discover();
    expect(await find(name)).toEqual(unknown);
    world.graph.mailboxes.restore(first);
    await world.discover();
    expect(await find(name)).toEqual(named(first));
    world.graph.mailboxes.remove(first, "deleted");
    await rename(world, second, name);
    expect(await find(name)).toEqual(named(second));
  });

  test("goes with a mailbox that is purged, and comes back when discovery finds its user again", async () => {
    const { world, first, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    await world.store.purgeMailbox(first);
    expect(await find(name)).toEqual(unknown);
    await rename(world, first, name); // News of the user.
    expect(await find(name)).toEqual(named(first));
  });

  test("I14: of a mailbox that was taken over by hand is nobody's: its renaming would pass unseen", async () => {
    const { world, first, second, find } = await opened();
    const name = await nameOf(world, first);
    expect(await find(name)).toEqual(named(first));
    await addMailbox(first, { source: manualSource }, world.store, world.newId);
    expect([await nameOf(world, first), await find(name)]).toEqual([name, unknown]);
    await rename(world, second, name);
    expect(await find(name)).toEqual(named(second));
  });

  test("is not known where the roster is kept by hand, whatever discovery left behind", async () => {
    const { world, first } = await opened();
    const names = createMailboxNames({ isFollowed: false });
    const store = world.storeOf();
    expect(await names.find(await nameOf(world, first), store)).toEqual({ kind: "notFollowed" });
    expect(store.transactions()).toBe(0);
  });
});

describe("I14: rows of an earlier release, without the folded column", () => {
  async function upgraded() {
    const opening = await opened();
    const { world, first } = opening;
    await rename(world, first, "Adele.V@Contoso.example");
    for (const { partitionKey, rowKey, columns, etag } of world.table.entities()) {
      const { userPrincipalNameFolded: _unknown, namesFolded: __, ...older } = columns;
      await world.table.transact(partitionKey, [{ kind: "update", rowKey, columns: older, etag }]);
    }
    return opening;
  }

  test("are found by the name as it is given and in lower case, and in any case after the next pass, which is full", async () => {
    const { world, first, second, find } = await upgraded();
    const lower = await nameOf(world, second);
    expect(await find("Adele.V@Contoso.example")).toEqual(named(first));
    expect([await find(lower), await find(lower.toUpperCase())]).toEqual([named(second), named(second)]);
    expect(await finderOn(world).find("adele.v@contoso.example")).toEqual(unknown);
    const isFull = async () => {
      await world.discover();
      return (await world.store.readDirectory())?.state.isFull;
    };
    expect([await isFull(), await isFull()]).toEqual([true, false]);
    expect(await finderOn(world).find("adele.v@contoso.EXAMPLE")).toEqual(named(first));
  });

  test("I14: are believed as little as others under a name that they have no longer", async () => {
    const { world, first, find } = await upgraded();
    expect(await find("Adele.V@Contoso.example")).toEqual(named(first));
    const row = world.table.entities().find(({ rowKey }) => rowKey === `roster|${first}`);
    if (row === undefined) throw new Error("No row.");
    // The release before renames the user, and leaves what it does not know alone.
    const columns = {
      ...row.columns,
      userPrincipalName: "x@y.example",
      userPrincipalNameFolded: "adele.v@contoso.example",
    };
    await world.table.transact(row.partitionKey, [{ kind: "update", rowKey: row.rowKey, columns, etag: row.etag }]);
    expect(await find("Adele.V@Contoso.example")).toEqual(unknown);
    expect(await find("x@y.example")).toEqual(named(first));
  });
});

describe("what a lookup costs", () => {
  test("a query for each shard and a point read; a name that the process has met two point reads", async () => {
    const { world, first, requestsOf } = await opened({ shards: 16 });
    const name = await nameOf(world, first);
    expect([await requestsOf(name), await requestsOf(name.toUpperCase())]).toEqual([1 + 16, 2]);
    await world.discover(); // It may have given the name to a second user.
    expect([await requestsOf(name), await requestsOf(name)]).toEqual([2 + 16, 2]);
    expect(await requestsOf("nobody@contoso.example")).toBe(1 + 16);
  });

  test("where nobody was ever discovered one point read", async () => {
    const world = fleet({ mailboxes: 2 });
    await world.store.open();
    const { requestsOf, find } = finderOn(world);
    expect(await find("a@contoso.example")).toEqual(unknown);
    expect(await requestsOf("a@contoso.example")).toBe(1);
  });

  test("who asks for the same name at once shares one look", async () => {
    const { world, first, names } = await opened();
    const name = await nameOf(world, first);
    const store = world.storeOf();
    const all = await Promise.all(Array.from({ length: 20 }, () => names.find(name, store)));
    expect(new Set(all.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify(named(first))]));
    expect(store.transactions()).toBe(20 + world.shards.length);
  });

  test("memory is bounded: the names that were used last are kept", async () => {
    const { world } = await opened();
    const [a = "", b = "", c = ""] = await Promise.all(fitUsers(world).map((id) => nameOf(world, id)));
    const { requestsOf } = finderOn(world, 2);
    const cold = 1 + world.shards.length;
    expect([await requestsOf(a), await requestsOf(b), await requestsOf(a)]).toEqual([cold, cold, 2]);
    expect([await requestsOf(c), await requestsOf(a), await requestsOf(b)]).toEqual([cold, 2, cold]);
  });
});

describe("where the table gives no clear answer", () => {
  test("I14: a shard that cannot be asked is no proof that nobody, or nobody else, has the name", async () => {
    const { world, first } = await opened();
    const name = await nameOf(world, first);
    let pages = 0;
    const table = interfered(world.table, {
      before: ({ name: call }) => {
        if (call === "page" && ++pages === 3) throw new StorageError("query", "02", 503, "ServerBusy");
      },
    });
    const failing = { storeOf: () => storeOn(table, { shards: world.shards.length }) };
    const { find } = finderOn(failing);
    await expect(find(name)).rejects.toThrow("ServerBusy");
    expect(await find(name)).toEqual(named(first)); // Nothing of the failure is kept.
  });

  test("a row of this name that cannot be read is an error, and harms no other name", async () => {
    const { world, first, second, find } = await opened();
    const [name, other] = [await nameOf(world, first), await nameOf(world, second)];
    const row = world.table.entities().find(({ rowKey }) => rowKey === `roster|${first}`);
    if (row === undefined) throw new Error("No row.");
    const columns = { ...row.columns, state: "dancing" };
    await world.table.transact(row.partitionKey, [{ kind: "update", rowKey: row.rowKey, columns, etag: row.etag }]);
    await expect(find(name)).rejects.toThrow("column state");
    expect(await find(other)).toEqual(named(second));
  });
});

test("I14: a process that remembers answers as the roster's rows say, whatever happens between two questions", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = randomFrom(seed);
    const draw = (count: number) => below(random, count);
    const options = { mailboxes: 12, usersPerPage: 2, shards: 3, discover: { runMsMax: 1_500 } };
    const world: Fleet = fleet({
      ...options,
      onCall: () => {
        world.clock.ms += 1_000;
      },
    });
    await world.store.open();
    await world.discover();
    const ids = fitUsers(world);
    const pool = ["a@x.example", "A@x.example", "b@x.example", "o'b@x.example"];
    const { find } = finderOn(world, 2);
    for (let step = 0; step < 40; step++) {
      const id = ids[draw(ids.length)] ?? "";
      const { mailboxes } = world.graph;
      const isThere = mailboxes.ids().includes(id);
      const newName = () => mailboxes.updateUser(id, { userPrincipalName: pool[draw(pool.length)] ?? "" });
      const acts = [
        () => isThere && newName(),
        () => isThere && newName(),
        () => (isThere ? mailboxes.remove(id, "changed") : mailboxes.restore(id)),
        () => world.store.purgeMailbox(id),
        () => addMailbox(id, draw(4) === 0 ? { source: manualSource } : {}, world.store, world.newId),
        () => world.discoverOnce(), // Perhaps a page of it.
        () => world.discover(),
      ];
      await acts[draw(acts.length)]?.();
      for (const name of [pool[draw(pool.length)] ?? "", pool[0] ?? ""]) {
        expect([seed, step, name, await find(name)]).toEqual([seed, step, name, await saidByRows(world, name)]);
      }
    }
  }
});

/** The same by reading every row of the roster. */
async function saidByRows(world: Fleet, name: string): Promise<NamedMailbox> {
  const found: string[] = [];
  for (const shard of world.shards) {
    for await (const page of world.store.roster.pages(shard)) {
      for (const { row } of page) {
        if (row.state !== "active" || row.source === manualSource) continue;
        if (row.userPrincipalName?.toLowerCase() === name.toLowerCase()) found.push(row.mailboxId);
      }
    }
  }
  const [first, second] = found;
  if (first === undefined) return unknown;
  return second === undefined ? named(first) : several;
}
