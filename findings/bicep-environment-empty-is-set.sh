#!/usr/bin/env bash
# `readEnvironmentVariable('SHARDS', '16')` of a Bicep parameters file takes its default only where the variable does not exist. One would guess
# that an empty one counts as missing, for a pipeline passes what nobody has set as an empty text: `SHARDS: ${{ vars.SHARDS }}` of GitHub
# Actions, as the pipelines that azd writes have it for each name of azure.yaml. A text then silently becomes empty, in the place
# of its default, and a number is an error of the compiler's, far from its cause.
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
cat > main.bicep <<'BICEP'
param schedule string
param shards int
output both string = '${schedule} ${shards}'
BICEP
cat > main.bicepparam <<'PARAMETERS'
using 'main.bicep'
param schedule = readEnvironmentVariable('SCHEDULE', 'every five minutes')
param shards = int(readEnvironmentVariable('SHARDS', '16'))
PARAMETERS
cat > expected <<'EXPECTED'
neither exists | every five minutes | 16
SCHEDULE is empty |  | 16
SHARDS is empty | BCP338
EXPECTED

dotnet restore finding.csproj --packages packages --verbosity quiet > restore.log 2>&1 || { cat restore.log; exit 1; }
bicep=$(echo packages/azure.bicep.commandline.linux-x64/*/tools/bicep)
chmod +x "$bicep"
unset SCHEDULE SHARDS
values() { # The values of both parameters, or the error's code.
  if "$bicep" build-params main.bicepparam --outfile out.json > said 2>&1; then
    sed -n 's/.*"value": "\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' out.json | paste -sd'|' | sed 's/|/ | /'
  else
    grep -o 'BCP[0-9]*' said | sort -u
  fi
}
{
  echo "neither exists | $(values)"
  echo "SCHEDULE is empty | $(SCHEDULE='' values)"
  echo "SHARDS is empty | $(SHARDS='' values)"
} > seen
echo "Bicep 0.49.2: the environment | schedule | shards"
cat seen
diff expected seen && echo "As found: an empty variable stands in the place of the default."
