#!/usr/bin/env bash
# Microsoft.OData.Core does not read the errors of Microsoft Graph. One would guess that it does, as Graph is Microsoft's own OData
# service, and code and message stand where OData has them. But Graph writes "innerError", OData "innererror", and the reader refuses
# the whole error for it: a program gets an ODataException about the error's format, and neither code nor message.
# Needs the .NET SDK, version 10. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="Microsoft.OData.Core" Version="[8.4.4]" /></ItemGroup>
</Project>
PROJECT
cat > finding.cs <<'PROGRAM'
using System.Text;
using Microsoft.OData;

// As Graph's documentation shows it, at learn.microsoft.com/graph/errors; then with a name of OData, and without what is within.
const string within = """{"code":"invalidRange","request-id":"f5a3c1de-0000-4000-8000-000000000001","date":"2026-01-01T12:00:00"}""";
foreach (var inner in new[] { $",\"innerError\":{within}", $",\"innererror\":{within}", "" })
{
    var json = $$$"""{"error":{"code":"badRequest","message":"Uploaded fragment overlaps with existing data."{{{inner}}} }}""";
    using var reader = new ODataMessageReader(new Answer(json));
    var name = inner == "" ? "nothing" : inner.Split('"')[1];
    try
    {
        Console.WriteLine($"{name} | {reader.ReadError().Code}");
    }
    catch (ODataException error)
    {
        Console.WriteLine($"{name} | refused: {error.Message.Split('.')[0]}");
    }
}

class Answer(string json) : IODataResponseMessage
{
    public IEnumerable<KeyValuePair<string, string>> Headers => [new("Content-Type", "application/json;odata.metadata=minimal"), new("OData-Version", "4.0")];
    public int StatusCode { get => 400; set => throw new NotSupportedException(); }
    public string GetHeader(string name) => Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    public Stream GetStream() => new MemoryStream(Encoding.UTF8.GetBytes(json));
    public void SetHeader(string name, string value) => throw new NotSupportedException();
}
PROGRAM
cat > expected <<'EXPECTED'
innerError | refused: A property with name 'innerError' was found in the error value of a top-level error
innererror | badRequest
nothing | badRequest
EXPECTED

dotnet build --nologo --verbosity quiet --configuration Release --output out > build.log || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.OData.Core 8.4.4 with .NET SDK $(dotnet --version): what the error holds besides code and message | code that was read"
cat seen
diff expected seen && echo "As found: an error of Graph's is refused."
