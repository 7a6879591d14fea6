import { createHttpHeaders, type PipelineRequest } from "@azure/core-rest-pipeline";
import { describe, expect, test } from "vitest";
import { tableClientOf } from "../../shared/azure/tableClient.js";
import { azureTable } from "../../shared/table/azureTable.js";
import type { Action } from "../../shared/table/table.js";
import { collect } from "./tableContract.js";

/** Answers of a service that is not as Azurite is, or that somebody else gives in its name. */

type Reply = { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> };

function tableThatAnswers(...replies: readonly Reply[]) {
  const asked: PipelineRequest[] = [];
  const key = Buffer.from("not a real key").toString("base64");
  const connectionString = `DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=${key};EndpointSuffix=core.windows.net`;
  const client = tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null);
  client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
  client.pipeline.addPolicy({
    name: "replies",
    sendRequest: (request) => {
      const { status, body = "", headers = {} } = replies[asked.length] ?? { status: 500 };
      asked.push(request);
      return Promise.resolve({ request, status, headers: createHttpHeaders(headers), bodyAsText: body });
    },
  });
  return { table: azureTable(client), asked };
}

const upserts: readonly Action[] = ["a", "b"].map((rowKey) => ({ kind: "upsert", rowKey, columns: {} }));
const changes = (...parts: readonly string[]) =>
  [
    ...["--batchresponse_1", "Content-Type: multipart/mixed; boundary=changesetresponse_2", ""],
    ...parts.flatMap((part) => ["--changesetresponse_2", "Content-Type: application/http", "", part]),
    ...["--changesetresponse_2--", "--batchresponse_1--", ""],
  ].join("\r\n");
const done = (etag: string) => `HTTP/1.1 204 No Content\r\nETag: ${etag}\r\n\r\n`;
const failed = (status: number, code: string, message = "0:No.") =>
  `HTTP/1.1 ${status} No\r\n\r\n${JSON.stringify({ "odata.error": { code, message: { value: message } } })}`;

describe("I2: a transaction counts as done only where the service has said so of each of its actions", () => {
  test.each<[string, Reply]>([
    ["fewer answers", { status: 202, body: changes(done("W/1")) }],
    ["more answers", { status: 202, body: changes(done("W/1"), done("W/2"), done("W/3")) }],
    ["an answer without an ETag", { status: 202, body: changes(done("W/1"), "HTTP/1.1 204 No Content\r\n\r\n") }],
    ["an answer that was cut off", { status: 202, body: changes(done("W/1"), done("W/2")).slice(0, -50) }],
    ["another body", { status: 202, body: "<html>Sign in</html>" }],
    ["another success", { status: 200, body: changes(done("W/1"), done("W/2")) }],
  ])("%s: no clear answer", async (_what, reply) => {
    const { table } = tableThatAnswers(reply);
    const status = reply.status;
    await expect(table.transact("p", upserts)).rejects.toMatchObject({
      name: "StorageError",
      status,
      code: "AnswerIncomplete",
    });
  });

  test.each<[string, Reply, object]>([
    [
      "a conflict",
      { status: 202, body: changes(failed(412, "UpdateConditionNotSatisfied", "1:No.")) },
      { index: 1, reason: "conflict" },
    ],
    [
      "a row too large",
      { status: 202, body: changes(failed(400, "EntityTooLarge")) },
      { index: 0, reason: "tooLarge" },
    ],
    [
      "a key that it does not take",
      { status: 202, body: changes(failed(400, "InvalidInput", "99:No.")) },
      { index: 99, reason: "invalid" },
    ],
    [
      "no position",
      { status: 202, body: changes(failed(409, "EntityAlreadyExists", "No.")) },
      { index: null, reason: "conflict" },
    ],
    ["a body too large", { status: 413, body: "" }, { index: null, reason: "tooLarge", code: "unknown" }],
  ])("%s is a refusal", async (_what, reply, expected) => {
    const { table } = tableThatAnswers(reply);
    expect(await table.transact("p", upserts)).toMatchObject({ kind: "refused", ...expected });
  });

  test.each<[string, Reply, object]>([
    [
      "a server's failure within",
      { status: 202, body: changes(failed(500, "InternalError")) },
      { status: 500, code: "InternalError" },
    ],
    [
      "a missing table within",
      { status: 202, body: changes(failed(404, "TableNotFound")) },
      { status: 404, code: "TableNotFound" },
    ],
    [
      "a refused identity",
      { status: 403, headers: { "x-ms-error-code": "AuthorizationFailure" } },
      { status: 403, code: "AuthorizationFailure" },
    ],
    ["a busy service", { status: 503, body: "busy" }, { status: 503, code: "unknown" }],
  ])("%s is no answer", async (_what, reply, expected) => {
    const { table } = tableThatAnswers(reply);
    await expect(table.transact("p", upserts)).rejects.toMatchObject({ name: "StorageError", ...expected });
  });
});

