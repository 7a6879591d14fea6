// Azure.Data.Tables reads the table as SPEC.md documents its columns. One line for each check.
//   MIRROR_STORAGE=<connection string> dotnet run -- <base URL> <mailbox id> <function key>
using System.Net.Http.Json;
using System.Text.Json;
using Azure.Data.Tables;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args[2]);
var table = new TableClient(Environment.GetEnvironmentVariable("MIRROR_STORAGE"), "calendarmirror");
using var http = new HttpClient();
http.DefaultRequestHeaders.Add("x-functions-key", key);
var list = (await http.GetFromJsonAsync<JsonElement>($"{root}/users/{mailbox}/calendars")).GetProperty("value").EnumerateArray().ToList();

var ofMailbox = TableClient.CreateQueryFilter($"mailboxId eq {mailbox}");
await Check("calendars that exist are found by mailboxId and removed", async () =>
{
    var rows = await table.QueryAsync<CalendarRow>($"{ofMailbox} and removed eq false").ToListAsync();
    Same(list.Select(each => each.GetProperty("id").GetString()).Order(StringComparer.Ordinal), rows.Select(each => each.calendarId).Order(StringComparer.Ordinal));
    foreach (var row in rows)
    {
        var calendar = list.Single(each => each.GetProperty("id").GetString() == row.calendarId);
        var owner = calendar.GetProperty("owner");
        Same(
            [Text(calendar, "name"), Text(owner, "name"), Text(owner, "address"), Text(calendar, "color"), Text(calendar, "hexColor"), Text(calendar, "changeKey")],
            [row.name, row.ownerName, row.ownerAddress, row.color, row.hexColor, row.changeKey]);
        Same(
            new[] { "isDefaultCalendar", "canEdit", "canShare", "isShared", "isSharedWithMe", "isRemovable" }.Select(name => (bool?)calendar.GetProperty(name).GetBoolean()),
            [row.isDefaultCalendar, row.canEdit, row.canShare, row.isShared, row.isSharedWithMe, row.isRemovable]);
        Same([row.calendarId], [JsonDocument.Parse(row.resource!).RootElement.GetProperty("id").GetString()]);
        Same([true, true, true], [row.generation > 0, row.sequence > 0, row.changed > DateTimeOffset.UtcNow.AddHours(-1)]);
    }
});

await Check("a Boolean, a number and a time are compared by the service", async () =>
{
    var standard = await table.QueryAsync<CalendarRow>($"{ofMailbox} and isDefaultCalendar eq true").ToListAsync();
    Same([true], standard.Select(each => each.isDefaultCalendar == true));
    var since = TableClient.CreateQueryFilter($"changed ge {DateTimeOffset.UtcNow.AddHours(-1)} and sequence ge {1}");
    var rows = await table.QueryAsync<CalendarRow>($"{ofMailbox} and {since} and removed eq false").ToListAsync();
    Same([list.Count], [rows.Count]);
});

await Check("the checkpoint is found by its key, and its columns have the documented types", async () =>
{
    var shard = (await table.QueryAsync<TableEntity>($"{ofMailbox} and RowKey eq 'mailbox|{mailbox}'").ToListAsync()).Single();
    Same(["idle", "delta"], [shard.GetString("phase"), shard.GetString("strategy")]);
    Same([list.Count], [shard.GetInt32("calendarCount")!.Value]);
    Same([true, true], [shard.GetInt32("sequence") > 0, shard.GetDateTimeOffset("lastSuccess") > DateTimeOffset.UtcNow.AddHours(-1)]);
});

return ExitCode;

static string? Text(JsonElement of, string name) => of.GetProperty(name).GetString();

/// <summary>Columns by the names that SPEC.md gives them.</summary>
internal sealed class CalendarRow : ITableEntity
{
    public string PartitionKey { get; set; } = "";
    public string RowKey { get; set; } = "";
    public DateTimeOffset? Timestamp { get; set; }
    public Azure.ETag ETag { get; set; }
    public string? calendarId { get; set; }
    public string? resource { get; set; }
    public int? generation { get; set; }
    public int? sequence { get; set; }
    public DateTimeOffset? changed { get; set; }
    public string? name { get; set; }
    public string? ownerName { get; set; }
    public string? ownerAddress { get; set; }
    public string? color { get; set; }
    public string? hexColor { get; set; }
    public string? changeKey { get; set; }
    public bool? isDefaultCalendar { get; set; }
    public bool? canEdit { get; set; }
    public bool? canShare { get; set; }
    public bool? isShared { get; set; }
    public bool? isSharedWithMe { get; set; }
    public bool? isRemovable { get; set; }
}
