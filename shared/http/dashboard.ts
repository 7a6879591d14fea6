import type { HttpResponseInit } from "@azure/functions";

export type Page = { readonly html: string; readonly policy: string };

/**
 * `GET /api/dashboard`: the page for people. It holds no figures: it asks the other routes for them, with the key that it
 * was opened with. The policy lets its own script run and no other, and the address with the key goes to nobody.
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
