import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cloudNames } from "../../shared/graph/clouds.js";
import { readSettings, settingNames } from "../../shared/settings.js";
import { metrics } from "../../shared/telemetry/metrics.js";
import type { Dimensions } from "../../shared/telemetry/telemetry.js";

/** What `infra/` says must be what the app reads and registers. That Bicep compiles is not seen here. */

const root = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const bicep = Object.fromEntries(
  readdirSync(join(root, "infra"))
    .filter((name) => /\.bicep(param)?$/.test(name))
    .map((name) => [name, read(`infra/${name}`)]),
);
const textOf = (name: string): string => {
  const text = bicep[name];
  if (text === undefined) throw new Error(`infra/${name} is missing`);
  return text;
};
const functions = readdirSync(join(root, "functions")).map((name) => name.replace(/\.ts$/, ""));

/** Names and expressions of an object's properties, of the first object that follows `start`. */
function propertiesAfter(start: string, text: string): Record<string, string> {
  const from = text.indexOf("{", text.indexOf(start));
  const body = text.slice(from, text.indexOf("\n", text.indexOf("}\n", from)));
  return Object.fromEntries([...body.matchAll(/^\s+(\w+): (.+)$/gm)].map(([, name = "", value = ""]) => [name, value]));
}

const mirrorSettings = propertiesAfter("settings: union(", textOf("main.bicep"));
const platformSettings = propertiesAfter("var platformSettings =", textOf("app.bicep"));
const parameters = [...textOf("main.bicep").matchAll(/^param (\w+) (\w+)(?: = (.+))?$/gm)].map(
  ([, name = "", type = "", initial]) => ({ name, type, initial }),
);
/** The text of a parameter's default, without quotes. */
const defaultOf = (name: string) => parameters.find((each) => each.name === name)?.initial?.replace(/^'(.*)'$/, "$1");

