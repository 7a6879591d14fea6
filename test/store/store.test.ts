import { describe } from "vitest";
import { memoryTable } from "../../shared/table/memoryTable.js";
import { azuriteTables } from "../worlds/tables.js";
import { storeContract } from "./storeContract.js";

describe("store in memory", () => {
  storeContract("memory", () => memoryTable());
  storeContract("memory with small and empty pages", () => memoryTable({ pageSize: 7, emptyPages: true }));
});

describe("store on Azurite", () => {
  storeContract("Azurite", azuriteTables());
});
