import { parseArgs } from "node:util";
import { costLines, monthlyBill } from "./bill.js";
import { assumed, prices } from "./prices.js";
import { countedWorld, namesAsked, type TickCounts } from "./quietTick.js";

/** `npm run bench:counts`: what quiet mailboxes ask of Graph and Azure, counted, and what that costs in a month. */

const dayMs = 86_400_000;
const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });

const large = await (await countedWorld({ mailboxes: 10_000, calendars: 2, shards: 16 })).tick();
const audited = await countedWorld({ mailboxes: 1_000, calendars: 25, shards: 16 });
const small = await audited.tick();
audited.advance(7 * dayMs);
const audit = await audited.tick();
const auditTableRequests = (audit.tableRequests - small.tableRequests) / small.mailboxes;
const byName = await namesAsked(16);
const lines = costLines(small, large);
const bills = [1_000, 10_000, 100_000, 1_000_000].map((mailboxes) => monthlyBill(mailboxes, lines, auditTableRequests));

if (values.json) {
  console.log(JSON.stringify({ quiet: large, quietSmall: small, auditTableRequests, byName, lines, prices, bills }));
} else {
  print();
}

function print(): void {
  const per1000 = (count: number) => ((count * 1_000) / large.mailboxes).toFixed(2).padStart(8);
  const names: readonly (readonly [keyof TickCounts, string])[] = [
    ["graphRequests", "Graph HTTP requests"],
    ["tableRequests", "table requests"],
    ["transactions", "  transactions"],
    ["queries", "  query pages"],
    ["pointReads", "  point reads"],
    ["queueOperations", "queue operations"],
    ["executions", "function executions"],
  ];
  console.log(`A quiet tick of ${large.mailboxes} mailboxes in 16 shards, per 1,000 mailboxes:`);
  for (const [name, text] of names) console.log(`  ${text.padEnd(22)}${per1000(Number(large[name]))}`);
  console.log(`An audit of one mailbox of 25 calendars adds ${auditTableRequests.toFixed(2)} table requests.`);
  console.log(
    `Whose mailbox a userPrincipalName is, with 16 shards: ${byName.first} table requests at first, ${byName.again} from then on.\n`,
  );
  console.log(`A month of five-minute ticks, US dollars by the list of ${prices.writtenDown} (bench/prices.ts):`);
  console.log(
    "  mailboxes  executions   GB-seconds      table      queue        all  instances  GB to Graph  if billed",
  );
  for (const { mailboxes, dollars, instances, egressGb } of bills) {
    const columns = [dollars.executions, dollars.gbSeconds, dollars.table, dollars.queue, dollars.all];
    const text = columns.map((figure) => figure.toFixed(2).padStart(11)).join("");
    const egress = `${egressGb.toFixed(0).padStart(13)}${dollars.egress.toFixed(2).padStart(11)}`;
    console.log(`  ${String(mailboxes).padStart(9)} ${text}${String(instances).padStart(11)}${egress}`);
  }
  const bytes = ((large.graphBytesSent + large.graphLinksSent * assumed.linkTokenBytes) / large.mailboxes).toFixed(0);
  console.log(`A mailbox's part of a request to Graph: ${bytes} bytes, and its part of the access token.`);
}
