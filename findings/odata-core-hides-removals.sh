#!/usr/bin/env bash
# Microsoft.OData.Core does not show what Microsoft Graph's delta marks by "@removed". One would guess that an item which is gone reads as
# a deleted one, or at least has the annotation. But it reads as an ordinary item with nothing but its id; and where the content type does not
# say odata.streaming=true, as Graph's does, not at all: "odata.type" were preceded by a property, though it stands first.
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
using Microsoft.OData.Edm;

var model = new EdmModel();
var calendar = new EdmEntityType("microsoft.graph", "calendar");
calendar.AddKeys(calendar.AddStructuralProperty("id", EdmPrimitiveTypeKind.String, false));
calendar.AddStructuralProperty("name", EdmPrimitiveTypeKind.String);
model.AddElement(calendar);

const string type = "\"@odata.type\":\"#microsoft.graph.calendar\"";
// A page of Graph's delta, with a calendar and a removed one, at learn.microsoft.com/graph/delta-query-overview.
const string json = $$$"""
    {"@odata.context":"https://graph.example/$metadata#Collection(microsoft.graph.calendar)","value":[
    {{{{type}}},"id":"a","name":"Team"},{{{{type}}},"id":"b","@removed":{"reason":"deleted"}}],
    "@odata.deltaLink":"https://graph.example/calendars/delta?$deltatoken=1"}
    """;
foreach (var streaming in new[] { "", ";odata.streaming=true" })
{
    try
    {
        using var messages = new ODataMessageReader(new Answer(json, $"application/json;odata.metadata=minimal{streaming}"), new(), model);
        var reader = messages.CreateODataResourceSetReader();
        while (reader.Read())
        {
            if (reader.State != ODataReaderState.ResourceEnd) continue;
            var item = (ODataResource)reader.Item;
            var properties = item.Properties.OfType<ODataProperty>().Select(property => $"{property.Name}={property.Value}");
            Console.WriteLine($"minimal{streaming} | {string.Join(" ", properties)} | {item.InstanceAnnotations.Count} annotations");
        }
    }
    catch (ODataException error)
    {
        Console.WriteLine($"minimal{streaming} | refused: {error.Message.Split(". ")[0]}.");
    }
}

class Answer(string json, string contentType) : IODataResponseMessage
{
    public IEnumerable<KeyValuePair<string, string>> Headers => [new("Content-Type", contentType), new("OData-Version", "4.0")];
    public int StatusCode { get => 200; set => throw new NotSupportedException(); }
    public string GetHeader(string name) => Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
    public Stream GetStream() => new MemoryStream(Encoding.UTF8.GetBytes(json));
    public void SetHeader(string name, string value) => throw new NotSupportedException();
}
PROGRAM
cat > expected <<'EXPECTED'
minimal | id=a name=Team | 0 annotations
minimal | refused: The 'odata.type' instance annotation in a resource object is preceded by an invalid property.
minimal;odata.streaming=true | id=a name=Team | 0 annotations
minimal;odata.streaming=true | id=b | 0 annotations
EXPECTED

dotnet build --nologo --verbosity quiet --configuration Release --output out > build.log || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.OData.Core 8.4.4 with .NET SDK $(dotnet --version): content type | what an item has | annotations"
cat seen
diff expected seen && echo "As found: what is removed reads as an item, or not at all."
