import { functions, metrics, outcomeDimension, stateDimension } from 'telemetry.bicep'

param location string
param tags object
param appInsightsId string

var charts = [
  {
    title: 'Mailboxes that are fresh, in percent'
    shape: 'linechart'
    query: 'customMetrics | where name == "${metrics.freshShare}" | summarize freshPercent = 100 * avg(value) by bin(timestamp, 5m)'
  }
  {
    title: 'Stalest mailbox of each shard, in seconds since its last success'
    shape: 'linechart'
    query: 'customMetrics | where name == "${metrics.lag}" | summarize average = sum(valueSum) / sum(valueCount), worst = max(valueMax) by bin(timestamp, 5m)'
  }
  {
    title: 'What was done'
    shape: 'barchart'
    query: 'customMetrics | where name in ("${metrics.rounds}", "${metrics.pages}", "${metrics.changes}", "${metrics.transactions}") | summarize sum(valueSum) by name, bin(timestamp, 5m)'
  }
  {
    title: '429 responses of Graph, and shards throttled or refused as a whole'
    shape: 'barchart'
    query: 'customMetrics | where name in ("${metrics.throttles}", "${metrics.brake}", "${metrics.refused}") | summarize sum(valueSum) by name, bin(timestamp, 5m)'
  }
  {
    title: 'Mailboxes that need attention (parked), and changes missed by delta'
    shape: 'linechart'
    query: 'customMetrics | where name in ("${metrics.parked}", "${metrics.drift}") | summarize max(value) by name, bin(timestamp, 15m)'
  }
  {
    title: 'Notifications that subscribers accepted, and requests to them by outcome'
    shape: 'barchart'
    query: 'customMetrics | where name in ("${metrics.notifications}", "${metrics.subscriberRequests}") | extend what = iff(name == "${metrics.notifications}", "notifications", strcat("requests ", tostring(customDimensions["${outcomeDimension}"]))) | summarize sum(valueSum) by what, bin(timestamp, 5m)'
  }
  {
    title: 'How long the subscriber that is most behind has waited, in seconds'
    shape: 'linechart'
    query: 'customMetrics | where name == "${metrics.subscriberLag}" | summarize max(valueMax) by bin(timestamp, 5m)'
  }
  {
    title: 'Subscribers by state'
    shape: 'linechart'
    query: 'customMetrics | where name == "${metrics.subscribers}" | summarize max(valueMax) by tostring(customDimensions["${stateDimension}"]), bin(timestamp, 5m)'
  }
  {
    title: 'Invocations by function'
    shape: 'table'
    query: 'requests | summarize invocations = count(), failed = countif(success == false), p50 = percentile(duration, 50), p99 = percentile(duration, 99) by name | order by invocations desc'
  }
  {
    title: 'Poisoned messages'
    shape: 'table'
    query: 'requests | where name in ("${join(functions.poison, '", "')}") | join kind=leftouter (traces | project operation_Id, message) on operation_Id | project timestamp, name, message | order by timestamp desc'
  }
  {
    title: 'Errors, by message'
    shape: 'table'
    query: 'union exceptions, (traces | where severityLevel >= 3 | extend outerMessage = message) | summarize count(), newest = max(timestamp) by outerMessage | top 20 by count_'
  }
]

var items = [
  for (chart, index) in charts: {
    type: 3
    name: 'chart ${index}'
    customWidth: chart.shape == 'table' ? '100' : '50'
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      size: 0
      queryType: 0
      resourceType: 'microsoft.insights/components'
      crossComponentResources: [appInsightsId]
      timeContext: { durationMs: 86400000 }
      visualization: chart.shape
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(appInsightsId, 'calendar-mirror')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'calendar-mirror'
    category: 'workbook'
    sourceId: appInsightsId
    serializedData: string({
      version: 'Notebook/1.0'
      items: items
    })
  }
}
