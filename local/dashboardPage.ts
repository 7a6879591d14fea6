import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { guideOf } from "./guide.ts";

/** The dashboard as one self-contained page, and the Content-Security-Policy that allows its own script and style only. */
export type DashboardPage = { readonly html: string; readonly policy: string };

/** Bundles `dashboard/` into one page. @param root Folder of the repository. */
export async function buildDashboardPage(root: string): Promise<DashboardPage> {
  const room = join(root, "dashboard");
  const guide = guideOf(readFileSync(join(root, "docs", "operations.md"), "utf8"));
  const define = { GUIDE: JSON.stringify(guide) };
  const [script, style] = await Promise.all([
    bundled(join(room, "main.ts"), define),
    bundled(join(room, "page.css"), {}),
  ]);
  if (/<\/(script|style)/i.test(script + style))
    throw new Error("The dashboard's script or style would end its element.");
  const html = readFileSync(join(room, "page.html"), "utf8")
    .replace("<!-- style -->", () => `<style>${style}</style>`)
    .replace("<!-- script -->", () => `<script>${script}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy };
}

async function bundled(entry: string, define: Record<string, string>): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    define,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    write: false,
    charset: "utf8",
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
