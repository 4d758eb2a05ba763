using System.Diagnostics;
using LfrEngine.Cli.Commands;
using LfrEngine.Models;
using LfrEngine.Tests;
using LfrEngine.Watchlists;

[assembly: AssemblyFixture(typeof(LfrEngine.Cli.Tests.Support.Material))]

namespace LfrEngine.Cli.Tests.Support;

/// <summary>What most tests run on: the demonstration's clip, its listed woman and a watchlist of her, made once per test run.</summary>
public sealed class Material : IAsyncLifetime
{
    public const string Woman = "fair-haired-woman";

    private readonly TemporaryFolder folder = new();

    /// <summary>1280×720, 25 frames per second, 380 frames, 15 people; the listed one raises an alert at 2.28 s.</summary>
    public string Clip { get; private set; } = "";

    /// <summary>The first 75 frames of <see cref="Clip"/>, alert included.</summary>
    public string ShortClip => folder["short.mp4"];

    /// <summary>A picture of the listed woman, her alone, not the one in the clip.</summary>
    public string Photo => folder["photo.jpg"];

    /// <summary>A picture of a man of the clip.</summary>
    public string OtherPhoto => folder["other.jpg"];

    /// <summary>Four people of about the same size.</summary>
    public string GroupPhoto { get; private set; } = "";

    /// <summary>A picture of no one.</summary>
    public string EmptyPhoto => folder["gradient.jpg"];

    public string KeyFile => folder["key"];

    /// <summary>The listed woman, sealed with <see cref="KeyFile"/>.</summary>
    public string Watchlist => folder["watchlist.lfr"];

    public async ValueTask InitializeAsync()
    {
        ModelCatalog catalog = ModelCatalog.Default;
        var demo = new DemoClip(catalog);
        Clip = await demo.MakeAsync(CancellationToken.None);
        await demo.CutListedPhotoAsync(Photo, CancellationToken.None);
        GroupPhoto = catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg");
        Ffmpeg.Run("-i", Clip, "-c", "copy", "-frames:v", "75", "-movflags", "+faststart", ShortClip);
        Ffmpeg.Run("-i", catalog.SamplePath("tracking", "examples/assets/faces.jpg"), "-vf", "crop=194:326:5:20,scale=388:-2", "-frames:v", "1", "-q:v", "2", OtherPhoto);
        Ffmpeg.Run("-f", "lavfi", "-i", "gradients=s=320x240:c0=0x204060:c1=0x90a0b0:d=1", "-frames:v", "1", "-q:v", "3", EmptyPhoto);
        WatchlistKey.CreateKeyFile(KeyFile);
        string people = folder["people"];
        Directory.CreateDirectory(Path.Combine(people, Woman));
        File.Copy(Photo, Path.Combine(people, Woman, "photo.jpg"));
        (await Lfr.RunAsync("enrol", people, "-o", Watchlist, "--key-file", KeyFile)).Exits(ExitCode.Success);
    }

    /// <summary>Arguments of <c>run</c> with the woman's watchlist, at full speed and in JSON.</summary>
    internal string[] Run(params string[] more) => ["run", "--watchlist", Watchlist, "--key-file", KeyFile, "--json", .. more];

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A folder that goes away with its test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-host-");

    public string Path => folder.FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>All files in it, relative to it, sorted.</summary>
    public string[] Files => [.. Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories).Select(f => System.IO.Path.GetRelativePath(Path, f)).Order(StringComparer.Ordinal)];

    public void Dispose() => folder.Delete(recursive: true);
}

/// <summary>The ffmpeg program, which makes the clips.</summary>
internal static class Ffmpeg
{
    public static void Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"ffmpeg {string.Join(' ', arguments)}: {errors}");
    }

    public static Process Start(params string[] arguments) =>
        Process.Start(new ProcessStartInfo("ffmpeg", ["-nostdin", "-hide_banner", "-v", "error", "-y", .. arguments]) { RedirectStandardError = true })!;
}

/// <summary>Test data that is not part of the repository.</summary>
internal static class Shared
{
    /// <summary>The labelled pictures of masked faces, or a part of them under <paramref name="folder"/>; skips the test when they are not there.</summary>
    public static string NeedMasks(TemporaryFolder folder, int count)
    {
        string all = Need("masks");
        if (MeasuredPart.IsWhole)
            return all;
        string part = folder["masks"];
        Directory.CreateDirectory(Path.Combine(part, "annotations"));
        Directory.CreateSymbolicLink(Path.Combine(part, "images"), Path.Combine(all, "images"));
        foreach (string label in MeasuredPart.Of(Directory.GetFiles(Path.Combine(all, "annotations")).Order(StringComparer.Ordinal).ToArray(), count, p => Path.GetFileName(p)))
            File.Copy(label, Path.Combine(part, "annotations", Path.GetFileName(label)));
        return part;
    }

    /// <summary>Path of a shared file or folder; skips the test when it is not there.</summary>
    public static string Need(string path)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(Path.Combine(folder.FullName, "LfrEngine.sln")))
                continue;
            string file = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared", "data", path));
            if (File.Exists(file) || Directory.Exists(file))
                return file;
        }
        Assert.Skip($"../shared/data/{path} is missing.");
        return "";
    }
}
