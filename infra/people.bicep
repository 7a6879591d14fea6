param tags object
param email string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'calendar-mirror'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'calmirror'
    enabled: true
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

output id string = people.id
