/** The dashboard's page and its Content-Security-Policy, put in by the build (`local/build.ts`). */
declare const DASHBOARD_HTML: string;
declare const DASHBOARD_POLICY: string;

export const page = { html: DASHBOARD_HTML, policy: DASHBOARD_POLICY };