describe("settings", () => {
  test("the app knows each that is deployed by name", () => {
    expect(Object.keys(mirrorSettings)).not.toEqual([]);
    expect(Object.keys(mirrorSettings).filter((name) => !settingNames.includes(name))).toEqual([]);
  });

  test("those that are deployed suffice: by identity, without a secret", () => {
    const clientId = "11111111-0000-4000-8000-000000000001";
    const values = Object.fromEntries(
      Object.entries(platformSettings).map(([name, value]) => {
        if (name === "APPLICATIONINSIGHTS_CONNECTION_STRING") return [name, "InstrumentationKey=a-key"];
        const text = value.replace(/^'(.*)'$/, "$1").replaceAll(/\$\{.*?\}|^identityClientId$/g, clientId);
        return [name, name.endsWith("Uri") ? `https://x.${name.split("__")[1]}.test/` : text];
      }),
    );
    const settings = readSettings({ ...values, WEBSITE_SITE_NAME: "calendar-mirror" });
    expect(settings).toMatchObject({
      isInAzure: true,
      storage: { kind: "identity", clientId },
      graph: { accessToken: null, clientId },
      telemetry: { isToOtlp: false, azureMonitor: { identity: { clientId } }, isSampled: true },
    });
    expect(platformSettings["AzureWebJobsStorage__credential"]).toBe("'managedidentity'");
  });

  test("the account's name stands beside the addresses of its services, for parts of the host that look for the name alone", () => {
    const identity = Object.keys(platformSettings).filter((name) => name.startsWith("AzureWebJobsStorage__"));
    expect(identity.map((name) => name.split("__")[1]).sort()).toEqual([
      "accountName",
      "blobServiceUri",
      "clientId",
      "credential",
      "queueServiceUri",
      "tableServiceUri",
    ]);
    expect(propertiesAfter("module app ", textOf("main.bicep"))).toMatchObject({ storageName: "storage.outputs.name" });
  });

  test("the exporter sends nothing of its own accord", () => {
    expect(platformSettings).toMatchObject({
      APPLICATION_INSIGHTS_NO_STATSBEAT: "'true'",
      APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: "'true'", // Only this word does it.
    });
  });

  test("a first deployment is not refused for what does not exist yet", () => {
    expect(textOf("main.bicep")).toMatch(/^module graph .*\{\n(?: {2}.*\n)*? {2}dependsOn: \[app\]$/m);
    expect(textOf("alerts.bicep")).toMatch(/^ +skipQueryValidation: true$/m);
  });

  test("defaults are the app's own", () => {
    const own = readSettings({ AzureWebJobsStorage: "UseDevelopmentStorage=true" });
    expect({
      version: defaultOf("graphApiVersion"),
      syncSchedule: defaultOf("syncSchedule"),
      rosterSchedule: defaultOf("rosterSchedule"),
      shards: Number(defaultOf("shards")),
      roster: defaultOf("roster"),
    }).toEqual({
      version: own.graph.version,
      syncSchedule: own.syncSchedule,
      rosterSchedule: own.rosterSchedule,
      shards: own.shards,
      roster: own.roster.kind,
    });
  });

  test("what the documents set by azd has that name, and the deployer reads which resource providers there are", () => {
    const names = [...textOf("main.bicepparam").matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name]) => name);
    const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`)].filter((path) =>
      path.endsWith(".md"),
    );
    const set = pages.flatMap((path) => [...read(path).matchAll(/azd env (?:set|get-value) (?!NAME\b)([A-Z_]+)/g)]);
    const outputs = [...textOf("main.bicep").matchAll(/^output (\w+)/gm)].map(([, name]) => name);
    expect(set.length).toBeGreaterThan(10);
    expect(set.map(([, name]) => name).filter((name) => !names.includes(name) && !outputs.includes(name))).toEqual([]);
    const guide = read("docs/deploy.md");
    const providers = new Set(
      [
        ...Object.values(bicep)
          .join("\n")
          .matchAll(/'(Microsoft\.\w+)\//g),
      ].map(([, name]) => name),
    );
    for (const always of ["Microsoft.Resources", "Microsoft.Authorization", "Microsoft.Graph"])
      providers.delete(always);
    expect([...providers].filter((name) => !guide.includes(`\`${name}`))).toEqual([]);
  });

  test("every parameter can be set by azd, with the same default", () => {
    const given = [
      ...textOf("main.bicepparam").matchAll(/^param (\w+) = .*readEnvironmentVariable\('\w+'(?:, '(.*?)')?\)/gm),
    ];
    expect(given.map(([, name]) => name).sort()).toEqual(parameters.map(({ name }) => name).sort());
    for (const [, name = "", initial] of given) expect([name, initial]).toEqual([name, defaultOf(name)]);
  });

  test("the clouds are those of the app, and each cloud of Azure has one", () => {
    const allowed = /@allowed\(\['', (.+)\]\)\nparam graphCloud/.exec(textOf("main.bicep"))?.[1];
    expect(allowed).toBe(cloudNames.map((name) => `'${name}'`).join(", "));
    expect(textOf("main.bicep")).toContain(
      "{ AzureCloud: 'global', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }",
    );
    expect(Object.values(bicep).filter((text) => /windows\.net|usgovcloudapi|chinacloudapi/.test(text))).toEqual([]);
  });
});

