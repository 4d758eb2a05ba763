using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace LfrEngine.Cli.Tests.Support;

/// <summary>ONVIF cameras as a separate program (onvif_camera.py), on loopback addresses used only by this test; disposing ends them.</summary>
internal sealed class OnvifCameras : IDisposable
{
    private const string Python = "/usr/bin/python3";

    // Other tests may look for cameras on the same machine at the same time.
    private readonly string network = $"127.{Random.Shared.Next(1, 255)}.{Random.Shared.Next(0, 256)}";
    private readonly TemporaryFolder folder = new();
    private readonly List<string> log = [];
    private Process? process;

    /// <summary>Address of the camera with this number, 1 to 254.</summary>
    public string this[int number] => $"{network}.{number}";

    /// <summary>What the cameras were asked so far, one line per call: address, call, outcome.</summary>
    public string[] Log
    {
        get
        {
            lock (log)
                return [.. log];
        }
    }

    /// <summary>Starts the cameras and waits until they listen. The number becomes the address.</summary>
    public async Task StartAsync(params JsonObject[] cameras)
    {
        if (!File.Exists(Python))
            Assert.Skip($"No {Python} for the cameras of the test. Debian: apt-get install python3");
        for (int i = 0; i < cameras.Length; i++)
            cameras[i]["address"] = this[i + 1];
        await File.WriteAllTextAsync(folder["cameras.json"], JsonSerializer.Serialize(cameras), TestContext.Current.CancellationToken);
        process = Process.Start(new ProcessStartInfo(Python, [Path.Combine(AppContext.BaseDirectory, "onvif_camera.py"), folder["cameras.json"]])
            { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        if (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) != "ready")
            Assert.Skip($"No multicast on the loopback interface: {await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)}");
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        _ = FollowAsync(process.StandardOutput);
    }

    /// <summary>Looks for cameras; the answer in JSON.</summary>
    public static Task<Outcome> DiscoverAsync(params string[] more) => Lfr.RunAsync(["cameras", "discover", "--interface", "lo", "--timeout", "2", "--json", .. more]);

    /// <summary>Of the cameras found, the one with this number.</summary>
    public JsonObject Of(Outcome discovery, int number) => discovery.Json["cameras"]!.AsArray().Single(c => (string?)c!["address"] == this[number])!.AsObject();

    /// <summary>Waits until the cameras have been asked something.</summary>
    public async Task SeesAsync(string part)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (!Log.Any(l => l.Contains(part, StringComparison.Ordinal)))
            await Task.Delay(20, patience.Token);
    }

    private async Task FollowAsync(StreamReader output)
    {
        while (await output.ReadLineAsync() is { } line)
        {
            lock (log)
                log.Add(line);
        }
    }

    public void Dispose()
    {
        if (process is not null)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
        folder.Dispose();
    }
}
