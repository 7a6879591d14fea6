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
  const [script, style, plot] = await Promise.all([
    bundled(join(room, "main.ts")),
    bundled(join(room, "page.css")),
    bundled(join(root, "node_modules", "uplot", "dist", "uPlot.esm.js"), "Plot"),
  ]);
  if (/<\/(script|style)/i.test(script + style + plot))
    throw new Error("The dashboard's scripts or style would end their element.");
  const html = readFileSync(join(room, "page.html"), "utf8")
    .replace("<!-- guide -->", () =>
      dataBlock("guide", "application/json", JSON.stringify(guide).replaceAll("<", "\\u003c")),
    )
    // The first chart has it run; other views never parse it.
    .replace("<!-- plot -->", () => dataBlock("plot", "text/plain", plot))
    .replace("<!-- style -->", () => `<style>${style}</style>`)
    .replace("<!-- script -->", () => `<script>${script}</script>`);
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}' '${hashOf(plot)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy };
}

/** What the page's script reads when it needs it: it is neither parsed nor run with the page. */
function dataBlock(id: string, type: string, text: string): string {
  return `<script type="${type}" id="${id}">${text}</script>`;
}

/** @param globalName The variable that a library is put into. */
async function bundled(entry: string, globalName?: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    write: false,
    ...(globalName === undefined ? {} : { globalName }),
    charset: "utf8",
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
