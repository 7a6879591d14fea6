// A client that NSwag generates from the description: it compiles, and what it reads is what stands in the JSON. One line for
// each check.
//   dotnet run -- <base URL> <mailbox id> <function key>
// UNREAD_MAILBOX: a mailbox that is not read yet. RECEIVER_URL: where notifications may go.
using System.Text.Json;
using Mirror;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args.ElementAtOrDefault(2));
var api = root[..root.LastIndexOf("/beta", StringComparison.Ordinal)];
var unread = Environment.GetEnvironmentVariable("UNREAD_MAILBOX");
var receiver = Environment.GetEnvironmentVariable("RECEIVER_URL") ?? "";

using var http = HttpOf(key);
var client = new MirrorClient(http);

await Check("a list is read page by page, every property that the description names", async () =>
{
    var read = new List<string>();
    for (string? token = null; ;)
    {
        var page = await client.ListUserCalendarsAsync(mailbox, top: 3, skiptoken: token);
        read.AddRange(page.Value.Select(AsRead));
        if (page.OdataNextLink is null) break;
        token = TokenIn(page.OdataNextLink, "$skiptoken");
    }
    Same((await ValuesAt($"{root}/users/{mailbox}/calendars")).Select(InJson), read);
});

await Check("one calendar is read, and what the description does not name is kept", async () =>
{
    var item = (await ValuesAt($"{root}/users/{mailbox}/calendars"))[0];
    var calendar = await client.GetUserCalendarAsync(mailbox, item.GetProperty("id").GetString()!);
    Same([InJson(item)], [AsRead(calendar)]);
    Same([true], [calendar.OdataContext.Contains("$metadata#users(")]);
});

await Check("a list takes its options, and is counted", async () =>
{
    var page = await client.ListUserCalendarsAsync(mailbox, filter: "canEdit eq true and contains(owner/address,'@')", orderby: "name desc", skip: 1, count: true);
    var editable = (await ValuesAt($"{root}/users/{mailbox}/calendars")).Where(item => item.GetProperty("canEdit").GetBoolean()).ToList();
    Same(editable.Select(item => Of(item, "name").ToString()).OrderDescending(StringComparer.Ordinal).Skip(1), page.Value.Select(item => item.Name));
    var count = await client.CountUserCalendarsAsync(mailbox, filter: "canEdit eq true");
    Same([editable.Count, editable.Count], [page.OdataCount, int.Parse(count)]);
});

await Check("the default calendar is read, and calendar groups are with their calendars", async () =>
{
    var calendars = await ValuesAt($"{root}/users/{mailbox}/calendars");
    var byDefault = calendars.Single(item => item.GetProperty("isDefaultCalendar").GetBoolean());
    Same([InJson(byDefault)], [AsRead(await client.GetUserDefaultCalendarAsync(mailbox))]);
    var groups = await client.ListUserCalendarGroupsAsync(mailbox);
    foreach (var group in groups.Value)
    {
        var inGroup = await client.ListUserCalendarGroupCalendarsAsync(mailbox, group.Id);
        Same(calendars.Where(item => Of(item, "calendarGroupId")?.GetString() == group.Id).Select(InJson), inGroup.Value.Select(AsRead));
    }
    Same([true], [groups.Value.Count > 0]);
});

await Check("a batch is sent, and each of its requests answered as alone", async () =>
{
    var request = new BatchRequest { Id = "1", Method = "GET", Url = $"/users/{mailbox}/calendars" };
    var answer = await client.SendBatchAsync(new Batch { Requests = [request, new() { Id = "2", Method = "GET", Url = "/none" }] });
    Same(["1 200", "2 404"], answer.Responses.Select(each => $"{each.Id} {each.Status}").Order());
});

