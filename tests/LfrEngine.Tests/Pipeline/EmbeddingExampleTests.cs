using System.Diagnostics;
using LfrEngine.Alerts;
using LfrEngine.Matching;
using LfrEngine.Models;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Detection;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

/// <summary>The example of docs/embedding.md: compiled here, run here, and the same there.</summary>
[Trait("Speed", "slow")]
public sealed class EmbeddingExampleTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lfr-embedding-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Example_OfTheDocument_IsThisCode()
    {
        string document = File.ReadAllText(Path.Combine(RepoRoot.Path, "docs", "embedding.md"));
        int begin = document.IndexOf("```csharp\n", StringComparison.Ordinal) + "```csharp\n".Length;
        string[] shown = [.. Lines(document[begin..document.IndexOf("```", begin, StringComparison.Ordinal)]).Where(l => !l.StartsWith("using LfrEngine", StringComparison.Ordinal))];
        string source = File.ReadAllText(Path.Combine(RepoRoot.Path, "tests", "LfrEngine.Tests", "Pipeline", "EmbeddingExampleTests.cs"));
        int here = source.IndexOf("// The example begins.\n", StringComparison.Ordinal);
        string[] compiled = Lines(source[here..source.IndexOf("// The example ends.\n", here, StringComparison.Ordinal)])[1..];

        Assert.Equal(compiled, shown);
    }

    [Fact]
    public void Example_OnePersonWhoPasses_RaisesOneAlert()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        var catalog = new ModelCatalog(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);
        string photo = Path.Combine(folder, "photo.jpg"), clip = Path.Combine(folder, "clip.mp4");
        Ffmpeg("-i", catalog.SamplePath("@vladmandic/face-api", "demo/sample3.jpg"), "-vf", "crop=460:580:960:120", "-frames:v", "1", photo);
        Ffmpeg("-loop", "1", "-framerate", "25", "-i", photo, "-t", "2", "-vf", "scale=460:580", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", clip);
        var alerts = new List<string>();

        Example(catalog, photo, clip, alerts.Add, TestContext.Current.CancellationToken);

        Assert.StartsWith("entrance: person-1 with 0.", Assert.Single(alerts), StringComparison.Ordinal);
    }

    private static void Example(ModelCatalog catalog, string photo, string source, Action<string> tell, CancellationToken stopping)
    {
        // The example begins.
        using EngineModels models = EngineModels.Load(catalog);

        // A watchlist of one person. WatchlistFile.Write and WatchlistFile.Read keep it encrypted on disk.
        ModelManifest embedder = models.Embedder.Manifest;
        using var builder = new WatchlistBuilder("1", embedder.Id, embedder.Sha256, embedder.EmbeddingLength);
        using (var enroller = new WatchlistEnroller(models))
        using (VettedPhoto vetted = enroller.Vet(File.ReadAllBytes(photo)))
        {
            if (vetted.Verdict == PhotoVerdict.Rejected)
                throw new InvalidOperationException(string.Join("; ", vetted.Reasons));
            int person = builder.AddIdentity(new WatchlistIdentity("person-1", "Name", WatchlistCategory.Wanted));
            builder.AddTemplate(person, vetted.Template, vetted.Quality, vetted.Chip);
        }
        using Watchlist watchlist = builder.Build();
        using Gallery gallery = Gallery.Create(watchlist);

        // One camera: a file, a folder of pictures, a device or an address.
        CameraSettings[] cameras = [new("entrance", source)];
        CameraStatus[] statuses = [new("entrance")];
        var pipeline = new LivePipeline(models, gallery, new PipelineSettings { Thresholds = CategoryThresholds.Uniform(0.48f) });

        // Returns when the cameras have ended or stopping is signalled. No face data is left then except in alerts; the receiver of an alert disposes it.
        pipeline.Run(cameras, statuses, alert =>
        {
            using (alert)
                tell($"{alert.Camera}: {alert.Identity.Id} with {alert.Score:0.000}");
        }, new RunTotals(), stopping);
        // The example ends.
    }

    private static string[] Lines(string text) => [.. text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0)];

    private static void Ffmpeg(params string[] arguments)
    {
        using Process ffmpeg = Process.Start(new ProcessStartInfo("ffmpeg", ["-loglevel", "error", "-nostdin", "-y", .. arguments]) { RedirectStandardError = true })!;
        string errors = ffmpeg.StandardError.ReadToEnd();
        ffmpeg.WaitForExit();
        Assert.True(ffmpeg.ExitCode == 0, errors);
    }
}
