import { isLoopback } from "./graph/links.js";
import { isGuid } from "./sync/mailboxId.js";

/** How the storage account of queues and table is reached: by a secret, or by an identity at these service roots. */
export type StorageSettings =
  | { readonly kind: "connectionString"; readonly connectionString: string }
  | {
      readonly kind: "identity";
      readonly queueServiceUri: string;
      readonly tableServiceUri: string;
      readonly clientId: string | null;
    };

type Given = Readonly<Record<string, string | undefined>>;

const connection = "AzureWebJobsStorage";
const services = ["blobServiceUri", "queueServiceUri", "tableServiceUri"].map((name) => `${connection}__${name}`);
const accountName = `${connection}__accountName`;
const credential = `${connection}__credential`;
const clientId = `${connection}__clientId`;
/** By these the host would sign in as somebody else than the mirror does. */
const otherIdentities = ["clientSecret", "certificate", "managedIdentityResourceId", "managedIdentityObjectId"].map(
  (name) => `${connection}__${name}`,
);
const identityNames = [accountName, ...services, credential, clientId, ...otherIdentities];

/** The settings of the storage, as the host names them. */
export const storageNames: readonly string[] = [connection, ...identityNames];

/** What is wrong with the client id of an identity, or null. */
export function clientIdMistake(name: string, value: string | undefined): string | null {
  if (value === undefined || isGuid(value)) return null;
  return `${name} must be the client id of the identity, a GUID as the portal shows it, and no name. It is ${shown(value)}.`;
}

/**
 * The storage of queues and table. Mistakes come back as texts, without a secret.
 * @param suffix Of storage accounts in this cloud: an identity has rights in its own cloud only.
 */
export function readStorage(given: Given, suffix: string): StorageSettings | readonly string[] {
  const connectionString = given[connection];
  if (connectionString === undefined) return readIdentity(given, suffix);
  const [beside] = identityNames.filter((name) => given[name] !== undefined);
  if (beside !== undefined) {
    return [
      `${connection} and ${beside} are both set: the host takes the connection string, and no identity. Remove ${connection} to ` +
        `sign in by the identity, or every ${connection}__ setting to stay with the connection string.`,
    ];
  }
  const isWhole = /^UseDevelopmentStorage=true;?$|(^|;)(AccountName|TableEndpoint)=/i.test(connectionString);
  if (isWhole) return { kind: "connectionString", connectionString };
  return [`${connection} must be a storage connection string, or UseDevelopmentStorage=true.`];
}

function readIdentity(given: Given, suffix: string): StorageSettings | readonly string[] {
  const account = given[accountName];
  const [, queueServiceUri, tableServiceUri] = services.map((name) => {
    const [service = ""] = /(?<=__)[a-z]+/.exec(name) ?? [];
    return given[name]?.replace(/\/$/, "") ?? (account && `https://${account}.${service}.${suffix}`);
  });
  const mistakes = identityMistakes(given);
  if (mistakes.length > 0) return mistakes;
  if (!queueServiceUri || !tableServiceUri) {
    return [
      `${connection} is missing. Set it to a connection string (UseDevelopmentStorage=true for Azurite), or set ` +
        `${accountName}, or ${connection}__queueServiceUri and ${connection}__tableServiceUri.`,
    ];
  }
  return { kind: "identity", queueServiceUri, tableServiceUri, clientId: given[clientId] ?? null };
}

function identityMistakes(given: Given): string[] {
  const mistakes: string[] = [];
  const account = given[accountName];
  if (account !== undefined && !/^[a-z0-9]{3,24}$/i.test(account)) {
    mistakes.push(
      `${accountName} must be the account's name alone, 3 to 24 letters and digits such as contosomirror. Addresses go into ` +
        `${services.join(", ")}. It is ${shown(account)}.`,
    );
  }
  for (const name of services) {
    if (given[name] === undefined || isServiceRoot(given[name])) continue;
    const [service = ""] = /(?<=__)[a-z]+/.exec(name) ?? [];
    const example = `https://contosomirror.${service}.core.windows.net`;
    mistakes.push(`${name} must be the https URL of the service alone, without path or query, such as ${example}.`);
  }
  if ((given[credential] ?? "managedidentity").toLowerCase() !== "managedidentity") {
    mistakes.push(`${credential} must be managedidentity, or not set. It is ${shown(given[credential] ?? "")}.`);
  }
  const notClientId = clientIdMistake(clientId, given[clientId]);
  if (notClientId !== null) mistakes.push(notClientId);
  for (const name of otherIdentities.filter((each) => given[each] !== undefined)) {
    mistakes.push(`${name} is not for the mirror, which signs in by managed identity. Name that by ${clientId}.`);
  }
  return mistakes;
}

/** Only an emulator has the account in the path, since its host is no name. */
function isServiceRoot(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, hostname, pathname, search, hash } = new URL(text);
  const isAlone = username === "" && password === "" && search === "" && hash === "" && !/[?#]$/.test(text);
  return (
    protocol === "https:" &&
    isAlone &&
    (pathname === "/" || (isLoopback(hostname) && /^\/[a-z0-9]+\/?$/.test(pathname)))
  );
}

const shown = (value: string): string => JSON.stringify(value.slice(0, 80));
