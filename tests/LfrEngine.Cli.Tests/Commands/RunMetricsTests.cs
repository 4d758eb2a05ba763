using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>What <c>lfr run --metrics</c> serves while it runs.</summary>
[Trait("Speed", "slow")]
public sealed class RunMetricsTests(Material material)
{
    [Fact]
    public async Task Run_WithMetrics_ServesLifetimesAndCounters()
    {
        int port = FreePort.Tcp();
        // The second camera never comes and so keeps the run going when the first is done.
        using Lfr lfr = Lfr.Start(null, [], material.Run("--metrics", $"{port}", "--camera", $"gate={material.ShortClip}", "--camera", $"hold=rtsp://127.0.0.1:{FreePort.Tcp()}/none"));
        await lfr.SeesAsync("\"ended\"");
        using var client = new HttpClient();
        string text = await client.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), TestContext.Current.CancellationToken);
        lfr.Interrupt();
        // The other camera never delivered.
        System.Text.Json.Nodes.JsonObject summary = (await lfr.EndAsync()).Exits(ExitCode.Incomplete).Lines.Summary();

        Assert.Equal(75, Value(text, "lfr_frames_analysed_total{camera=\"gate\"}"));
        Assert.Equal(0, Value(text, "lfr_camera_up{camera=\"gate\"}"));
        Assert.Equal(1, Value(text, "lfr_alerts_total{camera=\"gate\"}"));
        Assert.Equal((long)summary["shotsCompared"]!, Value(text, "lfr_erasures_total{kind=\"crop\"}"));
        Assert.Equal(0, Value(text, "lfr_erasure_deadline_breaches_total"));
        foreach (string kind in (string[])["frame", "tensor", "crop", "embedding", "activation", "after-verdict"])
        {
            double median = Value(text, $"lfr_erasure_lifetime_seconds{{kind=\"{kind}\",quantile=\"0.5\"}}"), longest = Value(text, $"lfr_erasure_lifetime_seconds{{kind=\"{kind}\",quantile=\"1\"}}");
            Assert.True(median > 0 && median <= longest, $"{kind}: {median} {longest}");
        }
        // Names of people are no metrics.
        Assert.DoesNotContain(Material.Woman, text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense", ExitCode.Usage)]
    [InlineData(":9464", ExitCode.Usage)]
    [InlineData("127.0.0.1:70000", ExitCode.Usage)]
    [InlineData("no host:80", ExitCode.Environment)]
    public async Task Run_InvalidMetricsAddress_SaysWhatIsWrong(string address, int code) =>
        (await Lfr.RunAsync(material.Run("--metrics", address, "--camera", $"gate={material.ShortClip}"))).Exits(code).IsCivil().Says("--metrics");

    [Fact]
    public async Task Run_MetricsAddressIsTaken_SaysSo()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        (await Lfr.RunAsync(material.Run("--metrics", $"{((IPEndPoint)taken.LocalEndpoint).Port}", "--camera", $"gate={material.ShortClip}"))).Exits(ExitCode.Environment).IsCivil().Says("--metrics", "use");
    }

    private static double Value(string text, string series)
    {
        string line = Assert.Single(text.Split('\n'), l => l.StartsWith(series + " ", StringComparison.Ordinal));
        return double.Parse(line[(series.Length + 1)..], CultureInfo.InvariantCulture);
    }
}
