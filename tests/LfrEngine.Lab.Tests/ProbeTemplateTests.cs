using LfrEngine.Cli.Tests.Support;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Lab.Tests;

/// <summary>The laboratory searches with the templates that a camera makes: a brow judged covered is blanked, all others are those of a watchlist.</summary>
[Trait("Speed", "slow")]
public sealed class ProbeTemplateTests(Laboratory laboratory) : IDisposable
{
    private readonly EngineModels models = EngineModels.Load(ModelCatalog.Default);
    private readonly TemporaryFolder folder = new();

    public void Dispose()
    {
        models.Dispose();
        folder.Dispose();
    }

    [Fact]
    public void ExtractProbes_BlanksBrowsThatAreJudgedCoveredAndNothingElse()
    {
        FaceDataSet data = WithCaps(FaceDataSet.Read(laboratory.Faces, []));
        using var cache = TemplateCache.Open(folder["cache"], null, models);
        var extractor = new TemplateExtractor(models, cache);
        using TemplateSet listed = extractor.Extract(data, _ => { }, CancellationToken.None), probes = extractor.ExtractProbes(data, listed, _ => { }, CancellationToken.None);
        using TemplateSet again = extractor.ExtractProbes(data, listed, _ => { }, CancellationToken.None);
        using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
        int blanked = 0, kept = 0;
        float[] expected = new float[listed.Length];
        for (int i = 0; i < listed.Count; i++)
        {
            bool isBlanked = listed.Outcomes[i].Cover.Parts == FaceCover.Brow;
            (blanked, kept) = isBlanked ? (blanked + 1, kept) : (blanked, kept + 1);
            Assert.Equal(listed.Outcomes[i], probes.Outcomes[i]);
            Assert.Equal(!isBlanked, listed[i].SequenceEqual(probes[i]));
            // The cache keeps the two templates of an image apart.
            Assert.True(again[i].SequenceEqual(probes[i]));
            using HostBuffer<byte> file = TemplateExtractor.ReadFile(data.Samples[i].Path, out _)!;
            using MediaFrame picture = MediaReader.ReadPicture(file.Span);
            TemplateExtractor.Embed(analyzer, FrameLease.ViewOf(picture), expected, isBlanked ? BrowTreatment.Blank : BrowTreatment.Kept);
            Assert.True(probes[i].SequenceEqual(expected), data.Samples[i].Name);
        }
        Assert.True(blanked >= 3 && kept >= 3, $"{blanked} blanked, {kept} kept.");
    }

    [Fact]
    public void ExtractStrata_CoverNotKnown_BlanksAsTheEngineJudges()
    {
        FaceDataSet data = FaceDataSet.Read(laboratory.Faces, []);
        Stratum cap = Stratum.All.Single(s => s.Name == "cap");
        using TemplateSet known = new StratumExtractor(models, null, 1, isCoverKnown: true).Extract(data.Samples, [cap], _ => { }, CancellationToken.None);
        using TemplateSet judged = new StratumExtractor(models, null, 1, isCoverKnown: false).Extract(data.Samples, [cap], _ => { }, CancellationToken.None);
        int covered = 0;
        for (int i = 0; i < known.Count; i++)
        {
            if (!known.IsAcquired(i))
                continue;
            bool isCovered = judged.Outcomes[i].Cover.Parts == FaceCover.Brow;
            covered += isCovered ? 1 : 0;
            Assert.Equal(isCovered, known[i].SequenceEqual(judged[i]));
        }
        Assert.True(covered >= 3, $"{covered} caps were seen.");
    }

    // Every second picture with a cap drawn on it.
    private FaceDataSet WithCaps(FaceDataSet data)
    {
        using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
        Stratum cap = Stratum.All.Single(s => s.Name == "cap");
        Directory.CreateDirectory(folder["caps"]);
        return new FaceDataSet([.. data.Samples.Select((sample, i) => i % 2 == 0 ? sample : sample with { Path = Drawn(sample, i) })], data.GroupColumns);

        string Drawn(Sample sample, int number)
        {
            using HostBuffer<byte> file = TemplateExtractor.ReadFile(sample.Path, out _)!;
            using MediaFrame picture = MediaReader.ReadPicture(file.Span);
            FrameView view = FrameLease.ViewOf(picture);
            ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
            using StillFace? face = analyzer.Embed(view, TemplateExtractor.NearestToCentre(faces, view));
            using var plain = new Picture(view.Width, view.Height);
            plain.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, view.Width);
            using Picture covered = cap.Apply(plain, face!.Landmarks.Points, SeededRandom.For(1, sample.Name));
            using HostBuffer<byte> jpeg = covered.EncodeJpeg(92, out int bytes);
            string path = folder[$"caps/{number}.jpg"];
            File.WriteAllBytes(path, jpeg.Span[..bytes]);
            return path;
        }
    }
}
