import { describe, expect, test } from "vitest";
import { readSettings, SettingsError } from "../shared/settings.js";

const storage = { AzureWebJobsStorage: "UseDevelopmentStorage=true" };
const clientId = "11111111-0000-4000-8000-000000000001";

function mistakesOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("defaults", () => {
  test("storage alone is enough, and every default is the documented one", () => {
    expect(readSettings(storage)).toMatchObject({
      graph: {
        cloud: "global",
        version: "beta",
        root: "https://graph.microsoft.com",
        accessToken: null,
        batchSize: 20,
        pageSize: 50,
      },
      syncSchedule: "0 */5 * * * *",
      shards: 16,
      roster: { kind: "manual" },
      rosterKinds: new Set(["user", "shared", "room", "equipment", "linked", "others"]),
      rosterSchedule: "0 0 * * * *",
      auditMs: 7 * 86_400_000,
      tombstoneMs: 30 * 86_400_000,
      historyMs: 30 * 86_400_000,
      table: "calendarmirror",
      roundsQueue: "calendar-rounds",
      pagesQueue: "calendar-pages",
      changesQueue: "calendar-changes",
      pushQueue: "calendar-push",
      subscriberHosts: null,
      tenantId: null,
      changeNudges: true,
      publicOrigin: null,
    });
  });

  test("an empty value counts as not set", () => {
    expect(readSettings({ ...storage, SHARDS: "", GRAPH_ENDPOINT: "  " }).shards).toBe(16);
  });

  test("each cloud has its own Graph root", () => {
    expect(readSettings({ ...storage, GRAPH_CLOUD: "usgov" }).graph.root).toBe("https://graph.microsoft.us");
    expect(readSettings({ ...storage, GRAPH_CLOUD: "china" }).graph.root).toBe(
      "https://microsoftgraph.chinacloudapi.cn",
    );
  });

  test("a group's roster is named by the group's object id", () => {
    const ROSTER = "group:3F0C1D2E-0000-4000-8000-0123456789AB";
    const roster = { kind: "group", groupId: "3f0c1d2e-0000-4000-8000-0123456789ab" };
    expect(readSettings({ ...storage, ROSTER }).roster).toEqual(roster);
  });

  test("kinds of mailboxes are named with commas between them, blanks and capitals aside", () => {
    const { rosterKinds } = readSettings({ ...storage, ROSTER_KINDS: "user, Shared,room" });
    expect(rosterKinds).toEqual(new Set(["user", "shared", "room"]));
  });
});

describe("subscribers", () => {
  test("are any public host, or those that are named", () => {
    const { subscriberHosts } = readSettings({ ...storage, SUBSCRIBER_HOSTS: "Hooks.contoso.com,*.contoso.net" });
    expect(subscriberHosts).toEqual({ names: new Set(["hooks.contoso.com"]), below: [".contoso.net"] });
    expect(mistakesOf({ ...storage, SUBSCRIBER_HOSTS: "https://a.example" })).toEqual([
      expect.stringMatching(/^SUBSCRIBER_HOSTS must be host names with commas between/),
    ]);
  });

  test("are told the directory's id where it is known", () => {
    const TENANT_ID = "3F0C1D2E-0000-4000-8000-0123456789AB";
    expect(readSettings({ ...storage, TENANT_ID }).tenantId).toBe(TENANT_ID.toLowerCase());
    expect(mistakesOf({ ...storage, TENANT_ID: "contoso.com" })).toHaveLength(1);
  });
});

