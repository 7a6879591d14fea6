// What the app and its host call things in Application Insights. Alerts and workbook take all names from here.

@export()
var metrics = {
  rounds: 'calendar_mirror.rounds'
  pages: 'calendar_mirror.pages'
  changes: 'calendar_mirror.changes'
  lag: 'calendar_mirror.lag'
  throttles: 'calendar_mirror.throttles'
  transactions: 'calendar_mirror.transactions'
  parked: 'calendar_mirror.parked'
  drift: 'calendar_mirror.drift'
  brake: 'calendar_mirror.brake'
  refused: 'calendar_mirror.refused'
  freshShare: 'calendar_mirror.fresh_share'
  notifications: 'calendar_mirror.notifications'
  subscriberRequests: 'calendar_mirror.subscriber_requests'
  subscriberLag: 'calendar_mirror.subscriber_lag'
  subscribers: 'calendar_mirror.subscribers'
}

@export()
@description('Tells the shards\' figures apart, where a metric is one of each shard.')
var shardDimension = 'shard'

@export()
@description('Tells requests to subscribers apart by what became of them.')
var outcomeDimension = 'outcome'

@export()
@description('Tells subscribers apart by how they stand.')
var stateDimension = 'state'

@export()
var functions = {
  tick: 'startRounds'
  poison: ['parkPages', 'parkRounds', 'parkDeliveries']
}

@export()
@description('A query for the newest value of a metric between two ages, one row for each shard (or one in all, where it is not told by shard).')
func newestOf(metric string, from string, to string) string =>
  join(
    [
      'customMetrics'
      'where name == "${metric}" and timestamp between (ago(${from}) .. ago(${to}))'
      'summarize arg_max(timestamp, value) by shard = tostring(customDimensions["${shardDimension}"])'
    ],
    '\n| '
  )
