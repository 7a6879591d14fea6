/** The dashboard's page and its Content-Security-Policy, which the build defines (`local/build.ts`). */
declare const DASHBOARD_HTML: string;
declare const DASHBOARD_POLICY: string;

export const page = { html: DASHBOARD_HTML, policy: DASHBOARD_POLICY };
