import type { HttpResponseInit } from "@azure/functions";

/** The dashboard with its Content-Security-Policy. */
export type Page = { readonly html: string; readonly policy: string };

/**
 * `GET /api/dashboard`: the page for people. It has no figures: its script calls the other routes with the key that the page
 * was opened with. The policy lets only that script run, and no referrer with the key is sent.
 */
export function dashboardAnswer({ html, policy }: Page): HttpResponseInit {
  return {
    status: 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "cross-origin-opener-policy": "same-origin",
    },
    body: html,
  };
}
