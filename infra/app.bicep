param name string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param blobServiceUri string
param queueServiceUri string
param tableServiceUri string
param deploymentContainer string
param appInsightsConnectionString string

@description('Empty: no virtual network.')
param subnetId string

@description('Empty: pages of no other origin.')
param corsOrigins array

@description('Empty: App Service Authentication is off.')
param authClientId string

param siteUpdateStrategy string
param alwaysReadyHttp int
param alwaysReadyRounds int
param httpConcurrency int
param instancesMax int
param instanceMemoryMB int

@description('Settings of the mirror by name.')
param settings object

// The service URIs count, since to the name alone the host would add the suffix of the global cloud. The name stands beside
// them because parts of the host that start early on Flex Consumption look for it.
var platformSettings = {
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__blobServiceUri: blobServiceUri
  AzureWebJobsStorage__queueServiceUri: queueServiceUri
  AzureWebJobsStorage__tableServiceUri: tableServiceUri
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: appInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // The exporter's own figures about itself would go to Microsoft, past the resource and its rights.
  APPLICATION_INSIGHTS_NO_STATSBEAT: 'true'
  // Beside each batch of spans it would send a metric _OTELRESOURCE_, which costs and which nobody reads.
  APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED: 'true'
  // Spans of every twentieth trace: 100,000 mailboxes make 1.8 million spans a day. Metrics are always whole.
  OTEL_TRACES_SAMPLER: 'traceidratio'
  OTEL_TRACES_SAMPLER_ARG: '0.05'
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'mirror' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      // Named also where nobody is let in: without it an earlier list would stay. Never with cookies: a page that signs its user in
      // sends a token, and no other page can send that.
      cors: { allowedOrigins: corsOrigins, supportCredentials: false }
    }
    functionAppConfig: {
      runtime: { name: 'node', version: '24' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobServiceUri}${deploymentContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      // Bicep's types do not know it; the service does: learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates
      #disable-next-line BCP037
      siteUpdateStrategy: { type: siteUpdateStrategy }
      // All HTTP functions share instances, every other function has its own. By default none is kept waiting: that a tick
      // begins some seconds late harms nobody. Worth keeping are readers' (http) and, where ticks come every minute,
      // runRounds; applyPage has work now and then only, and the timers a moment of it. How many messages an instance takes
      // at a time stands in host.json.
      scaleAndConcurrency: {
        maximumInstanceCount: instancesMax
        instanceMemoryMB: instanceMemoryMB
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
        alwaysReady: filter(
          [
            { name: 'http', instanceCount: alwaysReadyHttp }
            { name: 'function:runRounds', instanceCount: alwaysReadyRounds }
          ],
          group => group.instanceCount > 0
        )
      }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, platformSettings)
  }

  // Named also where it is off: without it an earlier one would stay. Who comes without a token is let through: keys guard all else,
  // and /api/beta/me refuses whom nobody has signed in. Tokens are checked and none is kept, so there is no secret.
  resource authSettings 'config' = {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: !empty(authClientId) }
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
      httpSettings: { requireHttps: true }
      login: { tokenStore: { enabled: false } }
      identityProviders: empty(authClientId) ? {} : {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: authClientId
            // This tenant alone: the mirror checks who it is, not from where.
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [authClientId, 'api://${authClientId}'] }
        }
      }
    }
  }

  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output name string = site.name
output url string = 'https://${site.properties.defaultHostName}'
