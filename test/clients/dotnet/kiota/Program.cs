// A client that Kiota generates from the description: it compiles, and what it reads is what stands in the JSON. One line for
// each check.
//   dotnet run -- <base URL> <mailbox id> <function key>
// UNREAD_MAILBOX, EXPIRED_LINKS: a mailbox that is not read yet; a deltaLink, and others, that are no longer valid.
// RECEIVER_URL: where notifications may go.
using System.Text.Json;
using Microsoft.Kiota.Abstractions;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Http.HttpClientLibrary;
using Microsoft.Kiota.Http.HttpClientLibrary.Middleware.Options;
using Mirror;
using Mirror.Models;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args.ElementAtOrDefault(2));
var api = root[..root.LastIndexOf("/beta", StringComparison.Ordinal)];
var unread = Environment.GetEnvironmentVariable("UNREAD_MAILBOX");
var receiver = Environment.GetEnvironmentVariable("RECEIVER_URL");
var expiredLink = Environment.GetEnvironmentVariable("EXPIRED_LINKS")?.Split(' ')[0];

using var http = new HttpClient();
if (key is not null) http.DefaultRequestHeaders.Add("x-functions-key", key);
var header = ApiKeyAuthenticationProvider.KeyLocation.Header;
var client = key is null
    ? ClientOf(new AnonymousAuthenticationProvider())
    : ClientOf(new ApiKeyAuthenticationProvider(key, "x-functions-key", header, new Uri(api).Host));
var user = client.Beta.Users[mailbox];
var noRetry = new RetryHandlerOption { MaxRetry = 0 };

await Check("a list is read page by page, every property that the description names", async () =>
{
    var page = await user.Calendars.GetAsync(config => config.QueryParameters.Top = 3);
    var read = new List<string>();
    for (; page is not null; page = page.OdataNextLink is null ? null : await user.Calendars.WithUrl(page.OdataNextLink).GetAsync())
    {
        read.AddRange(page.Value!.Select(AsRead));
    }
    Same((await ValuesAt($"{root}/users/{mailbox}/calendars")).Select(InJson), read);
});

await Check("one calendar is read, and what the description does not name is kept", async () =>
{
    var item = (await ValuesAt($"{root}/users/{mailbox}/calendars"))[0];
    var calendar = await user.Calendars[item.GetProperty("id").GetString()!].GetAsync();
    Same([InJson(item)], [AsRead(calendar!)]);
    Same([true], [calendar!.OdataContext!.Contains("$metadata#users(")]);
});

await Check("a list takes its options, and is counted", async () =>
{
    var page = await user.Calendars.GetAsync(config =>
    {
        config.QueryParameters.Filter = "canEdit eq true and contains(owner/address,'@')";
        config.QueryParameters.Orderby = "name desc";
        config.QueryParameters.Skip = 1;
        config.QueryParameters.Count = true;
    });
    var editable = (await ValuesAt($"{root}/users/{mailbox}/calendars")).Where(item => item.GetProperty("canEdit").GetBoolean()).ToList();
    Same(editable.Select(item => Of(item, "name").ToString()).OrderDescending(StringComparer.Ordinal).Skip(1), page!.Value!.Select(item => item.Name));
    var count = await user.Calendars.Count.GetAsync(config => config.QueryParameters.Filter = "canEdit eq true");
    Same([editable.Count, editable.Count], [page.OdataCount, int.Parse(count!)]);
});

await Check("the default calendar is read, and calendar groups are with their calendars", async () =>
{
    var calendars = await ValuesAt($"{root}/users/{mailbox}/calendars");
    var byDefault = calendars.Single(item => item.GetProperty("isDefaultCalendar").GetBoolean());
    Same([InJson(byDefault)], [AsRead((await user.Calendar.GetAsync())!)]);
    var groups = await user.CalendarGroups.GetAsync();
    foreach (var group in groups!.Value!)
    {
        var inGroup = await user.CalendarGroups[group.Id!].Calendars.GetAsync();
        Same(calendars.Where(item => Of(item, "calendarGroupId")?.GetString() == group.Id).Select(InJson), inGroup!.Value!.Select(AsRead));
    }
    Same([true], [groups.Value!.Count > 0]);
});

