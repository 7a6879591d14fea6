import { functions, metrics, newestOf } from 'telemetry.bicep'

param location string
param tags object
param appInsightsId string

@description('Resource ids of those who are told. None: alerts are only seen in the portal.')
param actionGroups array

param lateAfterMinutes int
param freshPercentMin int
param parkedRiseMin int

// Each query gives a row when something is wrong, and none while all is well.
var rules = [
  {
    name: 'ticks-late'
    description: '${functions.tick} has not succeeded for ${lateAfterMinutes} minutes, so no mailbox is asked. Look at its invocations and at GET /api/health.'
    severity: 1
    query: join(
      [
        'requests'
        'where name == "${functions.tick}" and success == true and timestamp > ago(${lateAfterMinutes}m)'
        'summarize ticks = count()'
        'where ticks == 0'
      ],
      '\n| '
    )
  }
  {
    name: 'freshness-below-target'
    description: 'Less than ${freshPercentMin} % of the mailboxes were read within the last two ticks. GET /api/status tells which are not, and why.'
    severity: 2
    query: join(
      [
        newestOf(metrics.freshShare, '30m', '0m')
        'summarize freshPercent = 100 * avg(value)'
        'where freshPercent < ${freshPercentMin}'
      ],
      '\n| '
    )
  }
  {
    name: 'parked-rising'
    description: 'At least ${parkedRiseMin} more mailboxes are parked than six hours ago. GET /api/mailboxes?state=parked tells the reasons.'
    severity: 3
    query: join(
      [
        newestOf(metrics.parked, '30m', '0m')
        'summarize parked = sum(value)'
        'extend before = toscalar(${newestOf(metrics.parked, '7h', '6h')} | summarize sum(value))'
        'where parked >= before + ${parkedRiseMin}'
      ],
      '\n| '
    )
  }
  {
    name: 'application-throttled'
    description: 'Graph has throttled the whole application in half of the shards for 15 minutes, so no mailbox is asked. GET /api/status tells until when, and POST /api/brake/release retries now.'
    severity: 2
    query: join(
      [
        'customMetrics'
        'where name == "${metrics.brake}" and timestamp > ago(15m)'
        'summarize braked = sum(valueSum) / sum(valueCount)'
        'where braked >= 0.5'
      ],
      '\n| '
    )
  }
  {
    name: 'application-refused'
    description: 'Graph refused nearly all mailboxes that were asked, so none is read: mostly a missing permission, or a token older than its grant. GET /api/status tells the code under application.'
    severity: 1
    query: join(
      [
        newestOf(metrics.refused, '15m', '0m')
        'summarize refused = sum(value)'
        'where refused > 0'
      ],
      '\n| '
    )
  }
  {
    name: 'subscriber-behind'
    description: 'A subscriber has not said yes for an hour to what is logged. GET /api/subscribers tells which, its last answer, and when it is tried again. Nothing is lost while it is behind.'
    severity: 3
    query: join(
      [
        newestOf(metrics.subscriberLag, '15m', '0m')
        'where value >= 3600'
      ],
      '\n| '
    )
  }
  {
    name: 'poison-messages'
    description: 'A message has failed five times. The log of ${join(functions.poison, ' and ')} names its mailbox or shard; the next tick tries again.'
    severity: 2
    query: join(
      [
        'requests'
        'where name in ("${join(functions.poison, '", "')}") and timestamp > ago(15m)'
        'project timestamp, name, operation_Id'
      ],
      '\n| '
    )
  }
]

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: rule.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'calendar-mirror: ${replace(rule.name, '-', ' ')}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [appInsightsId]
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      // The queries say themselves how far they look.
      overrideQueryTimeRange: 'P1D'
      // A new workspace has none of the tables yet, and the rules would be refused for it.
      skipQueryValidation: true
      criteria: {
        allOf: [{ query: rule.query, timeAggregation: 'Count', operator: 'GreaterThan', threshold: 0 }]
      }
      autoMitigate: true
      actions: { actionGroups: actionGroups }
    }
  }
]