await Check("I6: changes of a mailbox are followed: all items are filled, and the removed one says so", async () =>
{
    var items = new List<DeltaCalendar>();
    async Task<string> Walk(string? deltaToken)
    {
        items.Clear();
        for (string? skipToken = null; ;)
        {
            var page = await client.DeltaUserCalendarsAsync(mailbox, skipToken is null ? deltaToken : null, skipToken, "odata.maxpagesize=2");
            items.AddRange(page.Value);
            if (page.OdataNextLink is null) return page.OdataDeltaLink!;
            skipToken = TokenIn(page.OdataNextLink, "$skiptoken");
        }
    }
    var link = await Walk(null);
    Same((await ValuesAt($"{root}/users/{mailbox}/calendars")).Select(InJson).Order(), items.Select(AsRead).Order());
    await Change();
    await Walk(TokenIn(link, "$deltatoken"));
    Same((await ValuesAt(link)).Select(InJson), items.Select(AsRead));
    Same(["#microsoft.graph.calendar"], items.Select(item => item.OdataType).Distinct());
    Same([1], [items.Count(item => item.Removed?.Reason == "deleted")]);
});

await Check("I6: changes of all mailboxes are followed in the same way, with the user of each", async () =>
{
    var all = await client.ListAllCalendarsAsync();
    Same((await ValuesAt($"{root}/users/getAllCalendars")).Select(InJson), all.Value.Select(item => $"{AsRead(item)} {item.UserId}"));
    var items = new List<TenantDeltaCalendar>();
    async Task<string> Walk(string? deltaToken)
    {
        items.Clear();
        for (string? skipToken = null; ;)
        {
            var page = await client.DeltaAllCalendarsAsync(skipToken is null ? deltaToken : null, skipToken);
            items.AddRange(page.Value);
            if (page.OdataNextLink is null) return page.OdataDeltaLink!;
            skipToken = TokenIn(page.OdataNextLink, "$skiptoken");
        }
    }
    var link = await Walk(null);
    await Change();
    await Walk(TokenIn(link, "$deltatoken"));
    Same((await ValuesAt(link)).Select(InJson), items.Select(item => $"{AsRead(item)} {item.UserId}"));
    Same([3, 1], [items.Count, items.Count(item => item.Removed?.Reason == "deleted")]);
});

await Check("operators' routes are read: mailboxes, found calendars, history, roster, settings", async () =>
{
    var one = await client.GetMailboxAsync(mailbox);
    Same([mailbox, "Fresh", "Idle", "manual"], [one.Id, one.State.ToString(), one.Phase.ToString(), one.Roster!.Source]);
    Same([true], [(await client.ListMailboxesAsync()).Value.Any(each => each.Id == mailbox)]);
    var found = await client.FindCalendarsAsync(top: 5);
    Same([true], [found.Value.Count > 0 && found.Value.All(each => each.Calendar.Name is not null && each.Mailbox.Id is not null)]);
    var history = await client.ListMailboxHistoryAsync(mailbox);
    Same([true], [history.Value.Any(each => each.After?.ContainsKey("name") == true)]);
    var status = await client.GetStatusAsync();
    Same([4], [status.Settings.Shards]);
    Same([status.Mailboxes.Total], [status.Mailboxes.ByState.Fresh + status.Mailboxes.ByState.New + status.Mailboxes.ByState.Parked + status.Mailboxes.ByState.Waiting]);
    Same([null, false], [status.Roster.Held as object, status.Brake.IsOn]);
    Same(["Healthy"], [(await client.GetHealthAsync()).Status.ToString()]);
});

await Check("a subscription is created, listed, read, renewed, reauthorized and deleted", async () =>
{
    var created = await client.CreateSubscriptionAsync(Wanted(receiver));
    Same([true, true], [created.CalendarMirrorSigningSecret.StartsWith("whsec_"), created.ClientState is null]);
    var read = await client.GetSubscriptionAsync(created.Id);
    Same([created.Id, receiver, "users/getAllCalendars"], [read.Id, read.NotificationUrl, read.Resource]);
    Same([true], [(await client.ListSubscriptionsAsync()).Value.Any(each => each.Id == created.Id)]);
    var later = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.AddDays(3).ToUnixTimeSeconds());
    Same([later], [(await client.UpdateSubscriptionAsync(new SubscriptionUpdate { ExpirationDateTime = later }, created.Id)).ExpirationDateTime]);
    await client.ReauthorizeSubscriptionAsync(created.Id);
    await client.DeleteSubscriptionAsync(created.Id);
});