await Check("a batch is sent, and each of its requests answered as alone", async () =>
{
    var request = new BatchRequest { Id = "1", Method = "GET", Url = $"/users/{mailbox}/calendars" };
    var answer = await client.Beta.Batch.PostAsync(new Batch { Requests = [request, new() { Id = "2", Method = "GET", Url = "/none" }] });
    Same(["1 200", "2 404"], answer!.Responses!.Select(each => $"{each.Id} {each.Status}").Order());
});

await Check("I6: changes of a mailbox are followed: all items are filled, and the removed one says so", async () =>
{
    var items = new List<DeltaCalendar>();
    async Task<string> Walk(CalendarDeltaPage? page)
    {
        for (items.Clear(); ; page = await user.Calendars.Delta.WithUrl(page.OdataNextLink).GetAsync())
        {
            items.AddRange(page!.Value!);
            if (page.OdataNextLink is null) return page.OdataDeltaLink!;
        }
    }
    var link = await Walk(await user.Calendars.Delta.GetAsync(config => config.Headers.Add("Prefer", "odata.maxpagesize=2")));
    Same((await ValuesAt($"{root}/users/{mailbox}/calendars")).Select(InJson).Order(), items.Select(AsRead).Order());
    await Change();
    await Walk(await user.Calendars.Delta.WithUrl(link).GetAsync());
    Same((await ValuesAt(link)).Select(InJson), items.Select(AsRead));
    Same(["#microsoft.graph.calendar"], items.Select(item => item.OdataType).Distinct());
    Same([1], [items.Count(item => item.Removed?.Reason == "deleted")]);
});

await Check("I6: changes of all mailboxes are followed in the same way, with the user of each", async () =>
{
    var all = client.Beta.Users.GetAllCalendars;
    Same(
        (await ValuesAt($"{root}/users/getAllCalendars")).Select(InJson),
        (await all.GetAsync())!.Value!.Select(item => $"{AsRead(item)} {item.UserId}"));
    var items = new List<TenantDeltaCalendar>();
    async Task<string> Walk(TenantCalendarDeltaPage? page)
    {
        for (items.Clear(); ; page = await all.Delta.WithUrl(page.OdataNextLink).GetAsync())
        {
            items.AddRange(page!.Value!);
            if (page.OdataNextLink is null) return page.OdataDeltaLink!;
        }
    }
    var link = await Walk(await all.Delta.GetAsync());
    await Change();
    await Walk(await all.Delta.WithUrl(link).GetAsync());
    Same((await ValuesAt(link)).Select(InJson), items.Select(item => $"{AsRead(item)} {item.UserId}"));
    Same([3, 1], [items.Count, items.Count(item => item.Removed?.Reason == "deleted")]);
});

await Check("operators' routes are read: mailboxes, found calendars, history, roster, settings", async () =>
{
    var one = await client.Mailboxes[mailbox].GetAsync();
    Same([mailbox, "Fresh", "Idle", "manual"], [one!.Id, one.State.ToString(), one.Phase.ToString(), one.Roster!.Source]);
    var page = await client.Mailboxes.GetAsync();
    Same([true], [page!.Value!.Any(each => each.Id == mailbox)]);
    var found = await client.Calendars.GetAsync(config => config.QueryParameters.Top = 5);
    Same([true], [found!.Value!.Count > 0 && found.Value!.All(each => each.Calendar!.Name is not null && each.Mailbox!.Id is not null)]);
    var history = await client.Mailboxes[mailbox].History.GetAsync();
    Same([true], [history!.Value!.Any(each => each.After?.AdditionalData.ContainsKey("name") == true)]);
    var status = await client.Status.GetAsync();
    Same([4], [status!.Settings!.Shards]);
    Same([status.Mailboxes!.Total], [status.Mailboxes.ByState!.Fresh + status.Mailboxes.ByState.New + status.Mailboxes.ByState.Parked + status.Mailboxes.ByState.Waiting]);
    Same([null, false], [status.Roster!.Held as object, status.Brake!.IsOn]);
    Same(["Healthy"], [(await client.Health.GetAsync())!.Status.ToString()]);
});

