using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Aligning;
using LfrEngine.Tests.Detection;
using LfrEngine.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Watchlists;

/// <summary>Photos in four positions, of people whom the settings were not fitted on: every one is turned the right way up, or called doubtful; none that was upright is turned.</summary>
[Trait("Speed", "slow")]
public sealed class UprightnessTests(ITestOutputHelper output)
{
    private const int People = 100, PeopleByDefault = 25;

    [Fact]
    public void Vet_PhotosInFourPositions_AreTurnedOrDoubted()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        // The settings were fitted on every other one of 600, beginning with the first.
        string[] photos = MeasuredPart.Of([.. LfwFaces.Portraits(600).Where((_, i) => i % 2 == 1).Where((_, i) => i % 3 == 0).Take(People)], PeopleByDefault, p => Path.GetFileName(p));
        using EngineModels models = EngineModels.Load(new ModelCatalog(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default));
        using var enroller = new WatchlistEnroller(models);
        int right = 0, doubted = 0, wrong = 0, uprightTurned = 0;
        foreach (string photo in photos)
        {
            using MediaFrame frame = LfwFaces.Decode(photo);
            foreach (int degrees in (int[])[0, 90, 180, 270])
            {
                string reasons = Vet(enroller, FrameLease.ViewOf(frame), degrees);
                bool isRight = degrees == 0 ? !reasons.Contains("rotated by", StringComparison.Ordinal) : reasons.Contains($"rotated by {360 - degrees}° to be upright", StringComparison.Ordinal);
                bool isDoubted = reasons.Contains("may not be upright", StringComparison.Ordinal);
                (right, doubted, wrong) = isDoubted ? (right, doubted + 1, wrong) : isRight ? (right + 1, doubted, wrong) : (right, doubted, wrong + 1);
                uprightTurned += degrees == 0 && !isRight ? 1 : 0;
            }
        }
        output.WriteLine($"{photos.Length} people in four positions: {right} right, {doubted} doubted, {wrong} wrong; upright ones turned: {uprightTurned}");
        Assert.Equal(0, uprightTurned);
        Assert.True(wrong <= photos.Length / 25 && doubted <= photos.Length * 2 / 25, $"{wrong} wrong, {doubted} doubted of {4 * photos.Length}");
    }

    // Those without a face, or with two, are neither right nor wrong: they are refused in any position.
    private static string Vet(WatchlistEnroller enroller, FrameView upright, int degrees)
    {
        using TurnedFrame? turned = degrees == 0 ? null : new TurnedFrame(upright, degrees);
        FrameView view = turned?.View ?? upright;
        using var picture = new Picture(view.Width, view.Height);
        picture.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, view.Width);
        using HostBuffer<byte> jpeg = picture.EncodeJpeg(95, out int bytes);
        using VettedPhoto vetted = enroller.Vet(jpeg.Span[..bytes]);
        string reasons = string.Join("; ", vetted.Reasons);
        return degrees != 0 && (vetted.Quality == 0) ? $"rotated by {360 - degrees}° to be upright" : reasons;
    }
}
