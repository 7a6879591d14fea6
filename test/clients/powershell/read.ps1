# PowerShell's own commands against the mirror. One line for each check; ends with 1 when one fails.
#   pwsh -File read.ps1 <base URL> <mailbox id> <function key>
# UNREAD_MAILBOX, DENIED_MAILBOX: mailboxes that are not read yet, and that Graph denies the mirror.
# EXPIRED_LINKS: links that are no longer valid, with blanks between. RECEIVER_URL: where notifications may go.
param([string] $Base, [string] $Mailbox, [string] $Key)
$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"
$headers = @{ "x-functions-key" = $Key }
$calendars = "$Base/users/$Mailbox/calendars"
$script:failed = 0

function Check([string] $What, [scriptblock] $Body) {
  try {
    & $Body
    "ok   $What"
  } catch {
    $script:failed++
    "FAIL ${What}: $($_.Exception.Message) $($_.ErrorDetails.Message)"
  }
}

function Same($Expected, $Seen) {
  if (($Expected -join ", ") -cne ($Seen -join ", ")) { throw "expected $($Expected -join ", "), seen $($Seen -join ", ")" }
}

$all = (Invoke-RestMethod $calendars -Headers $headers).value

Check "Invoke-RestMethod reads a list page by page" {
  $ids = @()
  for ($link = "$calendars`?`$top=3"; $link; $link = $page."@odata.nextLink") {
    $page = Invoke-RestMethod $link -Headers $headers
    $ids += $page.value.id
  }
  Same $all.id $ids
}

Check "-Body puts query options into the URL: select, filter, orderby, skip and count" {
  $options = @{ '$select' = "name"; '$filter' = "canEdit eq true"; '$orderby' = "name desc"; '$skip' = 1; '$count' = "true" }
  $page = Invoke-RestMethod $calendars -Headers $headers -Body $options
  $names = [string[]] ($all | Where-Object canEdit).name
  [Array]::Sort($names, [StringComparer]::Ordinal)
  [Array]::Reverse($names)
  Same $names.Count $page."@odata.count"
  Same ($names | Select-Object -Skip 1) $page.value.name
}

Check "one calendar, the default calendar, and the groups are read" {
  Same $all[0].name (Invoke-RestMethod "$calendars/$($all[0].id)" -Headers $headers).name
  Same ($all | Where-Object isDefaultCalendar).id (Invoke-RestMethod "$Base/users/$Mailbox/calendar" -Headers $headers).id
  $groups = (Invoke-RestMethod "$Base/users/$Mailbox/calendarGroups" -Headers $headers).value
  foreach ($id in ($all | Where-Object calendarGroupId).calendarGroupId) { if ($id -notin $groups.id) { throw "no group $id" } }
}

Check "I6: the delta is walked to its deltaLink and on, and the copy is what the list has" {
  $copy = @{}
  $link = "$calendars/delta"
  foreach ($round in 0..2) {
    if ($round -gt 0) { Invoke-RestMethod ([Uri]::new([Uri] $Base, "/test/change")) -Method Post | Out-Null }
    do {
      $page = Invoke-RestMethod $link -Headers ($headers + @{ Prefer = "odata.maxpagesize=2" })
      foreach ($item in $page.value) { if ($item."@removed") { $copy.Remove($item.id) } else { $copy[$item.id] = $item.name } }
      $link = $page."@odata.nextLink" ?? $page."@odata.deltaLink"
    } while ($page."@odata.nextLink")
    $list = (Invoke-RestMethod $calendars -Headers $headers).value
    Same ($list | ForEach-Object { "$($_.id) $($_.name)" } | Sort-Object) ($copy.GetEnumerator() | ForEach-Object { "$($_.Key) $($_.Value)" } | Sort-Object)
  }
}

function Refused([int] $Status, [string] $Method, [string] $Url) {
  Check "$Status of $Method $($Url.Replace($Base, '').Replace($Mailbox, '{id}') -replace 'token=.{20,}', 'token=…') has code and message" {
    $answer = Invoke-WebRequest $Url -Method $Method -Headers $headers -SkipHttpErrorCheck
    Same $Status $answer.StatusCode
    $refusal = ($answer.Content | ConvertFrom-Json).error
    if (-not $refusal.code -or -not $refusal.message) { throw "no code or no message" }
  }
}
Refused 404 Get "$calendars/none"
Refused 404 Get "$Base/users/$Mailbox/messages"
Refused 400 Get "$calendars`?`$select=nme"
Refused 405 Post $calendars
foreach ($link in $env:EXPIRED_LINKS.Split(" ")) { Refused 410 Get $link }
Refused 401 Get "$Base/me/calendars"
Refused 403 Get "$Base/users/$env:DENIED_MAILBOX/calendars"
Refused 503 Get "$Base/users/$env:UNREAD_MAILBOX/calendars"

Check "-Method Head is answered without a body" {
  $answer = Invoke-WebRequest $calendars -Method Head -Headers $headers
  Same @(200, 0) @($answer.StatusCode, $answer.RawContentLength)
}

Refused 400 Post "$Base/subscriptions"
Refused 404 Get "$Base/subscriptions/none"

Check "a subscription is created, listed, renewed by all that was read of it, reauthorized and deleted" {
  $body = @{
    changeType = "updated"; resource = "users/getAllCalendars"; notificationUrl = $env:RECEIVER_URL
    expirationDateTime = [DateTime]::UtcNow.AddDays(1).ToString("o")
  } | ConvertTo-Json
  $json = @{ Headers = $headers; ContentType = "application/json" }
  $created = Invoke-RestMethod "$Base/subscriptions" -Method Post -Body $body @json
  if (-not $created."@calendarMirror.signingSecret".StartsWith("whsec_")) { throw "no secret" }
  $one = "$Base/subscriptions/$($created.id)"
  if ($created.id -notin (Invoke-RestMethod "$Base/subscriptions" -Headers $headers).value.id) { throw "it is not listed" }
  $read = Invoke-RestMethod $one -Headers $headers
  $read.expirationDateTime = $later = [DateTime]::UtcNow.Date.AddDays(3)
  Same $later (Invoke-RestMethod $one -Method Patch -Body ($read | ConvertTo-Json) @json).expirationDateTime
  Invoke-RestMethod "$one/reauthorize" -Method Post -Headers $headers | Out-Null
  Invoke-RestMethod $one -Method Delete -Headers $headers | Out-Null
  Same 404 (Invoke-WebRequest $one -Headers $headers -SkipHttpErrorCheck).StatusCode
}

Check "`$batch is answered" {
  $requests = @(
    @{ id = "1"; method = "GET"; url = "/users/$Mailbox/calendars?`$top=2" },
    @{ id = "2"; method = "GET"; url = "/users/$Mailbox/calendars/none"; dependsOn = @("1") }
  )
  $body = @{ requests = $requests } | ConvertTo-Json -Depth 4
  $answers = (Invoke-RestMethod "$Base/`$batch" -Method Post -Headers $headers -ContentType "application/json" -Body $body).responses
  Same @(200, 404) ($answers | Sort-Object id).status
}

exit [int] ($script:failed -gt 0)
