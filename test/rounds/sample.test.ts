import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { addMailbox } from "../../shared/roster/byHand.js";
import { runRounds } from "../../shared/rounds/runRounds.js";
import { shardRuns } from "../worlds/runs.js";

/** The answer that the API page of `calendar: delta` shows, as it stands there. */
const sample = `{
    "@odata.context": "https://graph.microsoft.com/beta/$metadata#Collection(calendar)",
    "value": [
        {
            "@odata.type": "#microsoft.graph.calendar",
            "id": "AQMkADRhZThkMDVjLTJmNDctNDUyZC05YjA2LTI2YzRmMTIxOWJhZQBGAAADVDIMnvGkNkGo5_ASLe7iUQcAvXegGcyc-0O1dA1ftrtB6QAAAgEGAAAAvXegGcyc-0O1dA1ftrtB6QAAAUSwewAAAA==",
            "name": "Calendar",
            "color": "auto",
            "hexColor": "",
            "groupClassId": "0006f0b7-0000-0000-c000-000000000046",
            "isDefaultCalendar": true,
            "changeKey": "vXegGcyc/0O1dA1ftrtB6QAAAEO+6Q==",
            "canShare": true,
            "canViewPrivateItems": true,
            "isShared": false,
            "isSharedWithMe": false,
            "canEdit": true,
            "calendarGroupId": null,
            "allowedOnlineMeetingProviders": [
                "teamsForBusiness"
            ],
            "defaultOnlineMeetingProvider": "teamsForBusiness",
            "isTallyingResponses": true,
            "isRemovable": false,
            "owner": {
                "name": "Samantha Booth",
                "address": "samanthab@contoso.com"
            }
        },
        {
            "@odata.type": "#microsoft.graph.calendar",
            "id": "AQMkADRhZThkMDVjLTJmNDctNDUyZC05YjA2LTI2YzRmMTIxOWJhZQBGAAADVDIMnvGkNkGo5_ASLe7iUQcAvXegGcyc-0O1dA1ftrtB6QAAAgEGAAAAvXegGcyc-0O1dA1ftrtB6QAAAU4pOwAAAA==",
            "name": "Birthdays",
            "color": "auto",
            "hexColor": "",
            "groupClassId": "0006f0b7-0000-0000-c000-000000000046",
            "isDefaultCalendar": false,
            "changeKey": "vXegGcyc/0O1dA1ftrtB6QAAAEzvog==",
            "canShare": false,
            "canViewPrivateItems": true,
            "isShared": false,
            "isSharedWithMe": false,
            "canEdit": false,
            "calendarGroupId": null,
            "allowedOnlineMeetingProviders": [],
            "defaultOnlineMeetingProvider": "unknown",
            "isTallyingResponses": false,
            "isRemovable": true,
            "owner": {
                "name": "Samantha Booth",
                "address": "samanthab@contoso.com"
            }
        }
    ],
    "@odata.deltaLink": "https://graph.microsoft.com/beta/me/calendars/delta?$deltatoken=LztZwWjo5IivWBhyxw5rAIPrk_3pGHcZr4U33FHo0HpyBLqdo9QZIWfEL4AW1jMLBmo-o1ybmYCWlzQ5elO2bEDejh9Z8kYv_z4nhmHoC5Y.7Wdj3MWiils6M--JMM9dMyiLCh-1he4AZCqBu-8i42o"
}`;
const answer = JSON.parse(sample) as { value: Record<string, unknown>[]; "@odata.deltaLink": string };

describe("the API page's sample answer", () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers["prefer"]}`);
    response.setHeader("content-type", "application/json").end(sample);
  });
  let trial: ReturnType<typeof shardRuns>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    trial = shardRuns(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await trial.ports.store.open();
    await addMailbox("me", {}, trial.ports.store, trial.ports.newId);
    await runRounds(trial.tick(), trial.ports);
  });
  afterAll(() => {
    trial.transport.close();
    server.close();
  });

  test("is asked for without query options, with a page size", () => {
    expect(asked).toEqual(["GET /beta/me/calendars/delta odata.maxpagesize=50"]);
  });

  test("is mirrored property by property, the undeclared groupClassId too", async () => {
    const rows = await trial.ports.store.readCalendars("me");
    expect(rows).toHaveLength(2);
    for (const calendar of answer.value) {
      const row = rows.find(({ calendarId }) => calendarId === calendar["id"]);
      for (const [name, value] of Object.entries(calendar)) expect(row?.resource[name], name).toEqual(value);
      expect(Object.keys(row?.resource ?? {})).toEqual(Object.keys(calendar));
    }
  });

  test("leaves the whole deltaLink in the checkpoint, byte for byte", async () => {
    const held = await trial.ports.store.readMailbox("me");
    expect(held?.checkpoint).toMatchObject({ phase: "idle", link: answer["@odata.deltaLink"], calendarCount: 2 });
  });

  test("shows in the columns that people filter on", async () => {
    const entity = [...trial.table.entities()].find(({ rowKey }) => rowKey.startsWith("calendar|me|"));
    expect(entity?.columns).toMatchObject({
      mailboxId: "me",
      ownerAddress: "samanthab@contoso.com",
      ownerName: "Samantha Booth",
      color: "auto",
    });
  });
});
