#!/usr/bin/env bash
# Registers an application with Microsoft Entra ID whose access tokens open /api/beta/me, and prints its client id for AUTH_CLIENT_ID.
#
#   infra/register-sign-in.sh <name, such as calendar-mirror-prod> [client id of an app that need not ask for consent ...]
#
# Sign in first (`az login`), as somebody who may register applications. No secret is made: the platform only checks tokens. It may be
# repeated: the same name is the same registration. GRAPH_ROOT names another Graph than that of `az cloud show`. Where MIRROR_APP_URL is
# set, people can sign in with a browser, too: at <MIRROR_APP_URL>/.auth/login/aad.
set -euo pipefail

fail() {
  echo "$1" >&2
  exit 2
}

name=${1:-}
[[ $name =~ ^[A-Za-z0-9-]{1,64}$ ]] || fail "usage: $0 <name of letters, digits and dashes> [client id ...]"
shift
scope=6f2b1f0e-3c53-4f0e-9d6b-5d2f9c7a41d8 # Of this application alone; the same each time, so that nothing is made twice.
authorized=
for client in "$@"; do
  [[ $client =~ ^[0-9a-fA-F-]{36}$ ]] || fail "\"$client\" is no client id."
  authorized+="${authorized:+,}{\"appId\":\"$client\",\"delegatedPermissionIds\":[\"$scope\"]}"
done

web=
if [ -n "${MIRROR_APP_URL:-}" ]; then
  [[ $MIRROR_APP_URL =~ ^https://[A-Za-z0-9.-]+$ ]] || fail "MIRROR_APP_URL is no https address of an app: \"$MIRROR_APP_URL\"."
  web=",\"web\":{\"redirectUris\":[\"$MIRROR_APP_URL/.auth/login/aad/callback\"],\"implicitGrantSettings\":{\"enableIdTokenIssuance\":true}}"
fi

graph=${GRAPH_ROOT:-$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)}
graph=${graph%/}
patch() { az rest --resource "$graph" --method patch --url "$1" --body "$2" --headers Content-Type=application/json "${@:3}" >/dev/null; }

application="$graph/v1.0/applications(uniqueName='$name')"
patch "$application" "{\"displayName\":\"$name\",\"signInAudience\":\"AzureADMyOrg\"}" Prefer=create-if-missing
client=$(az rest --resource "$graph" --method get --url "$application?\$select=appId" --query appId --output tsv)
[[ $client =~ ^[0-9a-fA-F-]{36}$ ]] || fail "Microsoft Graph has not registered the application $name."
# Version 2 of access tokens: their issuer is the one that infra/app.bicep names, and their audience the client id.
api="\"requestedAccessTokenVersion\":2,\"oauth2PermissionScopes\":[{\"id\":\"$scope\",\"value\":\"Calendars.Read\",\"type\":\"User\",\"isEnabled\":true"
api+=",\"userConsentDisplayName\":\"Read your list of calendars\",\"userConsentDescription\":\"Reads which calendars your mailbox has, from the mirror.\""
api+=",\"adminConsentDisplayName\":\"Read people's own lists of calendars\",\"adminConsentDescription\":\"Reads which calendars the mailbox of the signed-in user has, from the mirror.\"}]"
patch "$application" "{\"identifierUris\":[\"api://$client\"],\"api\":{$api}$web}"
# An application can be authorized for a scope only once that exists.
[ -z "$authorized" ] || patch "$application" "{\"api\":{$api,\"preAuthorizedApplications\":[$authorized]}}"
patch "$graph/v1.0/servicePrincipals(appId='$client')" "{\"displayName\":\"$name\"}" Prefer=create-if-missing
echo "$client"
