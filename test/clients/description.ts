import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { openapiDocument } from "../../shared/http/openapi/description.js";

/** Writes the description to a file, for generators of clients: `node --import tsx test/clients/description.ts FILE`. */
const [file = ""] = process.argv.slice(2);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, JSON.stringify(openapiDocument("https://mirror.example/api")));