describe("mistakes", () => {
  test("all are reported at once, each with its name, its value and what to do", () => {
    const mistakes = mistakesOf({
      GRAPH_CLOUD: "mars",
      GRAPH_API_VERSION: "2.0",
      GRAPH_BATCH_SIZE: "21",
      GRAPH_PAGE_SIZE: "0",
      SYNC_SCHEDULE: "*/5 * * *",
      SHARDS: "12",
      ROSTER: "everyone",
      ROSTER_KINDS: "user,desk",
      AUDIT_DAYS: "never",
      MIRROR_TABLE: "1table",
      PAGES_QUEUE: "Pages",
      CHANGE_NUDGES: "yes",
    });
    expect(mistakes.map((mistake) => mistake.split(" ")[0])).toEqual([
      "GRAPH_CLOUD",
      "GRAPH_API_VERSION",
      "GRAPH_BATCH_SIZE",
      "GRAPH_PAGE_SIZE",
      "SYNC_SCHEDULE",
      "SHARDS",
      "ROSTER",
      "ROSTER_KINDS",
      "AUDIT_DAYS",
      "MIRROR_TABLE",
      "PAGES_QUEUE",
      "CHANGE_NUDGES",
      "AzureWebJobsStorage",
    ]);
    expect(mistakes[5]).toBe('SHARDS must be a power of two from 1 to 256, such as 16. It is "12".');
    expect(mistakes[7]).toBe(
      "ROSTER_KINDS must be kinds of mailboxes with commas between them, out of " +
        'user, shared, room, equipment, linked, others. It is "user,desk".',
    );
  });

  test.each([
    "https://graph.microsoft.com/beta",
    "http://graph.example.com",
    "https://user:pass@graph.microsoft.com",
    "https://graph.microsoft.com?x=1",
    "graph.microsoft.com",
    "http://127.0.0.1.evil.example",
  ])("I8: %s is no Graph root", (GRAPH_ENDPOINT) => {
    expect(mistakesOf({ ...storage, GRAPH_ENDPOINT })).toHaveLength(1);
  });

  test.each([
    ["http://127.0.0.1:8090", "http://127.0.0.1:8090"],
    ["http://localhost:8090/", "http://localhost:8090"],
    ["http://[::1]:8090", "http://[::1]:8090"],
    ["https://graph.microsoft.us:443/", "https://graph.microsoft.us"],
  ])("plain http is allowed on this machine only: %s", (GRAPH_ENDPOINT, root) => {
    expect(readSettings({ ...storage, GRAPH_ENDPOINT }).graph.root).toBe(root);
  });

  test("two queues of one name are refused", () => {
    expect(mistakesOf({ ...storage, PAGES_QUEUE: "same", ROUNDS_QUEUE: "same" })).toHaveLength(1);
  });

  test("secrets are never printed", () => {
    const mistakes = mistakesOf({ AzureWebJobsStorage: "SharedSecret", GRAPH_ACCESS_TOKEN: "secret token" });
    expect(mistakes).toHaveLength(2);
    expect(mistakes.join()).not.toMatch(/SharedSecret|secret token/);
  });
});

