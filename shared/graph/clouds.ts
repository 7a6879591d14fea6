/** The values of `GRAPH_CLOUD`. */
export const cloudNames = ["global", "usgov", "usgovdod", "china"] as const;
/** One of those. */
export type CloudName = (typeof cloudNames)[number];

/** Addresses of one national cloud. */
export type Cloud = {
  readonly root: string;
  readonly authorityHost: string;
  readonly scope: string;
  /** Where storage accounts of this cloud live. Their token audience is one in all clouds: `https://storage.azure.com`. */
  readonly storageSuffix: string;
  /** Whether the documentation of `calendar: delta` names this cloud. Where it does not, `list` takes over. */
  readonly isDeltaDocumented: boolean;
};

/**
 * The four clouds. Tokens do not cross them, and a scope names its own cloud's domain. GCC belongs to `global`.
 * @see https://learn.microsoft.com/graph/deployments
 */
export const clouds: Readonly<Record<CloudName, Cloud>> = {
  global: {
    root: "https://graph.microsoft.com",
    authorityHost: "https://login.microsoftonline.com",
    scope: "https://graph.microsoft.com/.default",
    storageSuffix: "core.windows.net",
    isDeltaDocumented: true,
  },
  usgov: {
    root: "https://graph.microsoft.us",
    authorityHost: "https://login.microsoftonline.us",
    scope: "https://graph.microsoft.us/.default",
    storageSuffix: "core.usgovcloudapi.net",
    isDeltaDocumented: false,
  },
  usgovdod: {
    root: "https://dod-graph.microsoft.us",
    authorityHost: "https://login.microsoftonline.us",
    scope: "https://dod-graph.microsoft.us/.default",
    storageSuffix: "core.usgovcloudapi.net",
    isDeltaDocumented: false,
  },
  china: {
    root: "https://microsoftgraph.chinacloudapi.cn",
    authorityHost: "https://login.chinacloudapi.cn",
    scope: "https://microsoftgraph.chinacloudapi.cn/.default",
    storageSuffix: "core.chinacloudapi.cn",
    isDeltaDocumented: false,
  },
};
