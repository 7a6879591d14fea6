import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changeAnswersOf, changesetOf } from "../../shared/table/changeset.js";
import { entityOf, tableText } from "../../shared/table/entityText.js";
import { actionBytes } from "../../shared/table/measure.js";
import type { Action, Columns, ColumnValue } from "../../shared/table/table.js";
import { runs } from "../fuzz/runs.js";

const tableUrl = "https://acme.table.core.windows.net/calendarmirror";

describe("the text of a transaction", () => {
  test("holds each action as a request of its own, the conditions with those that have one", () => {
    const actions: readonly Action[] = [
      { kind: "create", rowKey: "a", columns: { n: 1 } },
      { kind: "upsert", rowKey: "b'c", columns: {} },
      { kind: "merge", rowKey: "d", columns: { at: new Date(0), big: 2n ** 40n }, etag: `W/"datetime'1'"` },
      { kind: "update", rowKey: "e/é", columns: { yes: true }, etag: "*" },
      { kind: "delete", rowKey: "f", etag: "W/1" },
    ];
    const { contentType, body } = changesetOf(tableUrl, "p", actions);
    expect(contentType).toBe("multipart/mixed; boundary=batch_calendarmirror");
    const common = [
      "Content-Type: application/json",
      "Accept: application/json;odata=minimalmetadata",
      "DataServiceVersion: 3.0",
    ];
    const part = [
      "--changeset_calendarmirror",
      "Content-Type: application/http",
      "Content-Transfer-Encoding: binary",
      "",
    ];
    const entity = (key: string) => `${tableUrl}(PartitionKey='p',RowKey='${key}')`;
    expect(body.split("\r\n")).toEqual([
      ...["--batch_calendarmirror", "Content-Type: multipart/mixed; boundary=changeset_calendarmirror", ""],
      ...[...part, `POST ${tableUrl} HTTP/1.1`, ...common, "Prefer: return-no-content", ""],
      `{"PartitionKey":"p","RowKey":"a","n":1}`,
      ...[...part, `PUT ${entity("b''c")} HTTP/1.1`, ...common, "", `{"PartitionKey":"p","RowKey":"b'c"}`],
      ...[...part, `PATCH ${entity("d")} HTTP/1.1`, ...common, `If-Match: W/"datetime'1'"`, ""],
      `{"PartitionKey":"p","RowKey":"d","at":"1970-01-01T00:00:00.000Z","at@odata.type":"Edm.DateTime",` +
        `"big":"1099511627776","big@odata.type":"Edm.Int64"}`,
      ...[...part, `PUT ${entity("e%2F%C3%A9")} HTTP/1.1`, ...common, "If-Match: *", ""],
      `{"PartitionKey":"p","RowKey":"e/é","yes":true}`,
      ...[...part, `DELETE ${entity("f")} HTTP/1.1`, ...common, "If-Match: W/1", "", ""],
      ...["--changeset_calendarmirror--", "--batch_calendarmirror--", ""],
    ]);
  });

  test.each(["", `W/"1"\r\nIf-None-Match: *`, "W/1\n", "é"])("an ETag %j does not become a header", (etag) => {
    const act = () => changesetOf(tableUrl, "p", [{ kind: "delete", rowKey: "a", etag }]);
    expect(act).toThrow(RangeError);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("a column of %d is our mistake", (n) => {
    expect(() => tableText("p", "a", { n })).toThrow("Column n takes finite numbers only.");
  });

  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom("\r\n--changeset_calendarmirror--\r\n", "\u2028\u2029", "'),RowKey='", "__proto__", 'HTTP/1.1 "'),
  );
  const value: fc.Arbitrary<ColumnValue> = fc.oneof(
    text,
    fc.constant("\ud800"), // A key holds none: `shared/store/keys.ts` escapes it.
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.date({ noInvalidDate: true, min: new Date("1601-01-01"), max: new Date("9999-12-31") }),
  );
  const name = fc
    .stringMatching(/^[A-Za-z]\w{0,20}$/)
    .filter((each) => !/^(PartitionKey|RowKey|Timestamp)$/.test(each));
  const columns: fc.Arbitrary<Columns> = fc.dictionary(name, value, { maxKeys: 8 });
  const actions = fc.array(fc.record({ rowKey: text, columns }), { minLength: 1, maxLength: 6 });

  test("whatever keys and columns hold, rows stay in their lines, and come back as they were", () => {
    fc.assert(
      fc.property(text, actions, (partitionKey, rows) => {
        const upserts = rows.map((row) => ({ kind: "upsert", ...row }) as const);
        const { body } = changesetOf(tableUrl, partitionKey, upserts);
        expect(body).not.toMatch(/[\u2028\u2029]/);
        const lines = body.split("\r\n");
        expect(lines).toHaveLength(3 + 10 * rows.length + 3);
        const sent = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
        expect(sent.map(entityOf)).toEqual(rows.map((row) => ({ partitionKey, ...row, etag: "" })));
        const paths = lines.filter((line) => line.startsWith("PUT "));
        expect(
          paths.every((path) => /^PUT [!-~]+\(PartitionKey='[!-~]*',RowKey='[!-~]*'\) HTTP\/1\.1$/.test(path)),
        ).toBe(true);
      }),
      runs(300),
    );
  });

  test("I10: no transaction is longer than its actions were counted", () => {
    fc.assert(
      fc.property(text, actions, (partitionKey, rows) => {
        const all = rows.flatMap(({ rowKey, columns: row }): Action[] => [
          { kind: "create", rowKey, columns: row },
          { kind: "merge", rowKey, columns: row, etag: `W/"datetime'2026-11-28T07%3A05%3A08.9419349Z'"` },
          { kind: "delete", rowKey, etag: "*" },
        ]);
        const counted = all.reduce((sum, action) => sum + actionBytes(partitionKey, action), 0);
        expect(Buffer.byteLength(changesetOf(tableUrl, partitionKey, all).body)).toBeLessThanOrEqual(counted);
      }),
      runs(300),
    );
  });
});

describe("a row as the service returns it", () => {
  test("types are those that stand beside the values, wherever they stand; others are ignored", () => {
    const row = {
      "odata.metadata": "https://acme.table.core.windows.net/$metadata#calendarmirror",
      "odata.etag": "W/1",
      ...{ PartitionKey: "p", RowKey: "r", Timestamp: "2026-11-28T00:00:00Z", "Timestamp@odata.type": "Edm.DateTime" },
      ...{ "at@odata.type": "Edm.DateTime", at: "2026-11-28T07:05:08.123Z", big: "5", "big@odata.type": "Edm.Int64" },
      ...{ "half@odata.type": "Edm.Double", half: "NaN", "id@odata.type": "Edm.Guid", id: "0006f0b7" },
      ...{
        "blob@odata.type": "Edm.Binary",
        blob: "AA==",
        list: [],
        nothing: null,
        "constructor@odata.type": "Edm.Int64",
      },
      ...{ "odd@odata.type": "Edm.Int64", odd: "1e3" },
    };
    const columns = { at: new Date("2026-11-28T07:05:08.123Z"), big: 5n, half: Number.NaN };
    expect(entityOf(row)).toEqual({ partitionKey: "p", rowKey: "r", etag: "W/1", columns });
  });

  test("a column named __proto__ is ignored", () => {
    const { columns } = entityOf(JSON.parse(`{"PartitionKey":"p","__proto__":"x","__proto__@odata.type":"Edm.Int64"}`));
    expect(Object.keys(columns)).toEqual([]);
    expect(Object.getPrototypeOf(columns)).toBe(Object.prototype);
  });
});

describe("the answer to a transaction", () => {
  const answer = (parts: readonly string[], end = "\r\n") =>
    [
      ...["--batchresponse_1", "Content-Type: multipart/mixed; boundary=changesetresponse_2", ""],
      ...parts.flatMap((part) => [
        ...["--changesetresponse_2", "Content-Type: application/http", "Content-Transfer-Encoding: binary", ""],
        part.replaceAll("\n", end),
      ]),
      ...["--changesetresponse_2--", "--batchresponse_1--", ""],
    ].join(end);
  const done = (etag: string) => `HTTP/1.1 204 No Content\nDataServiceVersion: 3.0;\nETag: ${etag}\n\n`;
  const gone = "HTTP/1.1 204 No Content\nCache-Control: no-cache\n\n";
  const error = `{"odata.error":{"code":"EntityAlreadyExists","message":{"lang":"en-US","value":"1:There is one.\\nETag: x"}}}`;
  const refusal = `HTTP/1.1 409 Conflict\nContent-ID: 2\n\n${error}`;

  test.each(["\r\n", "\n"])("comes request by request, with lines that end in %j", (end) => {
    expect(changeAnswersOf(answer([done("W/1"), gone, done("W/2")], end))).toEqual([
      { status: 204, etag: "W/1", body: "" },
      { status: 204, etag: "", body: "" },
      { status: 204, etag: "W/2", body: "" },
    ]);
    expect(changeAnswersOf(answer([refusal], end))).toEqual([{ status: 409, etag: "", body: error }]);
  });

  test("cut off anywhere before its last boundary it is none", () => {
    const whole = answer([done("W/1"), gone]);
    const end = whole.indexOf("--changesetresponse_2--");
    for (let length = 0; length < end + "--changesetresponse_2-".length; length++) {
      expect(changeAnswersOf(whole.slice(0, length)), `cut after ${length}`).toBeNull();
    }
  });

  test("a part that is no answer makes all of it none", () => {
    expect(changeAnswersOf(answer([done("W/1"), "204 No Content\n\n"]))).toBeNull();
    expect(changeAnswersOf(answer([done("W/1"), "HTTP/1.1 204 No Content"]))).toBeNull();
  });

  test("anything else is none, and throws nothing", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.constantFrom(
        "--changesetresponse_2",
        "\r\n",
        "\n",
        "Content-Type: multipart/mixed; boundary=",
        "HTTP/1.1 204",
        "{",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const read = changeAnswersOf(pieces.join(""));
        if (read !== null) expect(read.every(({ status }) => status >= 0 && status <= 999)).toBe(true);
      }),
      runs(500),
    );
  });
});