describe("PUBLIC_ORIGIN", () => {
  test.each([
    ["https://calendars.example", "https://calendars.example"],
    ["HTTPS://Calendars.Example:443/", "https://calendars.example"],
    ["http://localhost:7071", "http://localhost:7071"],
  ])("%s: links begin with %s", (PUBLIC_ORIGIN, publicOrigin) => {
    expect(readSettings({ ...storage, PUBLIC_ORIGIN })).toMatchObject({ publicOrigin });
  });

  test.each([
    "calendars.example",
    "http://calendars.example",
    "https://calendars.example/api",
    "https://user@calendars.example",
    "ftp://calendars.example",
  ])("%s would send readers, and their keys, elsewhere or in the clear: it is refused", (PUBLIC_ORIGIN) => {
    const [mistake, ...others] = mistakesOf({ ...storage, PUBLIC_ORIGIN });
    expect([mistake, others]).toEqual([expect.stringMatching(/^PUBLIC_ORIGIN must .*https:\/\//), []]);
  });
});

describe("schedules", () => {
  test.each([
    "0 */5 * * * *",
    "*/10 * * * * *",
    "0 30 6,18 * * Mon-Fri",
    "0 0 0 1 Jan *",
    "15 0-59/5 * 1 1 0",
    "0 0 9-17 * * 1-5",
    "*/5 * * * *",
    "0 0/15 * * * Monday-Friday",
  ])("%s is taken", (SYNC_SCHEDULE) =>
    expect(readSettings({ ...storage, SYNC_SCHEDULE }).syncSchedule).toBe(SYNC_SCHEDULE),
  );

  test.each([
    ["99 99 * * * *", 'has the second "99", and "99" is not within 0 to 59'],
    ["L L L L L L", "is not a number from 0 to 59"],
    ["0 0 24 * * *", '"24" is not within 0 to 23'],
    ["0 0 0 * * 7", '"7" is not within 0 to 6'],
    ["0 0 0 * * sundays", "the beginning of a name"],
    ["0\t*/5 * * * *", 'has the minute "0\\t*/5"'],
    ["0 1-2-3 * * * *", '"2-3" is not a whole number'],
    ["0,, * * * * *", 'has the second "0,,"'],
    ["00:05:00", "has 1 field where 6 are wanted"],
    ["0 0 0 1 1 * 2027", "has 7 fields"],
    ["0 0 22-2 * * *", "the host reads the hour 22-2 as 2-22. Write that, or 22-23,0-2 to go round"],
    ["0 0 0 * * mon-sun", "the day of week mon-sun as 0-1"],
    ["0 0 0 30 2 *", "no day that ever comes"],
  ])(
    "I7: '%s' is refused with the reason, for its timer would stand still or tick at other times",
    (SYNC_SCHEDULE, reason) => {
      const mistakes = mistakesOf({ ...storage, SYNC_SCHEDULE });
      expect(mistakes).toEqual([expect.stringContaining(reason)]);
      expect(mistakes[0]).toContain(`It is ${JSON.stringify(SYNC_SCHEDULE)}.`);
    },
  );
});

describe("Azure", () => {
  test.each([
    { WEBSITE_INSTANCE_ID: "x" },
    { WEBSITE_SITE_NAME: "x" },
    { CONTAINER_NAME: "x", LEGION_SERVICE_HOST: "y" },
  ])("a trial token is refused where the environment says Azure: %j", (azure) => {
    expect(mistakesOf({ ...storage, ...azure, GRAPH_ACCESS_TOKEN: "abc" })[0]).toMatch(/refused in Azure/);
  });

  test.each([
    { CONTAINER_NAME: "any container" },
    { WEBSITE_HOSTNAME: "localhost:7071", WEBSITE_SITE_NAME: "x", AZURE_FUNCTIONS_ENVIRONMENT: "Development" },
  ])("a container, or Core Tools, is not Azure: %j", (elsewhere) => {
    expect(readSettings({ ...storage, ...elsewhere, GRAPH_ACCESS_TOKEN: "abc" }).isInAzure).toBe(false);
  });

  test("a trial token is taken on a developer's machine", () => {
    expect(readSettings({ ...storage, GRAPH_ACCESS_TOKEN: "abc" }).graph.accessToken).toBe("abc");
  });

  test("storage by identity: an account name, or service addresses, with the identity's client id", () => {
    expect(
      readSettings({ AzureWebJobsStorage__accountName: "acct", AzureWebJobsStorage__clientId: clientId }),
    ).toMatchObject({
      storage: { kind: "identity", tableServiceUri: "https://acct.table.core.windows.net", clientId },
      graph: { clientId },
    });
    const uris = {
      AzureWebJobsStorage__queueServiceUri: "https://q.example/", // As Azure Resource Manager returns them.
      AzureWebJobsStorage__tableServiceUri: "https://t.example/",
    };
    expect(readSettings(uris).storage).toMatchObject({
      queueServiceUri: "https://q.example",
      tableServiceUri: "https://t.example",
    });
    expect(mistakesOf({ ...uris, AzureWebJobsStorage__tableServiceUri: "http://t.example" })).toHaveLength(1);
  });

  test.each([
    ["global", "core.windows.net"],
    ["usgov", "core.usgovcloudapi.net"],
    ["usgovdod", "core.usgovcloudapi.net"],
    ["china", "core.chinacloudapi.cn"],
  ])("in the cloud %s an account name stands for %s", (cloud, suffix) => {
    const settings = readSettings({ AzureWebJobsStorage__accountName: "acct", GRAPH_CLOUD: cloud });
    expect(settings.storage).toMatchObject({
      queueServiceUri: `https://acct.queue.${suffix}`,
      tableServiceUri: `https://acct.table.${suffix}`,
    });
  });
});

/** What the host resolves otherwise than it looks, or the mirror otherwise than the host. */
describe("values that would be taken in silence are refused, with what to do", () => {
  const byName = { AzureWebJobsStorage__accountName: "acct" };
  const service = "https://acct.table.core.windows.net";
  const uris = { AzureWebJobsStorage__queueServiceUri: "https://acct.queue.core.windows.net" };

  test.each([
    { AzureWebJobsStorage__accountName: "acct" },
    { AzureWebJobsStorage__credential: "managedidentity" },
    { AzureWebJobsStorage__blobServiceUri: "https://acct.blob.core.windows.net" },
    { AzureWebJobsStorage__clientId: clientId },
  ])("a connection string beside %j: it says which of them the host takes", (beside) => {
    const [name] = Object.keys(beside);
    expect(mistakesOf({ ...storage, ...beside } as Record<string, string>)).toEqual([
      `AzureWebJobsStorage and ${name} are both set: the host takes the connection string, and no identity. Remove ` +
        "AzureWebJobsStorage to sign in by the identity, or every AzureWebJobsStorage__ setting to stay with the connection string.",
    ]);
  });

  test.each([
    [{ AzureWebJobsStorage__accountName: "acct.blob.core.windows.net" }, "AzureWebJobsStorage__accountName"],
    [{ AzureWebJobsStorage__accountName: "https://acct" }, "AzureWebJobsStorage__accountName"],
    [{ ...byName, AzureWebJobsStorage__clientId: "mirror-identity" }, "AzureWebJobsStorage__clientId"],
    [{ ...byName, AZURE_CLIENT_ID: "mirror-identity" }, "AZURE_CLIENT_ID"],
    [{ ...byName, AzureWebJobsStorage__credential: "clientsecret" }, "AzureWebJobsStorage__credential"],
    [{ ...byName, AzureWebJobsStorage__clientSecret: "hidden" }, "AzureWebJobsStorage__clientSecret"],
    [
      { ...uris, AzureWebJobsStorage__tableServiceUri: `${service}/calendarmirror` },
      "AzureWebJobsStorage__tableServiceUri",
    ],
    [{ ...uris, AzureWebJobsStorage__tableServiceUri: `${service}?sv=hidden` }, "AzureWebJobsStorage__tableServiceUri"],
    [{ ...uris, AzureWebJobsStorage__tableServiceUri: `${service} ` }, "AzureWebJobsStorage__tableServiceUri"],
    [{ ...byName, AzureWebJobsStorage__blobServiceUri: "acct" }, "AzureWebJobsStorage__blobServiceUri"],
    [{ ...byName, SHARDS: "1e1" }, "SHARDS"],
    [{ ...byName, SHARDS: "0x10" }, "SHARDS"],
    [{ ...byName, SHARDS: '"16"' }, "SHARDS"],
    [{ ...byName, ROSTER: "directory\n" }, "ROSTER"],
    [{ ...byName, CHANGES_QUEUE: "Calendar-Changes" }, "CHANGES_QUEUE"],
    [{ ...byName, GRAPH_ENDPOINT: "https://graph.microsoft.com " }, "GRAPH_ENDPOINT"],
    [{ ...byName, GRAPH_ACCESS_TOKEN: "'hidden'" }, "GRAPH_ACCESS_TOKEN"],
    [{ ...byName, SYNC_SCHEDULE: "'0 */5 * * * *'" }, "SYNC_SCHEDULE"],
    [{ AzureWebJobsStorage: "AccountName=acct;AccountKey=hidden\n" }, "AzureWebJobsStorage"],
    [{ AzureWebJobsStorage: '"AccountName=acct;AccountKey=hidden"' }, "AzureWebJobsStorage"],
    [{ ...byName, sync_schedule: "0 * * * * *" }, "sync_schedule"],
    [{ ...byName, AzureWebJobsStorage__AccountName: "other" }, "AzureWebJobsStorage__AccountName"],
    [{ ...byName, "AzureWebJobsStorage:clientId": clientId }, "AzureWebJobsStorage:clientId"],
  ])("%j", (environment, name) => {
    const mistakes = mistakesOf(environment as Record<string, string>);
    expect(mistakes).toEqual([expect.stringMatching(new RegExp(`^${name} (must|is not)`))]);
    expect(mistakes.join()).not.toContain("hidden");
  });

  test("an emulator may have the account in its path", () => {
    const settings = readSettings({
      AzureWebJobsStorage__queueServiceUri: "https://127.0.0.1:10001/devstoreaccount1",
      AzureWebJobsStorage__tableServiceUri: "https://127.0.0.1:10002/devstoreaccount1/",
      AzureWebJobsStorage__credential: "ManagedIdentity",
    });
    expect(settings.storage).toMatchObject({ tableServiceUri: "https://127.0.0.1:10002/devstoreaccount1" });
  });
});
