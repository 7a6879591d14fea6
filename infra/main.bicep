targetScope = 'subscription'

@description('Name of the azd environment: part of all names.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of all resources. It must offer Flex Consumption.')
@minLength(1)
param location string

@description('Cloud of the mailboxes. Empty: the one that is deployed to (usgovdod must be named).')
@allowed(['', 'global', 'usgov', 'usgovdod', 'china'])
param graphCloud string = ''

@allowed(['beta', 'v1.0'])
param graphApiVersion string = 'beta'

@description('manual, directory, or group:<object id>.')
param roster string = 'manual'

@description('When startRounds ticks, as NCRONTAB, in UTC.')
param syncSchedule string = '0 */5 * * * *'

@description('Whom notifications may be sent to: host names with commas between, such as hooks.contoso.com,*.contoso.net. Empty: any public host.')
param subscriberHosts string = ''

@description('When the roster is discovered.')
param rosterSchedule string = '0 0 * * * *'

@description('Partitions of the table, a power of two from 1 to 256. It cannot be changed later.')
@minValue(1)
@maxValue(256)
param shards int = 16

@description('Further settings by name, such as { AUDIT_DAYS: \'3\' }: see the README.')
param settings object = {}

@description('Grants the identity its permissions in Microsoft Graph. The deployer must be allowed to: see docs/permissions.md.')
param grantGraphPermissions bool = true

@description('allMailboxes: Graph grants Calendars.Read. byExchange: it does not, for Exchange grants it for some mailboxes, and with it MailboxSettings.Read.')
@allowed(['allMailboxes', 'byExchange'])
param calendarAccess string = 'allMailboxes'

@description('Whether a roster that is discovered may ask of which kind mailboxes are, for which MailboxSettings.Read is needed.')
param readMailboxKinds bool = true

@description('Storage by private endpoints only, with the app in a virtual network. Needs the resource provider Microsoft.App.')
param vnetEnabled bool = false

@description('Subnets of a network that you have, by resource id: { app, storage }. Empty: a network is made. See docs/deploy.md.')
param subnetIds object = {}

@description('Private DNS zones that you have, by resource id: { blob, queue, table }. Empty: they are made.')
param dnsZoneIds object = {}

@description('Whether a policy makes the records of private endpoints, so that no zone is made or named here.')
param dnsByPolicy bool = false

@description('How storage is replicated. Not every region offers zones (ZRS); all that is lost can be read anew from Graph.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Origins of browser apps that may read the mirror, such as https://app.contoso.com. Empty: none. See docs/operations.md.')
param corsOrigins array = []

@description('Client id of the app registration whose access tokens open /api/beta/me. Empty: App Service Authentication is off. See docs/deploy.md.')
param authClientId string = ''

@description('Recreate: all instances are stopped at once by an update. RollingUpdate: in batches, a preview. See docs/deploy.md.')
@allowed(['Recreate', 'RollingUpdate'])
param siteUpdateStrategy string = 'Recreate'

@description('Instances of the HTTP functions that are never stopped: for readers who cannot wait for a cold start.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Instances of runRounds that are never stopped: for ticks that must begin at once.')
@minValue(0)
param alwaysReadyRounds int = 0

@description('HTTP requests that one instance answers at a time before another is started. Ours wait for the table, not for the processor.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Bound of instances: of all HTTP functions together, and of each other function.')
@minValue(40)
@maxValue(1000)
param instancesMax int = 40

@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('An address that is told of alerts and of the budget. With no address and no action group, alerts are only seen in the portal.')
param alertEmail string = ''

@description('Action groups that are told of alerts and of the budget, too, by resource id: those of an on-call tool, a chat or a ticket system.')
param alertActionGroups array = []

@description('What the resource group may cost in a month, in the currency of the bill. Nothing is stopped: it tells at 80 and 100 %, and when 100 % is forecast. 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('First day of the month in which the budget begins, such as 2026-12-01. Azure lets it never be changed.')
param budgetStart string = ''

@description('An alert is raised when no tick has started for so many minutes: three times the interval of syncSchedule, and some.')
@minValue(5)
@maxValue(1440)
param lateAfterMinutes int = 20

@description('An alert is raised when less than this share of the mailboxes is fresh, in percent.')
@minValue(1)
@maxValue(100)
param freshPercentMin int = 99

@description('An alert is raised when so many more mailboxes are parked than six hours ago.')
@minValue(1)
param parkedRiseMin int = 5

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
// Up to 32 characters: the host takes that many for the id under which it locks timers.
var appName = 'calendar-mirror-${token}'
var cloudOfAzure = { AzureCloud: 'global', AzureUSGovernment: 'usgov', AzureChinaCloud: 'china' }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  scope: group
  params: { name: 'id-${appName}', location: location, tags: tags }
}

