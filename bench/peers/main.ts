import { createInterface } from "node:readline";
import { TableClient } from "@azure/data-tables";
import { floorOf } from "./floor.js";
import { graphClientPeer } from "./graphClient.js";
import { listAndDiffPeer } from "./listAndDiff.js";
import type { Peer, PeerParts } from "./peer.js";
import { pnpPeer } from "./pnp.js";

/**
 * One peer in a process of its own. Takes its orders as a line of JSON, then a line for each tick, and answers each with
 * a line once every mailbox has been read. Its mailboxes come from memory: it pays for no queue and no host.
 */
export type PeerOrders = {
  readonly peer: "graphClient" | "listAndDiff" | "pnp" | "floor";
  readonly graphUrl: string;
  readonly token: string;
  readonly connectionString: string;
  readonly tableName: string;
  readonly mailboxIds: readonly string[];
  readonly inFlight: number;
  readonly pauseMs: number;
};

/** As a queue delivers a message that failed. */
const deliveriesMax = 5;

const input = createInterface(process.stdin);
input.once("close", () => process.exit()); // The bench has ended or was killed: also in the middle of a tick.
const lines = input[Symbol.asyncIterator]();
const { value: first } = await lines.next();
const orders = JSON.parse(String(first)) as PeerOrders;
const tick = orders.peer === "floor" ? floorTick(orders) : await peerTick(orders);
console.log("ready");
for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
  await tick();
  console.log("done");
}

function floorTick({ graphUrl, token, mailboxIds, inFlight, pauseMs }: PeerOrders): () => Promise<void> {
  const floor = floorOf(graphUrl, token, inFlight);
  return () => floor.tick(mailboxIds, pauseMs);
}

async function peerTick(orders: PeerOrders): Promise<() => Promise<void>> {
  const { graphUrl, token, connectionString, tableName, mailboxIds, inFlight } = orders;
  const table = TableClient.fromConnectionString(connectionString, tableName, { allowInsecureConnection: true });
  await table.createTable();
  const peer = peerOf(orders.peer, { graphUrl, token, table });
  return async () => {
    const waiting = mailboxIds.map((mailboxId) => ({ mailboxId, deliveries: 0 })).reverse();
    const lane = async () => {
      for (let message = waiting.pop(); message !== undefined; message = waiting.pop()) {
        try {
          await peer.round(message.mailboxId);
        } catch (error) {
          if (++message.deliveries === deliveriesMax) throw error;
          waiting.unshift(message);
        }
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  };
}

function peerOf(name: PeerOrders["peer"], parts: PeerParts): Peer {
  if (name === "graphClient") return graphClientPeer(parts);
  return name === "listAndDiff" ? listAndDiffPeer(parts) : pnpPeer(parts);
}
