// The official MCP client for C#: it agrees on a version, lists the tools and calls them. One line for each check.
//   dotnet run -- <base URL> <mailbox id> <function key>
using System.Text.Json;
using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static Checks;

var (root, mailbox, key) = (args[0], args[1], args[2]);
var endpoint = new Uri($"{root[..root.LastIndexOf("/beta", StringComparison.Ordinal)]}/mcp");

HttpClientTransport TransportOf(string key, HttpMessageHandler handler) =>
    new(new() { Endpoint = endpoint, AdditionalHeaders = new Dictionary<string, string> { ["x-functions-key"] = key } }, new HttpClient(handler));
Task<McpClient> Connect(string key) => McpClient.CreateAsync(TransportOf(key, new WithLength()));

await using var client = await Connect(key);

await Check("the client and the mirror agree on the newest version", () =>
{
    Same(["2026-07-28", "calendar-mirror"], [client.NegotiatedProtocolVersion, client.ServerInfo?.Name]);
    return Task.CompletedTask;
});

await Check("the tools are listed, and each says that it only reads", async () =>
{
    var tools = await client.ListToolsAsync();
    Same(["find_calendars", "list_mailbox_calendars", "list_changes", "get_mirror_status", "explain_mailbox", "find_mailboxes"], tools.Select(tool => tool.Name));
    Same([true], tools.Select(tool => tool.ProtocolTool.Annotations?.ReadOnlyHint == true).Distinct());
});

await Check("the calendars of a mailbox are those that Graph clients read, page by page", async () =>
{
    var ids = new List<string>();
    for (string? cursor = "", last = null; cursor is not null && cursor != last;)
    {
        var arguments = new Dictionary<string, object?> { ["mailbox"] = mailbox, ["top"] = 3 };
        if (cursor != "") arguments["cursor"] = cursor;
        var page = ContentOf(await client.CallToolAsync("list_mailbox_calendars", arguments));
        ids.AddRange(page.GetProperty("calendars").EnumerateArray().Select(calendar => calendar.GetProperty("id").GetString()!));
        (last, cursor) = (cursor, page.GetProperty("cursor").GetString());
    }
    using var http = new HttpClient();
    http.DefaultRequestHeaders.Add("x-functions-key", key);
    using var list = JsonDocument.Parse(await http.GetStringAsync($"{root}/users/{mailbox}/calendars?$top=999"));
    var expected = list.RootElement.GetProperty("value").EnumerateArray().Select(item => item.GetProperty("id").GetString()!);
    Same(expected.Order(StringComparer.Ordinal), ids.Order(StringComparer.Ordinal));
});

await Check("a mailbox that is not there is a tool's error with what to do", async () =>
{
    var result = await client.CallToolAsync("explain_mailbox", new Dictionary<string, object?> { ["mailbox"] = "nobody@contoso.example" });
    Same([true], [result.IsError == true]);
    Same([true], [result.Content.OfType<TextContentBlock>().Single().Text.Contains("find_mailboxes")]);
});

await Check("another key is refused", async () =>
{
    var error = await Thrown<HttpRequestException>(async () => await Connect("another key"));
    Same([401], [(int?)error.StatusCode ?? 0]);
});

await Check("without its length no message arrives, and the refusal says so", async () =>
{
    var error = await Thrown<McpException>(async () => await McpClient.CreateAsync(TransportOf(key, new HttpClientHandler())));
    Same([true], [error.Message.Contains("Content-Length")]);
});

return ExitCode;

static JsonElement ContentOf(CallToolResult result) =>
    result.IsError == true ? throw new Exception(result.Content.OfType<TextContentBlock>().First().Text) : result.StructuredContent!.Value;

/// <summary>As docs/clients.md shows it: the client sends each message in chunks, and the host hands on no body without a length.</summary>
class WithLength() : DelegatingHandler(new HttpClientHandler())
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not null) await request.Content.LoadIntoBufferAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
