import type { NewTable } from "../worlds/tables.js";
import { actionContract } from "./actionContract.js";
import { faultsContract } from "./faultsContract.js";
import { housekeepingContract } from "./housekeepingContract.js";
import { labelsContract } from "./labelsContract.js";
import { logContract } from "./logContract.js";
import { subscriptionContract } from "./subscriptionContract.js";
import { unitsContract } from "./unitsContract.js";

/** What every Store must do, whatever table it stands on. */
export function storeContract(name: string, newTable: NewTable): void {
  unitsContract(name, newTable);
  faultsContract(name, newTable);
  housekeepingContract(name, newTable);
  labelsContract(name, newTable);
  logContract(name, newTable);
  subscriptionContract(name, newTable);
  actionContract(name, newTable);
}
