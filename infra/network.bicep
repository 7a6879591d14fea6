param name string
param location string
param tags object
param storageName string

@description('Of a network that you have: app and storage. Empty: one is made.')
param subnetIds object

@description('Of zones that you have: blob, queue and table. Empty: they are made, and linked to the network.')
param dnsZoneIds object

@description('A policy makes the records: none here.')
param dnsByPolicy bool

var services = ['blob', 'queue', 'table']
var makesNetwork = empty(subnetIds)
var makesZones = empty(dnsZoneIds) && !dnsByPolicy
var storageSubnetId = makesNetwork ? network::storageSubnet.id : subnetIds.storage

resource network 'Microsoft.Network/virtualNetworks@2024-05-01' = if (makesNetwork) {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'storage'
        properties: { addressPrefix: '10.0.1.0/28', privateEndpointNetworkPolicies: 'Disabled' }
      }
    ]
  }

  resource appSubnet 'subnets' existing = {
    name: 'app'
  }

  resource storageSubnet 'subnets' existing = {
    name: 'storage'
  }
}

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: if (makesZones) {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, index) in services: if (makesZones) {
    parent: zones[index]
    name: name
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: split(storageSubnetId, '/subnets/')[0] } }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-05-01' = [
  for service in services: {
    name: 'pe-${storageName}-${service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: storageSubnetId }
      privateLinkServiceConnections: [
        { name: service, properties: { privateLinkServiceId: account.id, groupIds: [service] } }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = [
  for (service, index) in services: if (!dnsByPolicy) {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        { name: service, properties: { privateDnsZoneId: makesZones ? zones[index].id : dnsZoneIds[service] } }
      ]
    }
  }
]

// The app may start only when it finds its storage.
output appSubnetId string = makesNetwork ? network::appSubnet.id : subnetIds.app
