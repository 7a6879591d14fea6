import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

type Value = { readonly stringValue?: string; readonly intValue?: number | string; readonly doubleValue?: number };
type KeyValue = { readonly key: string; readonly value: Value & { readonly boolValue?: boolean } };
type RawSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code: number };
};
type RawPoint = { readonly attributes: readonly KeyValue[]; readonly asDouble?: number; readonly asInt?: number };
type RawMetric = {
  readonly name: string;
  readonly unit: string;
  readonly sum?: { readonly dataPoints: readonly RawPoint[] };
  readonly gauge?: { readonly dataPoints: readonly RawPoint[] };
};

export type Attributes = Readonly<Record<string, string | number | boolean>>;
export type ReceivedSpan = Omit<RawSpan, "attributes"> & { readonly attributes: Attributes };
type ReceivedPoint = {
  readonly metric: string;
  readonly unit: string;
  readonly kind: "counter" | "gauge";
  readonly value: number;
  readonly attributes: Attributes;
};

/** A collector that takes OTLP over HTTP as JSON, and keeps what came. `status`: what it answers from now on. */
export async function startReceiver() {
  const spans: ReceivedSpan[] = [];
  const points: ReceivedPoint[] = [];
  const resources: Attributes[] = [];
  const texts: string[] = [];
  const watchers = new Set<() => void>();
  const state = { status: 200, requests: 0 };
  const server = createServer(async (request, response) => {
    const text = await textOf(request);
    state.requests += 1;
    if (state.status === 200) {
      texts.push(text);
      const body = JSON.parse(text) as Parameters<typeof take>[0];
      take(body);
    }
    response.writeHead(state.status, { "content-type": "application/json" }).end("{}");
    for (const watcher of watchers) watcher();
  });
  const take = (body: {
    resourceSpans?: { resource: { attributes: KeyValue[] }; scopeSpans: { spans: RawSpan[] }[] }[];
    resourceMetrics?: { resource: { attributes: KeyValue[] }; scopeMetrics: { metrics: RawMetric[] }[] }[];
  }) => {
    for (const { resource, scopeSpans } of body.resourceSpans ?? []) {
      resources.push(attributesOf(resource.attributes));
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({ ...span, attributes: attributesOf(span.attributes) });
      }
    }
    for (const { resource, scopeMetrics } of body.resourceMetrics ?? []) {
      resources.push(attributesOf(resource.attributes));
      points.push(...scopeMetrics.flatMap((scope) => scope.metrics).flatMap(pointsOf));
    }
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    points,
    resources,
    texts,
    state,
    /** Waits until something holds, looking at each request that comes. */
    until: async (isThere: () => boolean): Promise<void> => {
      while (!isThere()) {
        await new Promise<void>((resolve) => {
          const watcher = () => {
            watchers.delete(watcher);
            resolve();
          };
          watchers.add(watcher);
        });
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

function pointsOf({ name, unit, sum, gauge }: RawMetric): ReceivedPoint[] {
  const kind = sum === undefined ? ("gauge" as const) : ("counter" as const);
  return (
    (sum ?? gauge)?.dataPoints.map(({ attributes, asDouble, asInt }) => {
      return { metric: name, unit, kind, value: Number(asDouble ?? asInt), attributes: attributesOf(attributes) };
    }) ?? []
  );
}

function attributesOf(list: readonly KeyValue[]): Attributes {
  return Object.fromEntries(
    list.map(({ key, value }) => {
      const { stringValue, intValue, doubleValue, boolValue } = value;
      return [key, stringValue ?? boolValue ?? Number(intValue ?? doubleValue)];
    }),
  );
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString("utf8");
}
