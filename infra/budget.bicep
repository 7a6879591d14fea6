@description('In the currency of the bill, for each month.')
param amount int

@description('First day of a month. Later deployments must give the same.')
param start string

@description('Resource ids of those who are told, beside the owners.')
param actionGroups array

var told = { enabled: true, operator: 'GreaterThanOrEqualTo', contactEmails: [], contactRoles: ['Owner'], contactGroups: actionGroups }

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'calendar-mirror'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: empty(start) ? fail('MONTHLY_BUDGET needs BUDGET_START, the first day of this month, such as 2026-12-01.') : start
    }
    notifications: {
      most: union(told, { threshold: 80, thresholdType: 'Actual' })
      all: union(told, { threshold: 100, thresholdType: 'Actual' })
      forecast: union(told, { threshold: 100, thresholdType: 'Forecasted' })
    }
  }
}