await Check("a subscription is created, listed, read, renewed, reauthorized and deleted", async () =>
{
    var subscriptions = client.Beta.Subscriptions;
    var created = (await subscriptions.PostAsync(Wanted()))!;
    Same([true, true], [created.CalendarMirrorSigningSecret!.StartsWith("whsec_"), created.ClientState is null]);
    var one = subscriptions[created.Id!];
    var read = (await one.GetAsync())!;
    Same([created.Id, receiver, "users/getAllCalendars"], [read.Id, read.NotificationUrl, read.Resource]);
    Same([true], [(await subscriptions.GetAsync())!.Value!.Any(each => each.Id == created.Id)]);
    var later = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.AddDays(3).ToUnixTimeSeconds());
    Same([later], [(await one.PatchAsync(new SubscriptionUpdate { ExpirationDateTime = later }))!.ExpirationDateTime]);
    await one.Reauthorize.PostAsync();
    await one.DeleteAsync();
    Same([404], [(await Thrown<ODataError>(() => one.GetAsync())).ResponseStatusCode]);
});

await Refused(400, () => client.Beta.Subscriptions.PostAsync(new NewSubscription()));
await Refused(404, () => client.Beta.Subscriptions["none"].GetAsync());
await Refused(404, () => user.Calendars["none"].GetAsync(config => config.Options.Add(noRetry)));
await Refused(400, () => user.Calendars.GetAsync(config => config.QueryParameters.Skiptoken = "none"));
await Refused(404, () => client.Mailboxes["87d349ed-44d7-43e1-9a83-5f2406dee5bd"].GetAsync());
if (unread is not null) await Refused(503, () => client.Beta.Users[unread].Calendars.GetAsync(config => config.Options.Add(noRetry)));
if (expiredLink is not null) await Refused(410, () => user.Calendars.Delta.WithUrl(expiredLink).GetAsync());

if (key is not null)
{
    await Check("401 of the host, which has no body, is an exception with the status", async () =>
    {
        var error = await Thrown<ApiException>(() => ClientOf(new AnonymousAuthenticationProvider()).Status.GetAsync());
        Same([401], [error.ResponseStatusCode]);
        Same([true], [error.Message.Contains("401")]);
    });
}

return ExitCode;

MirrorClient ClientOf(IAuthenticationProvider provider) => new(new HttpClientRequestAdapter(provider) { BaseUrl = api });

NewSubscription Wanted() => new()
{
    ChangeType = "created,updated,deleted",
    NotificationUrl = receiver,
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
        var error = await Thrown<ODataError>(async () => await ask());
        Same([status], [error.ResponseStatusCode]);
        if (string.IsNullOrEmpty(error.Error?.Code) || error.Message != error.Error.Message) throw new Exception("It has no code, or not its message.");
        if (string.IsNullOrEmpty(error.Error.InnerError?.RequestId)) throw new Exception("It does not name its request.");
    });

static string AsRead(Calendar item) =>
    string.Join(" ", item.Id, item.Name, item.Owner?.Name, item.Owner?.Address, item.Color, item.ChangeKey, item.CanEdit, item.IsDefaultCalendar,
        item.IsShared, item.AllowedOnlineMeetingProviders?.Count, item.AdditionalData.ContainsKey("groupClassId"));

static string InJson(JsonElement item)
{
    var (owner, providers) = (Of(item, "owner"), Of(item, "allowedOnlineMeetingProviders"));
    var values = string.Join(" ", Of(item, "id"), Of(item, "name"), Of(owner, "name"), Of(owner, "address"), Of(item, "color"), Of(item, "changeKey"),
        Of(item, "canEdit"), Of(item, "isDefaultCalendar"), Of(item, "isShared"), providers?.GetArrayLength(), Of(item, "groupClassId") is not null);
    return Of(item, "userId") is { } user ? $"{values} {user}" : values;
}

static JsonElement? Of(JsonElement? item, string name) => item?.TryGetProperty(name, out var value) == true ? value : null;
