#!/usr/bin/env bash
# The OData library of .NET (Microsoft.OData.Core), told to read URLs without regard to case, takes EQ, AND, OR, NOT and CONTAINS, and refuses
# IN and In. One would guess that case counts for no operator then: OData 4.01 wants a service to take each of them in any case, and
# EnableCaseInsensitive is what the library offers for it. Where "name in ('a')" works, "NAME EQ 'a'" does, and "name IN ('a')" is
# "')' or operator expected". Who writes a filter for a service with this library writes `in` in lower case.
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
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.UriParser;

var model = new EdmModel();
var calendar = new EdmEntityType("sample", "calendar");
calendar.AddKeys(calendar.AddStructuralProperty("id", EdmPrimitiveTypeKind.String, false));
calendar.AddStructuralProperty("name", EdmPrimitiveTypeKind.String);
model.AddElement(calendar);
var container = new EdmEntityContainer("sample", "container");
var calendars = container.AddEntitySet("calendars", calendar);
model.AddElement(container);

foreach (var filter in new[]
{
    "name in ('a','b')",
    "NAME in ('a','b')",
    "NAME EQ 'a' OR NOT CONTAINS(NAME,'b') AND ID NE 'c'",
    "name IN ('a','b')",
    "name In ('a','b')",
})
{
    var options = new Dictionary<string, string> { ["$filter"] = filter };
    var parser = new ODataQueryOptionParser(model, calendar, calendars, options)
    {
        Resolver = new ODataUriResolver { EnableCaseInsensitive = true },
    };
    try
    {
        parser.ParseFilter();
        Console.WriteLine($"{filter} | taken");
    }
    catch (ODataException refusal)
    {
        Console.WriteLine($"{filter} | refused: {refusal.Message}");
    }
}
PROGRAM
cat > expected <<'EXPECTED'
name in ('a','b') | taken
NAME in ('a','b') | taken
NAME EQ 'a' OR NOT CONTAINS(NAME,'b') AND ID NE 'c' | taken
name IN ('a','b') | refused: ')' or operator expected at position 12 in 'name IN ('a','b')'.
name In ('a','b') | refused: ')' or operator expected at position 12 in 'name In ('a','b')'.
EXPECTED

dotnet build --nologo --verbosity quiet --configuration Release --output out > build.log || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "Microsoft.OData.Core 8.4.4 with .NET SDK $(dotnet --version), without regard to case: filter | what becomes of it"
cat seen
diff expected seen && echo "As found: IN is refused where all other operators are taken."
