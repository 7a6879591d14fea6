import { careContract } from "./careContract.js";
import { faultsContract } from "./faultsContract.js";
import type { NewTable } from "./tables.js";
import { unitsContract } from "./unitsContract.js";

/** What every Store must do, whatever table it stands on. */
export function storeContract(name: string, newTable: NewTable): void {
  unitsContract(name, newTable);
  faultsContract(name, newTable);
  careContract(name, newTable);
}
