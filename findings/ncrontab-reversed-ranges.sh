#!/usr/bin/env bash
# NCRONTAB, in which timers of Azure Functions are scheduled, turns a range whose end comes before its start, and says nothing.
# "22-2" in the field of hours fires from 02 to 22 o'clock, not at night; "mon-sun" fires on Sunday and Monday only. A day that
# never comes (30 February) is taken too, and its next time is the end of the year 9999.
# Needs the .NET SDK, version 10. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="NCrontab.Signed" Version="[3.4.0]" /></ItemGroup>
</Project>
PROJECT
cat > finding.cs <<'PROGRAM'
using NCrontab;

var options = new CrontabSchedule.ParseOptions { IncludingSeconds = true };
var start = new DateTime(2026, 1, 1); // A Thursday.
foreach (var text in new[] { "0 0 22-2 * * *", "0 0 0 * * mon-sun", "0 0 0 * * sat-sun", "0 0 0 30 2 *" })
{
    var schedule = CrontabSchedule.Parse(text, options);
    var next = schedule.GetNextOccurrences(start, start.AddDays(7)).Take(4).Select(time => time.ToString("ddd HH:mm"));
    Console.WriteLine($"{text} | {schedule} | {string.Join(", ", next)} | {schedule.GetNextOccurrence(start):yyyy}");
}
PROGRAM
cat > expected <<'EXPECTED'
0 0 22-2 * * * | 0 0 2-22 * * * | Thu 02:00, Thu 03:00, Thu 04:00, Thu 05:00 | 2026
0 0 0 * * mon-sun | 0 0 0 * * 0-1 | Sun 00:00, Mon 00:00 | 2026
0 0 0 * * sat-sun | 0 0 0 * * * | Fri 00:00, Sat 00:00, Sun 00:00, Mon 00:00 | 2026
0 0 0 30 2 * | 0 0 0 30 2 * |  | 9999
EXPECTED

dotnet build --nologo --verbosity quiet --configuration Release --output out > build.log || { cat build.log; exit 1; }
dotnet out/finding.dll > seen
echo "NCrontab.Signed 3.4.0 with .NET SDK $(dotnet --version): written | read as | next from Thursday 2026-01-01 00:00 | year of the next"
cat seen
diff expected seen && echo "As found: reversed ranges are turned in silence."
