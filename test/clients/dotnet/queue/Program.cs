// Azure.Storage.Queues takes nudges off the queue of changes. One line for each check.
//   MIRROR_STORAGE=<connection string> dotnet run -- <base URL> <mailbox id> <function key>
using System.Text.Json;
using Azure.Storage.Queues;
using static Checks;

var (root, mailbox) = (args[0], args[1]);
var storage = Environment.GetEnvironmentVariable("MIRROR_STORAGE");

await Check("QueueMessageEncoding.Base64 reads a nudge as JSON", async () =>
{
    await Change();
    var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
    var nudge = await NudgeOf(new QueueClient(storage, "calendar-changes", options), text => text);
    if (nudge.GetProperty("sequence").GetInt32() < 1) throw new Exception($"No sequence: {nudge}");
});

await Check("without it, the default of this library, the text is base64", async () =>
{
    await Change();
    var queue = new QueueClient(storage, "calendar-changes");
    await NudgeOf(queue, text => System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(text)));
});

return ExitCode;

async Task Change()
{
    using var http = new HttpClient();
    (await http.PostAsync(new Uri(new Uri(root), "/test/change"), null)).EnsureSuccessStatusCode();
}

// Nudges of other mailboxes are taken off too. A change has been nudged when the mirror shows it.
async Task<JsonElement> NudgeOf(QueueClient queue, Func<string, string> read)
{
    for (;;)
    {
        var messages = (await queue.ReceiveMessagesAsync(32)).Value;
        if (messages.Length == 0) throw new Exception("There is no nudge of this mailbox.");
        foreach (var message in messages)
        {
            await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt);
            var nudge = JsonDocument.Parse(read(message.MessageText)).RootElement;
            if (nudge.GetProperty("mailbox").GetString() == mailbox) return nudge;
        }
    }
}