describe("a private network", () => {
  const network = textOf("network.bicep");
  const resources = [...network.matchAll(/^resource (\w+) .*?= (.*)$(?:\n {2}for .*: (.*)$)?/gm)].map(
    ([, name = "", same = "", next = ""]) => [name, /if \((.*?)\) \{/.exec(`${same}\n${next}`)?.[1] ?? "always"],
  );

  test("a network and zones are made only where none are named, and endpoints always", () => {
    expect(Object.fromEntries(resources)).toEqual({
      network: "makesNetwork",
      account: "always",
      zones: "makesZones",
      links: "makesZones",
      endpoints: "always",
      records: "!dnsByPolicy",
    });
    expect(network).toContain("var makesNetwork = empty(subnetIds)\n");
    expect(network).toContain("var makesZones = empty(dnsZoneIds) && !dnsByPolicy\n");
  });

  test("what is named is used: both subnets, and the zone of each service", () => {
    expect(network).toMatch(/^output appSubnetId string = makesNetwork \? network::appSubnet\.id : subnetIds\.app$/m);
    expect(network).toMatch(/^var storageSubnetId = makesNetwork \? network::storageSubnet\.id : subnetIds\.storage$/m);
    expect(network).toContain("subnet: { id: storageSubnetId }");
    expect(network).toContain("privateDnsZoneId: makesZones ? zones[index].id : dnsZoneIds[service]");
    const services = /var services = \['(.+)'\]/.exec(network)?.[1]?.split("', '") ?? [];
    const guide = read("docs/deploy.md");
    const named = (name: string) =>
      Object.keys(JSON.parse(new RegExp(`azd env set ${name} '(.+?)'`).exec(guide)?.[1] ?? "{}"));
    expect([named("DNS_ZONE_IDS"), named("SUBNET_IDS")]).toEqual([services, ["app", "storage"]]);
  });
});

describe("a pipeline", () => {
  const workflow = read(".github/workflows/azure-dev.yml");

  test("is given every name that infra/ reads: what it lacked would go back to its default", () => {
    const listed = [...read("azure.yaml").matchAll(/^ {4}- ([A-Z_]+)$/gm)].map(([, name]) => name);
    const names = [...textOf("main.bicepparam").matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name]) => name);
    const byAzd = ["AZURE_ENV_NAME", "AZURE_LOCATION"]; // These it gives of its own accord.
    expect(listed).toEqual(names.filter((name = "") => !byAzd.includes(name)));
  });

  test("takes the variables that are set, as they are, and no empty one in the place of a default", () => {
    const [, program = ""] = /node -e '\n([\s\S]*?)\n +' >> "\$GITHUB_ENV"/.exec(workflow) ?? [];
    const settings = '{ "AUDIT_DAYS": "3" }\n';
    const variables = JSON.stringify({ ROSTER: "directory", SHARDS: "", MIRROR_SETTINGS: settings });
    const env = { ...process.env, VARIABLES: variables };
    const { stdout } = spawnSync(process.execPath, ["-e", program], { env, encoding: "utf8" });
    const given = [...stdout.matchAll(/^(\w+)<<(end-of-\w+)\n([\s\S]*?)\n\2$/gm)];
    expect(given.map(([, name, , value]) => [name, value])).toEqual([
      ["ROSTER", "directory"],
      ["MIRROR_SETTINGS", settings],
    ]);
  });

  test("signs in without a secret, and deploys what somebody names, on the Node of the app", () => {
    expect(workflow).not.toMatch(/secrets\.|AZURE_CREDENTIALS|client-secret/);
    expect(workflow).toMatch(/^ {2}id-token: write/m);
    expect(/^on:\n {2}(\w+):/m.exec(workflow)?.[1]).toBe("workflow_dispatch");
    const node = /node-version: (\d+)/.exec(workflow)?.[1];
    expect(textOf("app.bicep")).toContain(`runtime: { name: 'node', version: '${node}' }`);
  });
});

