// Microsoft.Graph, as its users set it up: only base URL and sign-in are others. One line for each check.
//   dotnet run -- <base URL> <mailbox id> <function key>
// UNREAD_MAILBOX, DENIED_MAILBOX: mailboxes that are not read yet, and that Graph denies the mirror.
// EXPIRED_LINKS: links that are no longer valid, with blanks between. RECEIVER_URL: where notifications may go.
using System.Text.RegularExpressions;
using Microsoft.Graph;
using Microsoft.Graph.Models;
using Microsoft.Graph.Models.ODataErrors;
using Microsoft.Graph.Users.Item.Calendars.Delta;
using Microsoft.Kiota.Abstractions;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary.Middleware.Options;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args[2]);
var unread = Environment.GetEnvironmentVariable("UNREAD_MAILBOX") ?? "";
var denied = Environment.GetEnvironmentVariable("DENIED_MAILBOX") ?? "";
var expiredLinks = (Environment.GetEnvironmentVariable("EXPIRED_LINKS") ?? "").Split(' ');
var receiver = Environment.GetEnvironmentVariable("RECEIVER_URL") ?? "";
const string nobody = "3f0c0000-0000-4000-8000-00000000dead";

var header = ApiKeyAuthenticationProvider.KeyLocation.Header;
var client = new GraphServiceClient(new ApiKeyAuthenticationProvider(key, "x-functions-key", header, new Uri(root).Host), root);
var user = client.Users[mailbox];
var errors = new Dictionary<string, ParsableFactory<IParsable>> { ["XXX"] = ODataError.CreateFromDiscriminatorValue };
var all = (await user.Calendars.GetAsync())!.Value!;

await Check("a list is read page by page by PageIterator", async () =>
{
    var ids = new List<string?>();
    var first = await user.Calendars.GetAsync(config => config.QueryParameters.Top = 3);
    var pages = PageIterator<Calendar, CalendarCollectionResponse>.CreatePageIterator(client, first!, calendar =>
    {
        ids.Add(calendar.Id);
        return true;
    });
    await pages.IterateAsync();
    Same(all.Select(calendar => calendar.Id), ids);
});

await Check("a list takes select and top", async () =>
{
    var page = await user.Calendars.GetAsync(config =>
    {
        config.QueryParameters.Top = 2;
        config.QueryParameters.Select = ["name", "owner"];
    });
    Same(all.Take(2).Select(Shown), page!.Value!.Select(Shown));
    Same([null, null], page.Value!.Select(calendar => calendar.ChangeKey));
    string Shown(Calendar calendar) => $"{calendar.Id} {calendar.Name} {calendar.Owner?.Address}";
});

await Check("a list takes filter, orderby, skip and count", async () =>
{
    var page = await user.Calendars.GetAsync(config =>
    {
        config.QueryParameters.Filter = "canEdit eq true";
        config.QueryParameters.Orderby = ["name desc"];
        config.QueryParameters.Skip = 1;
        config.QueryParameters.Count = true;
    });
    var editable = all.Where(calendar => calendar.CanEdit == true).Select(calendar => calendar.Name!).ToList();
    Same([editable.Count], [page!.OdataCount]);
    Same(editable.OrderDescending(StringComparer.Ordinal).Skip(1), page.Value!.Select(calendar => calendar.Name));
});

await Check("a list is counted", async () => Same([all.Count], [await user.Calendars.Count.GetAsync()]));

await Check("one calendar is read", async () =>
{
    var calendar = await user.Calendars[all[0].Id].GetAsync();
    Same([all[0].Id, all[0].Name, all[0].Owner?.Address], [calendar!.Id, calendar.Name, calendar.Owner?.Address]);
});

await Check("the default calendar is read", async () =>
    Same([all.Single(each => each.IsDefaultCalendar == true).Id], [(await user.Calendar.GetAsync())!.Id]));

await Check("calendar groups are read, and the calendars of one", async () =>
{
    var grouped = all.Where(each => GroupOf(each) is not null).ToLookup(GroupOf);
    var groups = await user.CalendarGroups.GetAsync();
    Same([true], [grouped.All(group => groups!.Value!.Any(each => each.Id == group.Key))]);
    static string? GroupOf(Calendar calendar) => calendar.AdditionalData.TryGetValue("calendarGroupId", out var id) ? id as string : null;
});

