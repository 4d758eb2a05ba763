using System.Diagnostics;
using LfrEngine.Cli.Commands;
using LfrEngine.Host.Perf;
using LfrEngine.Models;
using LfrEngine.Records.Authorities;
using LfrEngine.Records.Configuration;

namespace LfrEngine.Web.Tests.Deployments;

/// <summary>The demonstration's street with its listed woman, made once: a host in which she is on a watchlist, a deployment signed for it.</summary>
public sealed class Street : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-street-");

    /// <summary>1280×720, 25 frames per second, 15 s; the listed woman raises an alert at 2.28 s.</summary>
    public string Clip { get; private set; } = "";

    /// <summary>The first three seconds, alert included.</summary>
    public string ShortClip => Path.Combine(folder.FullName, "short.mp4");

    /// <summary>The clip twenty times: longer than any test runs.</summary>
    public string LongClip => Path.Combine(folder.FullName, "long.mp4");

    /// <summary>A picture of the listed woman, alone, not the one in the clip.</summary>
    public string Photo => Path.Combine(folder.FullName, "photo.jpg");

    public async ValueTask InitializeAsync()
    {
        var demo = new DemoClip(ModelCatalog.Default);
        Clip = await demo.MakeAsync(CancellationToken.None);
        await demo.CutListedPhotoAsync(Photo, CancellationToken.None);
        await CutAsync("-i", Clip, "-c", "copy", "-frames:v", "75", "-movflags", "+faststart", ShortClip);
        await CutAsync("-stream_loop", "19", "-i", Clip, "-c", "copy", LongClip);
    }

    public ValueTask DisposeAsync()
    {
        folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    private static async Task CutAsync(params string[] arguments)
    {
        using Process cut = Process.Start(new ProcessStartInfo("ffmpeg", ["-nostdin", "-v", "error", "-y", .. arguments]))!;
        await cut.WaitForExitAsync();
        Assert.Equal(0, cut.ExitCode);
    }

    /// <summary>Starts a host with one camera, "gate".</summary>
    internal static Task<RunningHost> HostAsync(string source, CameraPace pace = CameraPace.Realtime, TimeProvider? time = null) => RunningHost.StartAsync((config, folder) => Van.Configure(config, folder) with
    {
        Cameras = [new CameraConfig { Name = "gate", Source = source, Pace = pace }],
    }, time);

    /// <summary>Puts the woman on a watchlist and signs a deployment for it: an hour before now until two hours after.</summary>
    internal async Task<Guid> PrepareAsync(RunningHost host, string name = "High Street", LeastSearched? least = null, string? photo = null, IReadOnlyList<string>? cameras = null)
    {
        return (await Van.PrepareAsync(host.Services, photo ?? Photo, name, least, cameras)).Deployment;
    }
}

/// <summary>A clock that can be moved; its timers run as usual.</summary>
internal sealed class MovedTime : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}