describe("who is told", () => {
  test("alerts and the budget go to the address and to every action group that is named", () => {
    const main = textOf("main.bicep");
    expect(main).toContain("union(alertActionGroups, empty(alertEmail) ? [] : [people.?outputs.id ?? ''])");
    expect(main.match(/^ +(?:params: \{.* )?actionGroups: actionGroups/gm)).toHaveLength(2);
    expect(textOf("alerts.bicep")).toContain("actions: { actionGroups: actionGroups }");
    expect(textOf("budget.bicep")).toContain("contactRoles: ['Owner'], contactGroups: actionGroups");
  });

  test("a budget without its first month is refused in words, before anything is made of it", () => {
    expect(textOf("budget.bicep")).toContain("empty(start) ? fail('MONTHLY_BUDGET needs BUDGET_START");
  });
});

describe("names", () => {
  test("functions with instances of their own, and those in alerts, are registered", () => {
    const scaled = [...textOf("app.bicep").matchAll(/'function:(\w+)'/g)].map(([, name]) => name);
    const watched = propertiesAfter("var functions =", textOf("telemetry.bicep"));
    const named = [
      ...Object.values(watched)
        .join(" ")
        .matchAll(/'(\w+)'/g),
    ].map(([, name]) => name);
    expect(scaled).toEqual(["runRounds"]);
    expect(named).toEqual(["startRounds", "parkPages", "parkRounds", "parkDeliveries"]);
    expect([...scaled, ...named].filter((name) => !functions.includes(name ?? ""))).toEqual([]);
  });

  test("metrics and their dimension are those that the app exports", () => {
    const watched = propertiesAfter("var metrics =", textOf("telemetry.bicep"));
    expect(
      Object.values(watched)
        .map((name) => name.replaceAll("'", ""))
        .sort(),
    ).toEqual(Object.keys(metrics).sort());
    const dimensions: Required<Dimensions> = { shard: "00", state: "paused", outcome: "accepted" };
    const named = [...textOf("telemetry.bicep").matchAll(/var (\w+)Dimension = '(\w+)'/g)];
    expect(named.map(([, name, value]) => `${name} ${value}`).sort()).toEqual(
      Object.keys(dimensions)
        .map((name) => `${name} ${name}`)
        .sort(),
    );
  });

  test("alerts are on a throttle and a refusal of the whole application, and on a subscriber that is behind, by the names of their metrics", () => {
    const rules = textOf("alerts.bicep").split(/^ {4}name: /m);
    const ruleOf = (name: string) => rules.find((rule) => rule.startsWith(`'${name}'`));
    expect(ruleOf("application-throttled")).toContain("metrics.brake");
    expect(ruleOf("application-refused")).toContain("metrics.refused");
    const watched = propertiesAfter("var metrics =", textOf("telemetry.bicep"));
    expect(watched).toMatchObject({ brake: "'calendar_mirror.brake'", refused: "'calendar_mirror.refused'" });
    expect(ruleOf("subscriber-behind")).toMatch(/newestOf\(metrics\.subscriberLag, .*\n *'where value >= 3600'/);
    for (const name of ["application-throttled", "application-refused", "subscriber-behind"]) {
      expect(read("docs/operations.md")).toContain(`\`${name}\``);
    }
  });

  test("metrics and functions are named in one file only", () => {
    const strangers = Object.entries(bicep).filter(
      ([name, text]) =>
        name !== "telemetry.bicep" &&
        /calendar_mirror\.|'(?:startRounds|parkPages|parkRounds|parkDeliveries)'/.test(text),
    );
    expect(strangers.map(([name]) => name)).toEqual([]);
  });

  test("the host records each invocation as a request by its function's name, as alerts expect", () => {
    expect(JSON.parse(read("host.json"))).not.toHaveProperty("telemetryMode"); // As the host does by default.
    expect(read("host.json")).toContain('"excludedTypes": "Request;Exception"'); // All of them, not a sample.
  });

  test("azd finds the app by its tag, and uploads what was built here", () => {
    const yaml = read("azure.yaml");
    const service = /^services:\n {2}(\w+):$/m.exec(yaml)?.[1];
    expect(textOf("app.bicep")).toContain(`'azd-service-name': '${service}'`);
    expect(yaml).toMatch(/^ {4}remoteBuild: false$/m);
  });

  test("the deployed Node is one under which CI runs the package", () => {
    const version = /runtime: \{ name: 'node', version: '(\d+)' \}/.exec(textOf("app.bicep"))?.[1];
    expect(/^for version in (.+); do$/m.exec(read(".ci/run"))?.[1]?.split(" ")).toContain(version);
  });
});

describe("rights", () => {
  test("storage takes no key, and no file holds or asks for one", () => {
    expect(textOf("storage.bicep")).toContain("allowSharedKeyAccess: false");
    expect(textOf("monitoring.bicep")).toContain("DisableLocalAuth: true");
    const secrets = /listKeys|AccountKey|SharedAccess|@secure|listAccountSas|InstrumentationKey/i;
    expect(
      Object.entries(bicep)
        .filter(([, text]) => secrets.test(text))
        .map(([name]) => name),
    ).toEqual([]);
  });

  test("pages of other origins read nothing, but those of a list, which is empty by default, and never with cookies", () => {
    const rules = Object.entries(bicep).flatMap(([name, text]) =>
      [...text.matchAll(/cors: .*|allowedOrigins.*|supportCredentials.*/gi)].map(([rule]) => `${name} ${rule}`),
    );
    expect(rules).toEqual(["app.bicep cors: { allowedOrigins: corsOrigins, supportCredentials: false }"]);
    expect(propertiesAfter("module app ", textOf("main.bicep"))).toMatchObject({ corsOrigins: "corsOrigins" });
    expect(defaultOf("corsOrigins")).toBe("[]");
    expect(read("docs/operations.md")).toContain("`CORS_ORIGINS`");
  });

  test("App Service Authentication is written where it is off too, trusts this tenant alone, and lets keys open all else", () => {
    const app = textOf("app.bicep");
    expect(defaultOf("authClientId")).toBe("");
    expect(app).toContain("platform: { enabled: !empty(authClientId) }");
    expect(app).toContain("requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous'");
    expect(app).toContain("identityProviders: empty(authClientId) ? {} : {");
    expect(app).toContain("tenant().tenantId}/v2.0'");
    expect(app).toContain("tokenStore: { enabled: false }");
    expect(app).not.toMatch(/clientSecret/);
    expect(Object.keys(mirrorSettings)).not.toContain("WEBSITE_AUTH_ENABLED"); // The platform's word, on which `me` relies.
  });

  test("the identity has the documented roles, and no other", () => {
    const ids = [
      ...Object.values(bicep)
        .join("\n")
        .matchAll(/'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'/g),
    ];
    expect(ids.map(([, id]) => id).sort()).toEqual(
      [
        "00000003-0000-0000-c000-000000000000", // Microsoft Graph itself.
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", // Storage Blob Data Owner
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88", // Storage Queue Data Contributor
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", // Storage Table Data Contributor
        "3913510d-42f4-4e42-8a64-420c390055eb", // Monitoring Metrics Publisher
      ].sort(),
    );
  });

  test("mailbox settings are opened for a discovered roster alone, not where Exchange grants, and one can go without", () => {
    const lines = textOf("main.bicep").split("\n");
    const rule = lines.filter((line) => line.includes("['MailboxSettings.Read']")).map((line) => line.trim());
    expect(rule).toEqual([
      "roster != 'manual' && readMailboxKinds && calendarAccess == 'allMailboxes' ? ['MailboxSettings.Read'] : [],",
    ]);
    expect(defaultOf("readMailboxKinds")).toBe("true");
    for (const name of ["READ_MAILBOX_KINDS", "Application MailboxSettings.Read"]) {
      expect(read("docs/permissions.md")).toContain(name);
    }
  });

  test("Graph permissions are those that the README asks for, all of them to read", () => {
    const asked = [...textOf("main.bicep").matchAll(/'((?:\w+\.)+(?:All|Read))'/g)].map(([, name = ""]) => name);
    expect(asked).toEqual(["Calendars.Read", "User.Read.All", "MailboxSettings.Read", "GroupMember.Read.All"]);
    expect(asked.filter((name) => !read("README.md").includes(`\`${name}\``))).toEqual([]);
  });
});
