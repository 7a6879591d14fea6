#!/usr/bin/env bash
# The Graph client for .NET (Microsoft.Graph.Core) makes the URL of a request in a $batch by cutting the first five characters off the path
# after the host, whatever they are. One would guess that it cuts off the base URL that the client was given. With Graph's own "/v1.0" and
# "/beta" that comes to the same; behind a gateway, whose paths are longer, "/api/beta/users" becomes "beta/users" and
# "/graph/v1.0/users" becomes "h/v1.0/users". A request that is sent alone goes to the right place.
# A stand-in shows what it was sent.
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
  </ItemGroup>
</Project>
PROJECT
cat > Program.cs <<'PROGRAM'
using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.Graph;
using Microsoft.Kiota.Abstractions.Authentication;

foreach (var root in new[] { "/v1.0", "/beta", "/api/beta", "/graph/v1.0" })
{
    var handler = new StandIn();
    var client = new GraphServiceClient(new HttpClient(handler), new AnonymousAuthenticationProvider(), $"https://graph.contoso.com{root}");
    await client.Users["ann"].Calendars.GetAsync();
    var batch = new BatchRequestContentCollection(client);
    await batch.AddBatchRequestStepAsync(client.Users["ann"].Calendars.ToGetRequestInformation());
    await client.Batch.PostAsync(batch);
    Console.WriteLine($"{root} | {handler.Alone} | {handler.InBatch}");
}

// In the place of the network.
internal sealed class StandIn : HttpMessageHandler
{
    public string? Alone, InBatch;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (request.Content is null) Alone = request.RequestUri!.AbsolutePath;
        else InBatch = JsonDocument.Parse(await request.Content.ReadAsStringAsync(cancellation)).RootElement.GetProperty("requests")[0].GetProperty("url").GetString();
        var body = request.Content is null ? "{\"value\":[]}" : "{\"responses\":[]}";
        return new(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
    }
}
PROGRAM
cat > expected <<'EXPECTED'
/v1.0 | /v1.0/users/ann/calendars | /users/ann/calendars
/beta | /beta/users/ann/calendars | /users/ann/calendars
/api/beta | /api/beta/users/ann/calendars | beta/users/ann/calendars
/graph/v1.0 | /graph/v1.0/users/ann/calendars | h/v1.0/users/ann/calendars
EXPECTED

dotnet build --verbosity quiet --output out > build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.Graph 6.10.0 with Microsoft.Graph.Core 4.0.1 and .NET $(dotnet --version): root of the base URL | path alone | URL in a batch"
cat seen
diff expected seen && echo "As found: five characters are cut off, whatever they are."
