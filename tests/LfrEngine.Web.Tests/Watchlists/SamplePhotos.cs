using System.Diagnostics;
using LfrEngine.Cli.Commands;
using LfrEngine.Models;

namespace LfrEngine.Web.Tests.Watchlists;

/// <summary>Photos of people, cut out of the sample pictures that the models' packages bring; made once per test run, never committed.</summary>
internal static class SamplePhotos
{
    private static readonly Lazy<Task<SampleSet>> Made = new(MakeAsync);

    /// <summary>The set.</summary>
    public static Task<SampleSet> GetAsync() => Made.Value;

    private static async Task<SampleSet> MakeAsync()
    {
        ModelCatalog catalog = ModelCatalog.Default;
        string folder = Directory.CreateTempSubdirectory("lfr-photos-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        string woman = Path.Combine(folder, "woman.jpg"), again = Path.Combine(folder, "woman-again.jpg"), man = Path.Combine(folder, "man.jpg");
        await new DemoClip(catalog).CutListedPhotoAsync(woman, CancellationToken.None);
        Cut(catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), "crop=500:770:1300:60", again);
        Cut(catalog.SamplePath("tracking", "examples/assets/faces.jpg"), "crop=194:326:5:20,scale=388:-2", man);
        string nobody = Path.Combine(folder, "nobody.jpg");
        Ffmpeg("-f", "lavfi", "-i", "gradients=s=320x240:c0=0x204060:c1=0x90a0b0:d=1", "-frames:v", "1", nobody);
        string huge = Path.Combine(folder, "huge.png");
        Ffmpeg("-f", "lavfi", "-i", "color=c=gray:s=16000x16000:d=1", "-frames:v", "1", "-pix_fmt", "gray", huge);
        string film = Path.Combine(folder, "film.mp4");
        Ffmpeg("-loop", "1", "-i", woman, "-t", "0.2", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-vf", "scale=320:-2", film);
        return new SampleSet(woman, again, man, catalog.SamplePath("@vladmandic/face-api", "demo/sample1.jpg"), nobody, huge, film);
    }

    private static void Cut(string from, string filter, string to) => Ffmpeg("-i", from, "-vf", filter, "-frames:v", "1", "-q:v", "2", to);

    private static void Ffmpeg(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("ffmpeg", ["-nostdin", "-hide_banner", "-v", "error", "-y", .. arguments]) { RedirectStandardError = true })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, errors);
    }
}

/// <summary>Paths of the photos.</summary>
/// <param name="Woman">A woman, alone.</param>
/// <param name="WomanAgain">The same woman on another day.</param>
/// <param name="Man">A man, alone.</param>
/// <param name="Group">Four people of about the same size.</param>
/// <param name="Nobody">A picture of no one.</param>
/// <param name="Huge">16000×16000 pixels in a small file.</param>
/// <param name="Film">A video.</param>
internal sealed record SampleSet(string Woman, string WomanAgain, string Man, string Group, string Nobody, string Huge, string Film);