await Refused(400, () => client.CreateSubscriptionAsync(Wanted("http://127.0.0.1:9/nobody")));
await Refused(404, () => client.GetSubscriptionAsync("none"));
await Refused(404, () => client.GetUserCalendarAsync(mailbox, "none"));
await Refused(400, () => client.ListUserCalendarsAsync(mailbox, skiptoken: "none"));
await Refused(404, () => client.GetMailboxAsync("87d349ed-44d7-43e1-9a83-5f2406dee5bd"));
if (unread is not null) await Refused(503, () => client.ListUserCalendarsAsync(unread));

if (key is not null)
{
    await Check("401 of the host, which has no body, is an exception that says what to do", async () =>
    {
        using var keyless = HttpOf(null);
        var error = await Thrown<ApiException>(() => new MirrorClient(keyless).GetStatusAsync());
        Same([401], [error.StatusCode]);
        Same([true], [error.Message.Contains("x-functions-key")]);
    });
}

return ExitCode;

HttpClient HttpOf(string? functionKey)
{
    var made = new HttpClient { BaseAddress = new Uri($"{api}/") };
    if (functionKey is not null) made.DefaultRequestHeaders.Add("x-functions-key", functionKey);
    return made;
}

// NSwag's clients take options and no links: a walk goes on by the token of its link.
static string TokenIn(string link, string name) => link[(link.IndexOf($"{name}=", StringComparison.Ordinal) + name.Length + 1)..].Split('&')[0];

static NewSubscription Wanted(string notificationUrl) => new()
{
    ChangeType = "created,updated,deleted",
    NotificationUrl = notificationUrl,
    Resource = "users/getAllCalendars",
    ExpirationDateTime = DateTimeOffset.UtcNow.AddDays(1),
    ClientState = "a secret of the receiver",
};

async Task Change() => (await http.PostAsync(new Uri(new Uri(root), "/test/change"), null)).EnsureSuccessStatusCode();

async Task<List<JsonElement>> ValuesAt(string url) =>
    [.. JsonDocument.Parse(await http.GetStringAsync(url)).RootElement.GetProperty("value").EnumerateArray()];

async Task Refused<T>(int status, Func<Task<T>> ask) =>
    await Check($"{status} is an ODataError with code and message", async () =>
    {
        var error = await Thrown<ApiException<ODataError>>(async () => await ask());
        Same([status], [error.StatusCode]);
        if (string.IsNullOrEmpty(error.Result.Error.Code) || string.IsNullOrEmpty(error.Result.Error.Message)) throw new Exception("It has no code or no message.");
        if (string.IsNullOrEmpty(error.Result.Error.InnerError.RequestId)) throw new Exception("It does not name its request.");
    });

static string AsRead(Calendar item) =>
    string.Join(" ", item.Id, item.Name, item.Owner?.Name, item.Owner?.Address, item.Color, item.ChangeKey, item.CanEdit, item.IsDefaultCalendar,
        item.IsShared, item.AllowedOnlineMeetingProviders?.Count, item.AdditionalProperties.ContainsKey("groupClassId"));

static string InJson(JsonElement item)
{
    var (owner, providers) = (Of(item, "owner"), Of(item, "allowedOnlineMeetingProviders"));
    var values = string.Join(" ", Of(item, "id"), Of(item, "name"), Of(owner, "name"), Of(owner, "address"), Of(item, "color"), Of(item, "changeKey"),
        Of(item, "canEdit"), Of(item, "isDefaultCalendar"), Of(item, "isShared"), providers?.GetArrayLength(), Of(item, "groupClassId") is not null);
    return Of(item, "userId") is { } user ? $"{values} {user}" : values;
}

static JsonElement? Of(JsonElement? item, string name) => item?.TryGetProperty(name, out var value) == true ? value : null;
