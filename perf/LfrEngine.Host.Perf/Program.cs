using System.Diagnostics;
using System.Globalization;
using LfrEngine.Cli.Commands;
using LfrEngine.Cli.Serving;
using LfrEngine.Host.Perf;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

// What does the host cost over `lfr run`? The same cameras at real-time pace, in turns: `lfr run`, the host, the host with every camera watched.
// Usage: LfrEngine.Host.Perf CLIP [ROUNDS] [SECONDS] [CAMERAS]; the second way to call it is its own.
// The host compiles its busiest methods anew for half a minute; a deployment lasts hours.
const int WarmUpSeconds = 40;
if (args is ["host", var folder, var id, var watched])
    return await HostAsync(folder, Guid.Parse(id), watched == "watched");
if (args is not [var clip, ..])
{
    Console.Error.WriteLine("usage: perf/host-overhead CLIP [ROUNDS] [SECONDS] [CAMERAS]");
    return ExitCode.Usage;
}
int rounds = Number(1, 5), seconds = Number(2, 30), cameras = Number(3, 2);
var looped = new BenchClip(clip);
DirectoryInfo place = Directory.CreateTempSubdirectory("lfr-overhead-");
try
{
    Installation installation = Install(place.FullName, looped.FullPath, cameras);
    string photo = Path.Combine(place.FullName, "photo.jpg");
    await new DemoClip(ModelCatalog.Default).CutListedPhotoAsync(photo, CancellationToken.None);
    SampleDeployment van;
    await using (WebApplication app = Server.Build(installation, TimeProvider.System))
    {
        await StoreSetup.MigrateAsync(app.Services, CancellationToken.None);
        van = await Van.PrepareAsync(app.Services, photo, "Overhead");
    }
    string[] run = ["run", "--allow-unlocked", "--json", "--pace", "realtime", "--watchlist", Van.FileOf(installation, van.Watchlist), "--key-file", Van.KeyOf(installation, van.Watchlist),
        .. Enumerable.Range(1, cameras).SelectMany(i => new[] { "--camera", $"camera {i}={looped.FullPath},loop" })];
    string lfr = Path.Combine(AppContext.BaseDirectory, "lfr.dll"), self = Path.Combine(AppContext.BaseDirectory, "LfrEngine.Host.Perf.dll");
    Console.WriteLine($"{looped.Name}, {looped.Width}x{looped.Height}, {cameras} camera(s), {Environment.ProcessorCount} processors; {seconds} s each after {WarmUpSeconds} s; processor seconds per second");
    Console.WriteLine("round  lfr run   host  ratio  watched  ratio");
    var plain = new List<double>();
    var seen = new List<double>();
    for (int round = 1; round <= rounds; round++)
    {
        double alone = await MeasureAsync([lfr, .. run]);
        double host = await MeasureAsync([self, "host", place.FullName, $"{van.Deployment}", "unwatched"]);
        double live = await MeasureAsync([self, "host", place.FullName, $"{van.Deployment}", "watched"]);
        plain.Add(host / alone);
        seen.Add(live / alone);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{round,5}  {alone,7:0.000}  {host,5:0.000}  {host / alone,5:0.000}  {live,7:0.000}  {live / alone,5:0.000}"));
    }
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"processor time over lfr run, median of {rounds}: host {Median(plain):0.000}, with every camera watched {Median(seen):0.000}"));
    return ExitCode.Success;
}
finally
{
    place.Delete(recursive: true);
}

int Number(int at, int otherwise) => args.Length > at ? int.Parse(args[at], CultureInfo.InvariantCulture) : otherwise;

// A child that says something on standard output once its cameras run, measured in its steady state, then told to end; Ctrl-C would be ignored where this runs in the background.
async Task<double> MeasureAsync(string[] arguments)
{
    using Process child = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
    while (await child.StandardOutput.ReadLineAsync() is { } line && !line.Contains("running", StringComparison.Ordinal))
    {
    }
    Task rest = child.StandardOutput.ReadToEndAsync();
    await Task.Delay(TimeSpan.FromSeconds(WarmUpSeconds));
    long started = Stopwatch.GetTimestamp();
    TimeSpan before = Spent(child);
    await Task.Delay(TimeSpan.FromSeconds(seconds));
    TimeSpan spent = Spent(child) - before, elapsed = Stopwatch.GetElapsedTime(started);
    using (Process interrupt = Process.Start("kill", ["-TERM", $"{child.Id}"]))
        await interrupt.WaitForExitAsync();
    await child.WaitForExitAsync();
    await rest;
    return spent / elapsed;
}

static TimeSpan Spent(Process child)
{
    child.Refresh();
    return child.HasExited ? throw new InvalidOperationException("The program ended before it was measured.") : child.TotalProcessorTime;
}

static double Median(List<double> values)
{
    values.Sort();
    int middle = values.Count / 2;
    return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

static Installation Install(string folder, string source, int cameras)
{
    string[] all = [.. Enumerable.Range(1, cameras).Select(i => $"camera {i}")];
    string file = Path.Combine(folder, "lfr.json");
    string[] laboratories = Van.Configure(new HostConfig { Name = "overhead" }, folder).Laboratories;
    File.WriteAllText(file, System.Text.Json.JsonSerializer.Serialize(new
    {
        name = "overhead",
        laboratories,
        listen = new[] { "https://127.0.0.1:0" },
        engine = new { allowUnlocked = true },
        cameras = all.Select(name => new { name, source, pace = "realtime", loop = true }),
    }));
    return ConfigFile.Read(file);
}

// The host as `lfr serve` runs it, with its deployment started.
static async Task<int> HostAsync(string folder, Guid deployment, bool watched)
{
    Installation installation = ConfigFile.Read(Path.Combine(folder, "lfr.json"));
    await using WebApplication app = Server.Build(installation, TimeProvider.System);
    await StoreSetup.MigrateAsync(app.Services, CancellationToken.None);
    await app.StartAsync();
    DeploymentRunner runner = app.Services.GetRequiredService<DeploymentRunner>();
    await runner.StartAsync(Actor.Engine, deployment);
    Console.WriteLine("running");
    // As a console polls: each camera five times a second.
#pragma warning disable RS0030 // A measurement: what fails may end it.
    using var clock = watched ? new Timer(_ =>
    {
        foreach (CameraHealth camera in runner.Running.SelectMany(d => d.Health))
        {
            using HostBuffer<byte>? jpeg = runner.Using(camera.Name)?.Run.ViewOf(camera.Name)?.TakeJpeg(out int _);
        }
    }, null, 0, 200) : null;
#pragma warning restore RS0030
    await app.WaitForShutdownAsync();
    return ExitCode.Success;
}
