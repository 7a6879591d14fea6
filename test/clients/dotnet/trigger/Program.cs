// The queue trigger of Azure Functions takes nudges off the queue of changes. One line for each check.
//   MIRROR_STORAGE=<connection string> dotnet run -- <base URL> <mailbox id> <function key>
using System.Threading.Channels;
using Microsoft.Azure.WebJobs;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

var (root, mailbox) = (args[0], args[1]);
var storage = Environment.GetEnvironmentVariable("MIRROR_STORAGE");

using var host = new HostBuilder()
    .ConfigureAppConfiguration(config => config.AddInMemoryCollection([new("AzureWebJobsStorage", storage)]))
    .ConfigureWebJobs(jobs => jobs.AddAzureStorageQueues())
    .ConfigureServices(services => services.AddSingleton<ITypeLocator>(new Functions()))
    .Build();
await host.StartAsync();
using var http = new HttpClient();
(await http.PostAsync(new Uri(new Uri(root), "/test/change"), null)).EnsureSuccessStatusCode();
using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
try
{
    while (true)
    {
        var nudge = await Functions.Seen.Reader.ReadAsync(limit.Token);
        if (nudge.Mailbox != mailbox) continue;
        Console.WriteLine("ok   a queue trigger with the defaults of its host.json, messageEncoding base64, reads a nudge as an object");
        break;
    }
}
catch (OperationCanceledException)
{
    Console.WriteLine("FAIL the trigger has seen no nudge of this mailbox");
    return 1;
}
await host.StopAsync();
return 0;

/// <summary>What a nudge says.</summary>
public sealed record Nudge(string Mailbox, int Sequence);

/// <summary>One function, as an app that follows the mirror has it.</summary>
public sealed class Functions : ITypeLocator
{
    /// <summary>Nudges as they came.</summary>
    public static readonly Channel<Nudge> Seen = Channel.CreateUnbounded<Nudge>();

    /// <summary>The trigger.</summary>
    public static Task OnChange([QueueTrigger("calendar-changes")] Nudge nudge) => Seen.Writer.WriteAsync(nudge).AsTask();

    IReadOnlyList<Type> ITypeLocator.GetTypes() => [typeof(Functions)];
}
