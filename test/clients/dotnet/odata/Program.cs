// Microsoft.OData.Core, strict: the metadata document is valid, and every answer is read by it alone. One line for each check.
// Errors are left out: they are Graph's, whose innerError this library refuses (findings/odata-core-refuses-graph-errors.sh).
//   dotnet run -- <base URL> <mailbox id> <function key>
// RECEIVER_URL: where notifications may go.
using System.Text.Json;
using System.Xml;
using Microsoft.OData;
using Microsoft.OData.Edm;
using Microsoft.OData.Edm.Csdl;
using Microsoft.OData.Edm.Validation;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args.ElementAtOrDefault(2));
using var http = new HttpClient();
if (key is not null) http.DefaultRequestHeaders.Add("x-functions-key", key);

var model = EdmCoreModel.Instance as IEdmModel;
await Check("the metadata document is valid CSDL 4.0", async () =>
{
    var answer = await http.GetAsync($"{root}/$metadata");
    Same(["200 application/xml"], [$"{(int)answer.StatusCode} {answer.Content.Headers.ContentType?.MediaType}"]);
    using var xml = XmlReader.Create(await answer.Content.ReadAsStreamAsync());
    if (!CsdlReader.TryParse(xml, out var parsed, out var errors)) throw new Exception(string.Join(" ", errors));
    if (!parsed.Validate(out errors)) throw new Exception(string.Join(" ", errors));
    model = parsed;
});

var user = $"users/{mailbox}";
var all = await Ids($"{user}/calendars");
var (first, group) = (all.FirstOrDefault() ?? "none", Uri.EscapeDataString((await Ids($"{user}/calendarGroups")).FirstOrDefault() ?? ""));
foreach (var path in (string[])[
    $"{user}/calendars",
    $"{user}/calendars?$top=3",
    $"{user}/calendars?$select=name,owner&$top=2",
    $"{user}/calendars?$select=owner/address,canEdit",
    $"{user}/calendars?$count=true&$orderby=name desc&$skip=1&$filter=canEdit eq true",
    $"{user}/calendarGroups",
    $"{user}/calendarGroups/{group}/calendars",
    $"{user}/calendars/delta",
    "users/getAllCalendars",
    "users/getAllCalendars/delta",
]) await Check($"{Shown(path)} is read, page by page", async () => await Walk($"{root}/{path}", "odata.maxpagesize=2"));

foreach (var path in (string[])[
    $"{user}/calendars/{first}",
    $"{user}/calendars/{first}?$select=name",
    $"{user}/calendar",
    $"{user}/calendarGroups/{group}",
]) await Check($"{Shown(path)} is read", async () =>
{
    var (text, message) = await Ask($"{root}/{path}");
    var item = JsonDocument.Parse(text).RootElement;
    Same([InJson(item)], Read(message, reader => reader.CreateODataResourceReader()).Items.Select(AsRead));
});

foreach (var path in (string[])[$"{user}/calendars/delta", "users/getAllCalendars/delta"])
{
    await Check($"I6: {Shown(path)} is followed over changes; what is removed has nothing but its id", async () =>
    {
        var known = await Walk($"{root}/{path}", "odata.maxpagesize=50");
        (await http.PostAsync(new Uri(new Uri(root), "/test/change"), null)).EnsureSuccessStatusCode();
        var changes = await Walk(known.DeltaLink!, "odata.maxpagesize=50");
        Same([3], [changes.Items.Count]); // Created, renamed, removed.
        Same([1], [changes.Items.Count(item => item.Properties.All(property => property.Name is "id" or "userId"))]);
    });
}

await Check("a new subscription is read with the annotation that tells its secret, and so are one, all, and what is left", async () =>
{
    var wanted = new
    {
        changeType = "updated",
        notificationUrl = Environment.GetEnvironmentVariable("RECEIVER_URL"),
        resource = "users/getAllCalendars",
        expirationDateTime = DateTimeOffset.UtcNow.AddDays(1),
    };
    var body = new StringContent(JsonSerializer.Serialize(wanted), System.Text.Encoding.UTF8, "application/json");
    var (text, message) = await Ask($"{root}/subscriptions", post: body);
    var json = JsonDocument.Parse(text).RootElement;
    var created = Read(message, reader => reader.CreateODataResourceReader()).Items.Single();
    Same([InJson(json)], [AsRead(created)]);
    var secret = created.InstanceAnnotations.Single(each => each.Name == "calendarMirror.signingSecret");
    Same([json.GetProperty("@calendarMirror.signingSecret").GetString()], [((ODataPrimitiveValue)secret.Value).Value as string]);
    Same([true], [model.FindDeclaredTerm(secret.Name) is not null]);
    var one = Text(created, "id");
    (text, message) = await Ask($"{root}/subscriptions/{one}");
    Same([InJson(JsonDocument.Parse(text).RootElement)], Read(message, reader => reader.CreateODataResourceReader()).Items.Select(AsRead));
    Same([true], [(await Walk($"{root}/subscriptions", "odata.maxpagesize=50")).Items.Any(item => Text(item, "id") == one)]);
    Same([204], [(int)(await http.PostAsync($"{root}/subscriptions/{one}/microsoft.graph.reauthorize", null)).StatusCode]);
    Same([204], [(int)(await http.DeleteAsync($"{root}/subscriptions/{one}")).StatusCode]);
});

