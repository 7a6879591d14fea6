#!/usr/bin/env bash
# Grants the app's managed identity its application permissions in Microsoft Graph, where the deployer may not do so.
#
#   infra/grant-graph-permissions.sh <object id of the identity> [permission ...]      (default: Calendars.Read)
#
# Sign in first (`az login`), as Privileged Role Administrator or Global Administrator. It may be repeated.
# GRAPH_ROOT names another Graph than that of `az cloud show`, such as https://dod-graph.microsoft.us.
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 2
}

identity=${1:-}
[[ $identity =~ ^[0-9a-fA-F-]{36}$ ]] || fail "usage: $0 <object id of the identity, MIRROR_IDENTITY_PRINCIPAL_ID> [permission ...]"
shift
[ $# -gt 0 ] || set -- Calendars.Read
for permission in "$@"; do
  [[ $permission =~ ^[A-Za-z.]+$ ]] || fail "\"$permission\" is no permission such as Calendars.Read."
done

graph=${GRAPH_ROOT:-$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)}
graph=${graph%/}
call() { az rest --resource "$graph" "$@" --output tsv; }

microsoft_graph="$graph/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')?\$select=id,appRoles"
resource=$(call --method get --url "$microsoft_graph" --query id)
assignments="$graph/v1.0/servicePrincipals/$identity/appRoleAssignments"
granted=$(call --method get --url "$assignments" --query "value[?resourceId=='$resource'].appRoleId")

for permission in "$@"; do
  role=$(call --method get --url "$microsoft_graph" --query "appRoles[?value=='$permission'].id | [0]")
  [[ -n $role && $role != None ]] || fail "Microsoft Graph has no application permission $permission."
  if grep -qx "$role" <<<"$granted"; then
    echo "$permission is granted already."
    continue
  fi
  call --method post --url "$assignments" --headers Content-Type=application/json --query id \
    --body "{\"principalId\":\"$identity\",\"resourceId\":\"$resource\",\"appRoleId\":\"$role\"}" >/dev/null
  echo "$permission is granted now."
done