module storage 'storage.bicep' = {
  scope: group
  params: {
    name: 'calmirror${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    isPrivate: vnetEnabled
    sku: storageSku
  }
}

module network 'network.bicep' = if (vnetEnabled) {
  scope: group
  params: {
    name: 'vnet-${appName}'
    location: location
    tags: tags
    storageName: storage.outputs.name
    subnetIds: subnetIds
    dnsZoneIds: dnsZoneIds
    dnsByPolicy: dnsByPolicy
  }
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: { name: appName, location: location, tags: tags, principalId: identity.outputs.principalId }
}

module app 'app.bicep' = {
  scope: group
  params: {
    name: appName
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    blobServiceUri: storage.outputs.blobServiceUri
    queueServiceUri: storage.outputs.queueServiceUri
    tableServiceUri: storage.outputs.tableServiceUri
    deploymentContainer: storage.outputs.deploymentContainer
    appInsightsConnectionString: monitoring.outputs.connectionString
    subnetId: network.?outputs.appSubnetId ?? ''
    corsOrigins: corsOrigins
    authClientId: authClientId
    siteUpdateStrategy: siteUpdateStrategy
    alwaysReadyHttp: alwaysReadyHttp
    alwaysReadyRounds: alwaysReadyRounds
    httpConcurrency: httpConcurrency
    instancesMax: instancesMax
    instanceMemoryMB: instanceMemoryMB
    settings: union(
      {
        GRAPH_CLOUD: empty(graphCloud) ? cloudOfAzure[environment().name] : graphCloud
        GRAPH_API_VERSION: graphApiVersion
        ROSTER: roster
        ROSTER_SCHEDULE: rosterSchedule
        SYNC_SCHEDULE: syncSchedule
        SHARDS: string(shards)
        SUBSCRIBER_HOSTS: subscriberHosts
        TENANT_ID: tenant().tenantId
      },
      settings
    )
  }
}

module graph 'graph.bicep' = if (grantGraphPermissions) {
  scope: group
  // Microsoft Graph may not know the identity yet when Azure has just made it: the app takes its minutes first.
  dependsOn: [app]
  params: {
    principalId: identity.outputs.principalId
    permissions: union(
      calendarAccess == 'allMailboxes' ? ['Calendars.Read'] : [],
      roster == 'manual' ? [] : ['User.Read.All'],
      roster != 'manual' && readMailboxKinds && calendarAccess == 'allMailboxes' ? ['MailboxSettings.Read'] : [],
      startsWith(roster, 'group:') ? ['GroupMember.Read.All'] : []
    )
  }
}

module people 'people.bicep' = if (!empty(alertEmail)) {
  scope: group
  params: { tags: tags, email: alertEmail }
}

var actionGroups = union(alertActionGroups, empty(alertEmail) ? [] : [people.?outputs.id ?? ''])

module budget 'budget.bicep' = if (monthlyBudget > 0) {
  scope: group
  params: { amount: monthlyBudget, start: budgetStart, actionGroups: actionGroups }
}

module alerts 'alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    appInsightsId: monitoring.outputs.appInsightsId
    actionGroups: actionGroups
    lateAfterMinutes: lateAfterMinutes
    freshPercentMin: freshPercentMin
    parkedRiseMin: parkedRiseMin
  }
}

module workbook 'workbook.bicep' = {
  scope: group
  params: { location: location, tags: tags, appInsightsId: monitoring.outputs.appInsightsId }
}

// azd keeps these in its environment; infra/grant-graph-permissions.sh and docs/azure-checks.md use them.
output AZURE_RESOURCE_GROUP string = group.name
output MIRROR_APP_NAME string = app.outputs.name
output MIRROR_APP_URL string = app.outputs.url
output MIRROR_IDENTITY_CLIENT_ID string = identity.outputs.clientId
output MIRROR_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output MIRROR_STORAGE_NAME string = storage.outputs.name
output MIRROR_APP_INSIGHTS_NAME string = monitoring.outputs.appInsightsName