return ExitCode;

// All pages of a walk; each has what its JSON has, read by the rules of OData.
async Task<Page> Walk(string url, string prefer)
{
    var items = new List<ODataResource>();
    for (var link = url; ;)
    {
        var (text, message) = await Ask(link, prefer);
        var page = Read(message, reader => reader.CreateODataResourceSetReader());
        var json = JsonDocument.Parse(text).RootElement;
        Same(json.GetProperty("value").EnumerateArray().Select(InJson), page.Items.Select(AsRead));
        Same([Link("@odata.nextLink"), Link("@odata.deltaLink"), Link("@odata.count")], [page.NextLink, page.DeltaLink, page.Count?.ToString()]);
        items.AddRange(page.Items);
        if (page.NextLink is null) return page with { Items = items };
        link = page.NextLink;
        string? Link(string name) => json.TryGetProperty(name, out var value) ? value.ToString() : null;
    }
}

// No type is given: what an answer holds, its context says. All validations are on.
Page Read(IODataResponseMessage message, Func<ODataMessageReader, ODataReader> open)
{
    using var messageReader = new ODataMessageReader(message, Settings(), model);
    var reader = open(messageReader);
    var (items, depth, set) = (new List<ODataResource>(), 0, (ODataResourceSet?)null);
    while (reader.Read())
    {
        if (reader.State == ODataReaderState.ResourceStart) depth++;
        if (reader.State == ODataReaderState.ResourceEnd && --depth == 0) items.Add((ODataResource)reader.Item);
        if (reader.State == ODataReaderState.ResourceSetEnd && depth == 0) set = (ODataResourceSet)reader.Item;
    }
    return new Page(items, set?.NextPageLink?.OriginalString, set?.DeltaLink?.OriginalString, set?.Count);
}

ODataMessageReaderSettings Settings() =>
    new()
    {
        Validations = ValidationKinds.All,
        MaxProtocolVersion = ODataVersion.V4,
        BaseUri = new Uri($"{root}/"),
        ShouldIncludeAnnotation = name => name.StartsWith("calendarMirror."),
    };

async Task<(string, Message)> Ask(string url, string? prefer = null, HttpContent? post = null)
{
    var request = new HttpRequestMessage(post is null ? HttpMethod.Get : HttpMethod.Post, url) { Content = post };
    if (prefer is not null) request.Headers.Add("Prefer", prefer);
    var answer = await http.SendAsync(request);
    var text = await answer.Content.ReadAsStringAsync();
    // Graph, and so the mirror, names the type of a delta page without the namespace by which a reader of OData finds it.
    var named = text.Replace("#Collection(calendar)\"", "#Collection(microsoft.graph.calendar)\"");
    return (text, new Message(answer, System.Text.Encoding.UTF8.GetBytes(named)));
}

async Task<List<string>> Ids(string path)
{
    var (text, message) = await Ask($"{root}/{path}");
    if (message.StatusCode != 200) return []; // The checks below say so.
    return JsonDocument.Parse(text).RootElement.GetProperty("value").EnumerateArray().Select(item => item.GetProperty("id").GetString()!).ToList();
}

// What is compared of an item: its id, its name, and which properties it has. Its owner is an item of its own to the reader.
static string ShapeOf(IEnumerable<string> names, string? id, string? name) => $"{id} {name} {string.Join(",", names.Where(each => each != "owner").Order(StringComparer.Ordinal))}";

static string InJson(JsonElement item) => ShapeOf(
    item.EnumerateObject().Select(property => property.Name).Where(name => !name.Contains('@')),
    item.GetProperty("id").GetString(),
    item.TryGetProperty("name", out var name) ? name.GetString() : null);

static string AsRead(ODataResource item) =>
    ShapeOf(item.Properties.Select(property => property.Name), Text(item, "id"), Text(item, "name"));

static string? Text(ODataResource resource, string name) =>
    resource.Properties.OfType<ODataProperty>().FirstOrDefault(property => property.Name == name)?.Value as string;

string Shown(string path)
{
    var shown = path.Replace(mailbox, "{id}").Replace(first, "{calendar}");
    return group == "" ? shown : shown.Replace(group, "{group}");
}

record Page(List<ODataResource> Items, string? NextLink, string? DeltaLink, long? Count);

// An answer as it came, headers unchanged.
class Message(HttpResponseMessage answer, byte[] body) : IODataResponseMessage
{
    public IEnumerable<KeyValuePair<string, string>> Headers =>
        answer.Headers.Concat(answer.Content.Headers).Select(header => KeyValuePair.Create(header.Key, string.Join(",", header.Value)));
    public int StatusCode { get => (int)answer.StatusCode; set => throw new NotSupportedException(); }
    public string? GetHeader(string name) =>
        Headers.Where(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(header => header.Value).FirstOrDefault();
    public Stream GetStream() => new MemoryStream(body);
    public void SetHeader(string name, string value) => throw new NotSupportedException();
}
