#!/usr/bin/env bash
# .NET reads "24:00:00" as 24 days, not as 24 hours: what cannot be hours, minutes and seconds is tried as days, hours and minutes.
# So a host.json of Azure Functions with "visibilityTimeout": "24:00:00" hides a message for 24 days, and "functionTimeout": "48:00:00"
# is 48 days. "24:00" is refused, and a bare "10" is 10 days.
# Needs the .NET SDK, version 10. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.Extensions.Configuration.Binder" Version="[10.0.0]" /></ItemGroup>
</Project>
PROJECT
cat > finding.cs <<'PROGRAM'
using Microsoft.Extensions.Configuration;

// As the host reads its host.json: text in a configuration, bound to an option of type TimeSpan.
foreach (var text in new[] { "23:59:59", "24:00:00", "48:00:00", "1.00:00:00", "10", "24:00" })
{
    var values = new Dictionary<string, string?> { ["timeout"] = text };
    try
    {
        var span = new ConfigurationBuilder().AddInMemoryCollection(values).Build().GetValue<TimeSpan>("timeout");
        Console.WriteLine($"{text} | {span:c}");
    }
    catch (InvalidOperationException)
    {
        Console.WriteLine($"{text} | refused");
    }
}
PROGRAM
cat > expected <<'EXPECTED'
23:59:59 | 23:59:59
24:00:00 | 24.00:00:00
48:00:00 | 48.00:00:00
1.00:00:00 | 1.00:00:00
10 | 10.00:00:00
24:00 | refused
EXPECTED

dotnet build --nologo --verbosity quiet --configuration Release --output out > build.log || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.Extensions.Configuration.Binder 10.0.0 with .NET SDK $(dotnet --version): written | read as, [days.]hours:minutes:seconds"
cat seen
diff expected seen && echo "As found: 24:00:00 is 24 days."
