import { describe, expect, test } from "vitest";
import { queueSenderOf } from "../../shared/azure/queueSender.js";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { cloudNames, clouds } from "../../shared/graph/clouds.js";
import { azureTable } from "../../shared/table/azureTable.js";

const key = Buffer.from("not a real key").toString("base64");
const client = (connectionString: string) =>
  tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null);

describe("the table's client", () => {
  test("UseDevelopmentStorage=true is Azurite on its usual port, over plain http", () => {
    expect(client("UseDevelopmentStorage=true").url).toBe("http://127.0.0.1:10002/devstoreaccount1");
  });

  test("a connection string of Azure goes to its account over https", () => {
    const azure = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${key};EndpointSuffix=core.windows.net`;
    expect(client(azure).url).toBe("https://acme.table.core.windows.net");
  });

  test("an identity goes with the account's table endpoint, and is needed there", () => {
    const storage = {
      kind: "identity",
      queueServiceUri: "https://acme.queue.core.windows.net",
      tableServiceUri: "https://acme.table.core.windows.net",
      clientId: null,
    } as const;
    const credential = { getToken: () => Promise.resolve(null) };
    expect(tableClientOf(storage, "calendarmirror", credential).url).toBe("https://acme.table.core.windows.net");
    expect(() => tableClientOf(storage, "calendarmirror", null)).toThrow("An identity is needed");
  });

  test.each(cloudNames)("in %s tokens are asked for storage's one audience, by table and queue", async (cloud) => {
    const suffix = clouds[cloud].storageSuffix;
    const scopes: unknown[] = [];
    const credential = {
      getToken: (scope: unknown) => {
        scopes.push(scope);
        return Promise.reject(new Error("no token in this test"));
      },
    };
    const storage = {
      kind: "identity",
      queueServiceUri: `https://acme.queue.${suffix}`,
      tableServiceUri: `https://acme.table.${suffix}`,
      clientId: null,
    } as const;
    const table = azureTable(tableClientOf(storage, "calendarmirror", credential));
    await expect(table.get("00", "shard")).rejects.toThrow();
    await expect(
      queueSenderOf(storage, "calendar-changes", credential, Date.now)(() => undefined)({ mailbox: "m", sequence: 1 }),
    ).rejects.toThrow();
    expect(new Set(scopes.flat())).toEqual(new Set(["https://storage.azure.com/.default"]));
  });

  test("nobody there is a StorageError of one line, without key or address", async () => {
    const nowhere = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=${key};TableEndpoint=http://127.0.0.1:1/a`;
    const lost = tableClientOf({ kind: "connectionString", connectionString: nowhere }, "calendarmirror", null);
    lost.pipeline.removePolicy({ name: "defaultRetryPolicy" });
    await expect(azureTable(lost).get("00", "r")).rejects.toMatchObject({
      message: "Table storage: get in partition 00 failed with no answer, code ECONNREFUSED.",
      status: null,
    });
  });
});