await Check("I6: the delta is walked to its deltaLink and on, and the copy is what the list has", async () =>
{
    var copy = new Dictionary<string, string?>();
    var delta = user.Calendars.Delta;
    using var http = new HttpClient();
    for (var round = 0; round < 3; round++)
    {
        if (round > 0) (await http.PostAsync(new Uri(new Uri(root), "/test/change"), null)).EnsureSuccessStatusCode();
        var first = await delta.GetAsDeltaGetResponseAsync(config => config.Headers.Add("Prefer", "odata.maxpagesize=2"));
        var pages = PageIterator<Calendar, DeltaGetResponse>.CreatePageIterator(client, first!, calendar =>
        {
            if (calendar.AdditionalData.ContainsKey("@removed")) copy.Remove(calendar.Id!);
            else copy[calendar.Id!] = calendar.Name;
            return true;
        });
        await pages.IterateAsync();
        Same([PagingState.Delta], [pages.State]);
        delta = user.Calendars.Delta.WithUrl(pages.Deltalink);
        var list = (await user.Calendars.GetAsync())!.Value!;
        Same(list.Select(calendar => $"{calendar.Id} {calendar.Name}").Order(), copy.Select(each => $"{each.Key} {each.Value}").Order());
    }
});

all = (await user.Calendars.GetAsync())!.Value!;
string[] routes = ["calendars", "calendars/$count", $"calendars/{all[0].Id}", "calendars/delta", "calendar", "calendarGroups"];
foreach (var route in routes)
{
    var mistake = route switch
    {
        "calendars/delta" => "$deltatoken=none",
        "calendars/$count" => "$filter=nme eq 'x'",
        _ => "$select=nme",
    };
    await Refused(404, Method.GET, $"users/{nobody}/{route}");
    await Refused(403, Method.GET, $"users/{denied}/{route}");
    await Refused(503, Method.GET, $"users/{unread}/{route}");
    await Refused(400, Method.GET, $"users/{mailbox}/{route}?{mistake}");
    await Refused(405, Method.POST, $"users/{mailbox}/{route}");
}
await Refused(404, Method.GET, $"users/{mailbox}/calendars/none");
await Refused(404, Method.GET, $"users/{mailbox}/calendars/{all[0].Id}/events");
await Refused(404, Method.GET, $"users/{mailbox}/messages");
await Refused(405, Method.PATCH, $"users/{mailbox}/calendars/{all[0].Id}");
await Refused(405, Method.DELETE, $"users/{mailbox}/calendars/{all[0].Id}");
await Refused(405, Method.POST, "users/getAllCalendars");
await Refused(405, Method.POST, "users/getAllCalendars/delta");
await Refused(400, Method.GET, "users/getAllCalendars/delta?$deltatoken=none");
await Refused(401, Method.GET, "me/calendars");
await Refused(404, Method.GET, $"subscriptions/{nobody}");
await Refused(404, Method.DELETE, $"subscriptions/{nobody}");
await Refused(405, Method.DELETE, "subscriptions");
foreach (var link in expiredLinks) await Refused(410, Method.GET, link);

await Check("$batch: each of 30 requests is answered as alone, and one that is refused is refused", async () =>
{
    var batch = new BatchRequestContentCollection(client);
    var lists = new List<string>();
    for (var number = 0; number < 29; number++)
    {
        lists.Add(await batch.AddBatchRequestStepAsync(user.Calendars.ToGetRequestInformation(config => config.QueryParameters.Top = 3)));
    }
    var none = await batch.AddBatchRequestStepAsync(user.Calendars["none"].ToGetRequestInformation());
    var answers = await client.Batch.PostAsync(batch);
    var alone = await user.Calendars.GetAsync(config => config.QueryParameters.Top = 3);
    foreach (var id in lists)
    {
        var list = await answers.GetResponseByIdAsync<CalendarCollectionResponse>(id);
        Same(alone!.Value!.Select(calendar => calendar.Id), list.Value!.Select(calendar => calendar.Id));
    }
    var error = await Thrown<ServiceException>(() => answers.GetResponseByIdAsync<Calendar>(none));
    Same([404], [error.ResponseStatusCode]);
});

Subscription Wanted() => new()
{
    ChangeType = "created,updated,deleted",
    NotificationUrl = receiver,
    Resource = "users/getAllCalendars",
    ExpirationDateTime = DateTimeOffset.UtcNow.AddDays(1),
    ClientState = "a secret of the receiver",
};

