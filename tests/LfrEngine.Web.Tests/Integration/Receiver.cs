using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace LfrEngine.Web.Tests;

/// <summary>Somebody else's server that takes webhooks, on loopback.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication app;

    private Receiver(WebApplication app) => this.app = app;

    /// <summary>What came, in order, taken or not.</summary>
    public ConcurrentQueue<(string Id, string Timestamp, string Signature, string Body)> Received { get; } = new();

    /// <summary>What it answers; null leaves the sender waiting.</summary>
    public HttpStatusCode? Answer { get; set; } = HttpStatusCode.OK;

    /// <summary>And what it says with it.</summary>
    public string AnswerBody { get; set; } = "";

    public Uri Address => new(app.Urls.First());

    public static async Task<Receiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication app = builder.Build();
        var receiver = new Receiver(app);
        app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            IHeaderDictionary headers = context.Request.Headers;
            receiver.Received.Enqueue((headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(), headers["webhook-signature"].ToString(), await reader.ReadToEndAsync()));
            if (receiver.Answer is { } answer)
            {
                context.Response.StatusCode = (int)answer;
                await context.Response.WriteAsync(receiver.AnswerBody);
            }
            else
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
        });
        await app.StartAsync();
        return receiver;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }
}
