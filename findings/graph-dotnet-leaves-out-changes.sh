#!/usr/bin/env bash
# The Graph client for .NET (Microsoft.Graph) sends in a PATCH what was changed of an object that was read, but of lists and of AdditionalData
# (open and schema extensions, properties newer than the client) it watches the length alone. One would guess that it notices each change, since
# it does of properties, of their properties, and of what is added to a list. Where a value takes the place of another, as in
# Categories[0] = "Blue" or AdditionalData["room"] = "43", the body is {}: nothing is changed, and the client says nothing of it.
# What is assigned whole is sent. A stand-in shows what it was sent.
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
using Microsoft.Graph;
using Microsoft.Graph.Models;
using Microsoft.Kiota.Abstractions.Authentication;

await Show("Subject =", read => read.Subject = "Review");
await Show("Location.DisplayName =", read => read.Location!.DisplayName = "Attic");
await Show("Categories.Add", read => read.Categories!.Add("Blue"));
await Show("Categories[0] =", read => read.Categories![0] = "Blue");
await Show("Categories =", read => read.Categories = ["Blue"]);
await Show("AdditionalData[\"room\"] =", read => read.AdditionalData["room"] = "43");
await Show("AdditionalData.Add", read => read.AdditionalData.Add("floor", "4"));
await Show("AdditionalData =", read => read.AdditionalData = new Dictionary<string, object> { ["room"] = "43" });

async Task Show(string what, Action<Event> change)
{
    var handler = new StandIn();
    var request = new GraphServiceClient(new HttpClient(handler), new AnonymousAuthenticationProvider()).Users["ann"].Events["1"];
    var read = await request.GetAsync();
    change(read!);
    await request.PatchAsync(read!);
    Console.WriteLine($"{what} | {handler.Sent}");
}

// In the place of Graph.
internal sealed class StandIn : HttpMessageHandler
{
    private const string Stored = """{"id":"1","subject":"Plan","categories":["Red"],"location":{"displayName":"Hall"},"room":"42"}""";
    public string? Sent;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        if (request.Content is not null) Sent = await request.Content.ReadAsStringAsync(cancellation);
        return new(HttpStatusCode.OK) { Content = new StringContent(Stored, Encoding.UTF8, "application/json") };
    }
}
PROGRAM
cat > expected <<'EXPECTED'
Subject = | {"subject":"Review"}
Location.DisplayName = | {"location":{"displayName":"Attic"}}
Categories.Add | {"categories":["Red","Blue"]}
Categories[0] = | {}
Categories = | {"categories":["Blue"]}
AdditionalData["room"] = | {}
AdditionalData.Add | {"room":"42","floor":"4"}
AdditionalData = | {"room":"43"}
EXPECTED

dotnet build --verbosity quiet --output out > build.log 2>&1 || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.Graph 6.10.0 with Microsoft.Graph.Core 4.0.1 and .NET $(dotnet --version): change of an event that was read | body of the PATCH"
cat seen
diff expected seen && echo "As found: what takes the place of another value is not sent."