await Check("a subscription is created, listed, read, renewed, sent back whole, reauthorized and deleted", async () =>
{
    var created = (await client.Subscriptions.PostAsync(Wanted()))!;
    Same([true, true], [created.AdditionalData["@calendarMirror.signingSecret"] is string secret && secret.StartsWith("whsec_"), created.ClientState is null]);
    var one = client.Subscriptions[created.Id];
    var read = (await one.GetAsync())!;
    Same([created.Id, receiver, "users/getAllCalendars"], [read.Id, read.NotificationUrl, read.Resource]);
    Same([true], [(await client.Subscriptions.GetAsync())!.Value!.Any(each => each.Id == created.Id)]);
    var later = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.AddDays(3).ToUnixTimeSeconds());
    Same([later], [(await one.PatchAsync(new Subscription { ExpirationDateTime = later }))!.ExpirationDateTime]);
    read.ExpirationDateTime = later.AddHours(1);
    Same([later.AddHours(1)], [(await one.PatchAsync(read))!.ExpirationDateTime]);
    await one.Reauthorize.PostAsync();
    await one.DeleteAsync();
    var error = await Thrown<ODataError>(() => one.GetAsync());
    Same(["404", "ResourceNotFound"], [$"{error.ResponseStatusCode}", error.Error?.Code]);
});

await Check("a subscription that is refused is an ODataError with code and message", async () =>
{
    var silent = Wanted();
    silent.NotificationUrl = "http://127.0.0.1:9/nobody";
    var error = await Thrown<ODataError>(() => client.Subscriptions.PostAsync(silent));
    Same(["400", "ValidationError"], [$"{error.ResponseStatusCode}", error.Error?.Code]);
    Same([true], [error.Message.StartsWith("Subscription validation request failed.")]);
    error = await Thrown<ODataError>(() => client.Subscriptions.PostAsync(new Subscription()));
    Same(["InvalidRequest", "changeType is a required property for subscription creation."], [error.Error?.Code, error.Message]);
});

await Check("$batch: a subscription is created, and then deleted", async () =>
{
    var batch = new BatchRequestContentCollection(client);
    var creation = await batch.AddBatchRequestStepAsync(client.Subscriptions.ToPostRequestInformation(Wanted()));
    var created = await (await client.Batch.PostAsync(batch)).GetResponseByIdAsync<Subscription>(creation);
    batch = new BatchRequestContentCollection(client);
    var deletion = await batch.AddBatchRequestStepAsync(client.Subscriptions[created.Id].ToDeleteRequestInformation());
    using var deleted = await (await client.Batch.PostAsync(batch)).GetResponseByIdAsync(deletion);
    Same([204], [(int)deleted.StatusCode]);
});

await Check("HEAD is answered like GET, without a body", async () =>
{
    var request = new RequestInformation { HttpMethod = Method.HEAD, URI = new Uri($"{root}/users/{mailbox}/calendars") };
    await client.RequestAdapter.SendNoContentAsync(request, errors);
});

return ExitCode;

async Task Refused(int status, Method method, string path) =>
    await Check($"{status} of {method} {Shown(path)} is an ODataError", async () =>
    {
        var url = path.StartsWith("https:") ? path : $"{root}/{path}";
        var request = new RequestInformation { HttpMethod = method, URI = new Uri(url) };
        request.AddRequestOptions([new RetryHandlerOption { MaxRetry = 0 }]);
        var error = await Thrown<ODataError>(() => client.RequestAdapter.SendAsync(request, Calendar.CreateFromDiscriminatorValue, errors));
        Same([status], [error.ResponseStatusCode]);
        if (string.IsNullOrEmpty(error.Error?.Code) || string.IsNullOrEmpty(error.Error.Message)) throw new Exception("It has no code or no message.");
    });

string Shown(string path)
{
    var named = path.Replace($"{root}/", "").Replace(mailbox, "{id}").Replace(unread, "{not read yet}").Replace(denied, "{denied}").Replace(nobody, "{nobody}");
    return Regex.Replace(named.Replace(all[0].Id!, "{calendar}"), @"(token=)[\w.-]{20,}", "$1…");
}

static async Task<T> Thrown<T>(Func<Task> action) where T : Exception
{
    try
    {
        await action();
    }
    catch (T error)
    {
        return error;
    }
    throw new Exception($"{typeof(T).Name} was expected.");
}
