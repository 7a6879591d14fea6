#!/usr/bin/env bash
# The Graph client for .NET (Microsoft.Graph, by Microsoft.Kiota.Serialization.Json) takes texts of properties that it does not know for dates
# and GUIDs, by how they look, and writes them back as such. One would guess that who adds one value to an open extension leaves the others alone.
# But all are sent along: "2026-11-28" as midnight with the offset of the machine (here the day before in UTC), a time with its offset as
# another text, fractions without their end, a GUID in lower case. Who compares by text, or reads a plain date, finds something else.
# Times alone and numbers in texts are kept. A stand-in shows what it was sent.
# Needs the SDK of .NET 10. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <NoWarn>NU1603</NoWarn>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.Graph" Version="6.10.0" />
    <PackageReference Include="Microsoft.Graph.Core" Version="4.0.1" />
    <PackageReference Include="Microsoft.Kiota.Serialization.Json" Version="2.1.6" />
  </ItemGroup>
</Project>
PROJECT
cat > Program.cs <<'PROGRAM'
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Graph;
using Microsoft.Kiota.Abstractions.Authentication;

var written = new Dictionary<string, string>
{
    ["due"] = "2026-11-28",
    ["seen"] = "2026-11-28T10:00:00+05:30",
    ["version"] = "2026-11-28T10:00:00.1200000Z",
    ["order"] = "0F8FAD5B-D9CB-469F-A165-70867728950E",
    ["opens"] = "09:30",
    ["room"] = "0042",
};
var handler = new StandIn(JsonSerializer.Serialize(new Dictionary<string, string>(written)
{
    ["@odata.type"] = "#microsoft.graph.openTypeExtension",
    ["id"] = "com.contoso.order",
}));
var client = new GraphServiceClient(new HttpClient(handler), new AnonymousAuthenticationProvider());
var extension = client.Users["ann"].Extensions["com.contoso.order"];
var read = await extension.GetAsync();
var types = written.Keys.ToDictionary(name => name, name => read!.AdditionalData[name].GetType().Name);
read!.AdditionalData.Add("floor", "4");
await extension.PatchAsync(read);
foreach (var (name, text) in written)
{
    var sent = JsonDocument.Parse(handler.Sent!).RootElement.GetProperty(name).GetString();
    Console.WriteLine($"{text} | {types[name]} | {sent}");
}

// In the place of Graph.
internal sealed class StandIn(string extension) : HttpMessageHandler
{
    public string? Sent;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (request.Content is not null) Sent = await request.Content.ReadAsStringAsync(cancellation);
        return new(HttpStatusCode.OK) { Content = new StringContent(extension, Encoding.UTF8, "application/json") };
    }
}
PROGRAM
cat > expected <<'EXPECTED'
2026-11-28 | DateTime | 2026-11-28T00:00:00+01:00
2026-11-28T10:00:00+05:30 | DateTime | 2026-11-28T05:30:00+01:00
2026-11-28T10:00:00.1200000Z | DateTime | 2026-11-28T10:00:00.12+00:00
0F8FAD5B-D9CB-469F-A165-70867728950E | Guid | 0f8fad5b-d9cb-469f-a165-70867728950e
09:30 | String | 09:30
0042 | String | 0042
EXPECTED

dotnet build --verbosity quiet --output out > build.log 2>&1 || { cat build.log; exit 1; }
TZ=Europe/Berlin dotnet out/finding.dll > seen
echo "Microsoft.Graph 6.10.0 (Microsoft.Kiota.Serialization.Json 2.1.6), .NET $(dotnet --version), in Berlin: text read | type of it | text sent back"
cat seen
diff expected seen && echo "As found: texts that look like dates and GUIDs are rewritten."
