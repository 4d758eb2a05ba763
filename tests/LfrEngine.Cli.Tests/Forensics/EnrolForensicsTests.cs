using System.Diagnostics;
using System.Runtime.InteropServices;
using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Native.Tests.Forensics;
using LfrEngine.Pipeline;
using LfrEngine.Records.Watchlists;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Forensics;

/// <summary>The program that judges photos has answered and waits for the next one: nothing of the last photo, and nothing that was drawn on it, is left in its memory.</summary>
/// <remarks>What is searched for is made by this process from the same photo on the same code path: drawn pictures, crops, embeddings. The photo bears noise that no other has. The positive control is the same program built without its wipes.</remarks>
[Trait("Speed", "slow")]
public sealed class EnrolForensicsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lfr-enrol-forensics-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Vet_PhotoWithCoversDrawn_LeavesNoByteOfItInMemory()
    {
        MemoryScan scan = ScanAfterPhoto(ForensicMaterial.Program);

        Assert.True(scan.Hits == 0, scan.ToString());
    }

    [Fact]
    public void Vet_BuiltWithoutWipes_IsFoundOut()
    {
        MemoryScan scan = ScanAfterPhoto(ForensicMaterial.ProgramWithoutWipes.Value);

        foreach (string kind in (string[])["drawn picture", "covered crop", "covered template"])
            Assert.True(scan.Of(kind) > 0, $"no {kind} was found: the search would not notice one. {scan}");
    }

    private MemoryScan ScanAfterPhoto(string program)
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("Reads /proc, which only Linux has.");
        byte[] photo = Photo();
        NeedleSet needles = Needles(photo);
        Assert.True(needles.Count > 1000, $"{needles.Count} needles prove nothing.");
        var start = new ProcessStartInfo("dotnet", [program, "vet"]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["GLIBC_TUNABLES"] = LfrEngine.Native.Hardening.ProcessHardening.Tunables;
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using Process child = Process.Start(start)!;
        try
        {
            child.BeginErrorReadLine();
            Assert.True(child.StandardOutput.BaseStream.ReadByte() is VetChannel.Ready or VetChannel.ReadyOpen);
            VetChannel.WriteRequest(child.StandardInput.BaseStream, photo, null);
            child.StandardInput.BaseStream.Flush();
            using (VettedPhoto vetted = VetChannel.ReadAnswer(child.StandardOutput.BaseStream, 512))
                Assert.Equal(1 + CoveredTemplateMaker.Covers.Count, vetted.Templates?.Count);
            // The answer is written before the photo is released; when the child waits for more, it has been released.
            VetChannel.WriteRequest(child.StandardInput.BaseStream, [1, 2, 3], null);
            child.StandardInput.BaseStream.Flush();
            using (VettedPhoto next = VetChannel.ReadAnswer(child.StandardOutput.BaseStream, 512))
                Assert.Equal(PhotoVerdict.Rejected, next.Verdict);
            MemoryScan scan = MemoryScanner.Scan(child.Id, needles);
            TestContext.Current.TestOutputHelper?.WriteLine($"{needles.Count} needles; {scan}");
            return scan;
        }
        finally
        {
            child.Kill();
            child.WaitForExit();
        }
    }

    // A face of the demonstration, large, under noise.
    private byte[] Photo()
    {
        string path = Path.Combine(folder, "photo.jpg");
        ForensicMaterial.Run("ffmpeg", "-loglevel", "error", "-nostdin", "-i", ModelCatalog.Default.SamplePath("@vladmandic/face-api", "demo/sample6.jpg"),
            "-vf", "crop=400:560:150:360,noise=alls=10:all_seed=9173", "-frames:v", "1", path);
        return File.ReadAllBytes(path);
    }

    private static unsafe NeedleSet Needles(byte[] photo)
    {
        var needles = new NeedleSet();
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
        using var maker = new CoveredTemplateMaker(models);
        using MediaFrame decoded = MediaReader.ReadPicture(photo);
        FrameView view = FrameLease.ViewOf(decoded);
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        Assert.False(faces.IsEmpty);
        FaceBox box = faces[0].Box;
        int seed = CoveredTemplateMaker.SeedOf(photo);
        using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
        for (int i = 0; i < CoveredTemplateMaker.Covers.Count; i++)
        {
            using Picture? drawn = maker.Draw(view, box, i, seed, out FaceBox inside);
            Assert.NotNull(drawn);
            needles.Add("drawn picture", new ReadOnlySpan<byte>(drawn.View.Y, drawn.Width * drawn.Height), step: 128);
            Assert.True(maker.TryAlign(drawn.View, inside, i, crop.Pointer));
            needles.Add("covered crop", MemoryMarshal.AsBytes(crop.Span), step: 512);
        }
        using HostBuffer<float> templates = BufferPool.Rent<float>(CoveredTemplateMaker.Covers.Count * 512);
        Assert.True(maker.TryMake(view, box, seed, templates.Span));
        needles.Add("covered template", MemoryMarshal.AsBytes(templates.Span), step: 8);
        for (int row = 0; row < decoded.Info.RowCount(0); row += 8)
            needles.Add("photo", decoded.Row(0, row), step: 128);
        return needles;
    }
}