describe("I1: a read that was cut off is no answer", () => {
  const row = (rowKey: string) => ({ PartitionKey: "p", RowKey: rowKey, "odata.etag": "W/1" });
  const range = { after: " ", upTo: "~" };

  test.each(["", '{"PartitionKey":"p","RowK', "null", "<html>"])("%j is not a row", async (body) => {
    const { table } = tableThatAnswers({ status: 200, body });
    await expect(table.get("p", "a")).rejects.toMatchObject({ status: 200, code: "AnswerIncomplete" });
  });

  test.each(['{"value":[', "{}", '{"value":{}}', ""])("%j is not a page", async (body) => {
    const { table } = tableThatAnswers({ status: 200, body });
    await expect(collect(table.pages("p", range, 10))).rejects.toMatchObject({ status: 200, code: "AnswerIncomplete" });
  });

  test("a continuation is followed, whatever it holds, through empty pages, until there is none", async () => {
    const next = (partition: string, key: string) => ({
      "x-ms-continuation-NextPartitionKey": partition,
      "x-ms-continuation-NextRowKey": key,
    });
    const { table, asked } = tableThatAnswers(
      { status: 200, body: JSON.stringify({ value: [row("a")] }), headers: next("1!8!cA--", "1!4!&$top=1 +é") },
      { status: 200, body: '{"value":[]}', headers: { "x-ms-continuation-NextPartitionKey": "1!8!cA--" } },
      { status: 200, body: JSON.stringify({ value: [row("b")] }) },
    );
    const found = await collect(table.pages("p", range, 10));
    expect(found.map(({ rowKey }) => rowKey)).toEqual(["a", "b"]);
    const queries = asked.map(({ url }) => new URL(url).searchParams);
    expect(
      queries.map((query) => [query.get("NextPartitionKey"), query.get("NextRowKey"), query.getAll("$top")]),
    ).toEqual([
      [null, null, ["10"]],
      ["1!8!cA--", "1!4!&$top=1 +é", ["10"]],
      ["1!8!cA--", null, ["10"]],
    ]);
    expect(asked.every(({ url }) => !url.includes("+"))).toBe(true);
  });
});

test("I8: a signature in the client's address goes with each request, and into no request within a transaction", async () => {
  const sas = "sv=2019-02-02&sig=c2VjcmV0";
  const connectionString = `TableEndpoint=https://acme.table.core.windows.net;SharedAccessSignature=${sas}`;
  const client = tableClientOf({ kind: "connectionString", connectionString }, "calendarmirror", null);
  const asked: PipelineRequest[] = [];
  client.pipeline.removePolicy({ name: "defaultRetryPolicy" });
  client.pipeline.addPolicy({
    name: "replies",
    sendRequest: (request) => {
      asked.push(request);
      return Promise.resolve({
        request,
        status: 404,
        headers: createHttpHeaders({ "x-ms-error-code": "ResourceNotFound" }),
      });
    },
  });
  const table = azureTable(client);
  expect(await table.get("p", "a")).toBeNull();
  await table.transact("p", upserts);
  expect(asked.map(({ url }) => url.split("?")[0])).toEqual([
    "https://acme.table.core.windows.net/calendarmirror(PartitionKey='p',RowKey='a')",
    "https://acme.table.core.windows.net/$batch",
  ]);
  for (const { url } of asked) expect(new URL(url).searchParams.get("sig")).toBe("c2VjcmV0");
  expect(String(asked[1]?.body)).not.toContain("sig=");
});
