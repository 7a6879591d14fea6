#!/usr/bin/env bash
# The official C# client of the Model Context Protocol (ModelContextProtocol.Core) sends every message in chunks, without a Content-Length,
# though it is a small JSON text that it holds whole. One would guess that it is sent with its length, as clients in other languages do.
# Servers and gateways that pass on no body without a length get nothing: Azure Functions hands an empty body to functions in other languages
# than .NET (ToRpcHttp: request.ContentLength > 0). A handler that calls LoadIntoBufferAsync on the content mends it.
# Needs the .NET SDK, version 10. Ends with 0 while this is so.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.csproj <<'PROJECT'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup>
  <ItemGroup><PackageReference Include="ModelContextProtocol.Core" Version="[2.4.0]" /></ItemGroup>
</Project>
PROJECT
cat > finding.cs <<'PROGRAM'
using System.Net;
using ModelContextProtocol.Client;

foreach (var (name, handler) in new (string, HttpMessageHandler)[] { ("as it is", new HttpClientHandler()), ("with the length", new WithLength()) })
{
    var listener = new HttpListener();
    var port = 20_000 + Environment.ProcessId % 20_000;
    for (; ; port++)
    {
        listener = new HttpListener { Prefixes = { $"http://127.0.0.1:{port}/" } };
        try { listener.Start(); break; } catch (HttpListenerException) { }
    }
    var options = new HttpClientTransportOptions { Endpoint = new Uri($"http://127.0.0.1:{port}/mcp") };
    var connecting = McpClient.CreateAsync(new HttpClientTransport(options, new HttpClient(handler)));
    var context = await listener.GetContextAsync();
    var text = await new StreamReader(context.Request.InputStream).ReadToEndAsync();
    var length = context.Request.Headers["Content-Length"] is string given && given == System.Text.Encoding.UTF8.GetByteCount(text).ToString() ? "its length" : "none";
    Console.WriteLine($"{name} | Content-Length: {length} | Transfer-Encoding: {context.Request.Headers["Transfer-Encoding"] ?? "none"}");
    context.Response.StatusCode = 500;
    context.Response.Close();
    listener.Abort();
    try { await connecting; } catch (Exception) { }
}

class WithLength() : DelegatingHandler(new HttpClientHandler())
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is not null) await request.Content.LoadIntoBufferAsync(cancellationToken);
        return await base.SendAsync(request, cancellationToken);
    }
}
PROGRAM
cat > expected <<'EXPECTED'
as it is | Content-Length: none | Transfer-Encoding: chunked
with the length | Content-Length: its length | Transfer-Encoding: none
EXPECTED

dotnet build -v quiet --nologo > build.log 2>&1 || { cat build.log; exit 1; }
dotnet bin/Debug/net10.0/finding.dll > seen
echo "ModelContextProtocol.Core 2.4.0 with .NET $(dotnet --version): what a message comes with"
cat seen
diff expected seen && echo "As found: messages come in chunks, without a length."
