#!/usr/bin/env bash
# Bicep warns (BCP037) that `siteUpdateStrategy` "is not allowed" in the `functionAppConfig` of a site, in every version of the type that it
# knows. One would guess that the property was misspelt, or needs a newer version of the API. Both guesses are wrong: Microsoft documents
# it for 2023-12-01 and later (learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates), and its other clients
# have it. A newer version (2025-05-01) takes the warning away only because Bicep knows nothing at all of it, mistakes included.
# Needs the SDK of .NET 10 on Linux for x64. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup><PackageDownload Include="Azure.Bicep.CommandLine.linux-x64" Version="[0.49.2]" /></ItemGroup>
</Project>
PROJECT
site() { # version of the API, what stands in functionAppConfig
  cat <<BICEP
resource site 'Microsoft.Web/sites@$1' = {
  name: 'app'
  location: 'westeurope'
  properties: { functionAppConfig: { $2 } }
}
BICEP
}
cat > expected <<'EXPECTED'
2023-12-01 | runtime | none
2023-12-01 | siteUpdateStrategy | BCP037
2024-11-01 | siteUpdateStrategy | BCP037
2025-03-01 | siteUpdateStrategy | BCP037
2025-05-01 | siteUpdateStrategy | BCP081
2025-05-01 | mistake | BCP081
EXPECTED

dotnet restore finding.csproj --packages packages --verbosity quiet > restore.log 2>&1 || { cat restore.log; exit 1; }
bicep=$(echo packages/azure.bicep.commandline.linux-x64/*/tools/bicep)
chmod +x "$bicep"
check() {
  site "$1" "$3" > site.bicep
  said=$("$bicep" build site.bicep --stdout 2>&1 > /dev/null)
  echo "$1 | $2 | $(grep -o 'BCP[0-9]*' <<< "$said" | sort -u | grep . || echo none)"
}
{
  check 2023-12-01 runtime "runtime: { name: 'node', version: '22' }"
  for version in 2023-12-01 2024-11-01 2025-03-01 2025-05-01; do
    check "$version" siteUpdateStrategy "siteUpdateStrategy: { type: 'RollingUpdate' }"
  done
  check 2025-05-01 mistake "mistake: true"
} > seen
echo "Bicep 0.49.2: version of Microsoft.Web/sites | property of functionAppConfig | what the compiler says"
cat seen
diff expected seen && echo "As found: the documented property is unknown to every version that has types."
