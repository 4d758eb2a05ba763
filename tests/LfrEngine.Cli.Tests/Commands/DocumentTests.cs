using System.Text;
using System.Text.Json;
using LfrEngine.Cli.Commands;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Calibration;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Matching;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Receipts;
using LfrEngine.Records.Watchlists;
using LfrEngine.Tests.Shared;
using LfrEngine.Watchlists;

namespace LfrEngine.Cli.Tests.Commands;

/// <summary>Documents that the host reads: whatever the bytes, an answer or a sentence that names the file.</summary>
[Trait("Speed", "slow")]
public sealed class DocumentTests : IDisposable
{
    private static readonly LatencyReport s_latency = new(1, 2, 3, 4);
    private static readonly ErasureReceipt s_receipt = new(1, "20260514T093012-k3f9x2", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, Guid.Empty, ["gate"], 1, 2, 3, 4, 5,
        new LifetimeReport(s_latency, s_latency, s_latency, s_latency, s_latency, s_latency, 500, 0), new ErasureReport(1, 2, 3, 0, 0), new() { ["lfr.dll"] = "00" }, new() { ["model"] = "11" });
    private static readonly EvidenceDocument s_evidence = new(EvidenceDocument.CurrentFormat, DateTimeOffset.UnixEpoch, "identify", "embedder", "22", new Dictionary<string, string> { ["model"] = "33" },
        new Dictionary<string, string> { ["lfr.dll"] = "44" }, "55", 1, [new OperatingPoint(100, 0.4, 0.01, 0.01, 0.005, 0.02, 10, 1000, 0.9, 0.85, 0.95, 90, 100, [new GroupRates("sex", "f", 0.01, 0, 0.02, 1, 100, 0.9, 0.8, 1, 9, 10)])],
        new ScoreCalibration(ScoreCalibration.CurrentFormat, [new CoverCalibration(FaceCover.None, false, [new([], -4.5), new(["score"], 22), new(["logListSize"], -0.9), new(["lowerFaceCovered", "score"], 3)], -3, 9, 500),
            new CoverCalibration(FaceCover.LowerFace | FaceCover.Brow, true, [new([], -4), new(["score from 0.1 to 0.4"], 8), new(["logListSize"], -0.9)], -2, 7, 200)], 300,
            [new CalibrationMeasure("all", null, 900, 1000, 0.08, 0.06, 0.1, 0.07)]));

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Receipt_AnyBytes_IsReadOrRefusedInASentence()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        using (ReceiptFile place = ReceiptFile.Take(folder["receipt.json"], s_receipt.Run!))
            place.Write(s_receipt.Sign(key));
        Check(path => Assert.NotNull(ErasureReceipt.Verify(path, key.PublicPem).Lifetimes.AfterVerdict), File.ReadAllBytes(folder["receipt.json"]));
    }

    [Fact]
    public void Receipt_AnyTextThatIsSigned_IsReadOrRefusedInASentence()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        CheckSigned(key, "receipt", path =>
        {
            ErasureReceipt read = ErasureReceipt.Verify(path, key.PublicPem);
            Assert.True((read.Lifetimes.AfterVerdict.Count, read.Erased.FrameBuffersHeld, read.Cameras.Length) != default);
        }, JsonSerializer.Serialize(s_receipt, ReceiptJson.Lines.ErasureReceipt));
    }

    [Fact]
    public void Evidence_AnyBytes_IsReadOrRefusedInASentence()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        EvidenceFile.Write(folder["evidence.json"], s_evidence, key);
        Check(path => Assert.Single(EvidenceFile.Verify(path, key.PublicPem).Points), File.ReadAllBytes(folder["evidence.json"]));
    }

    [Fact]
    public void Evidence_AnyTextThatIsSigned_IsReadOrRefusedInASentence()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        CheckSigned(key, "evidence", path =>
        {
            EvidenceDocument read = EvidenceFile.Verify(path, key.PublicPem);
            if (read.Find(0.4, 100) is { } point && EvidenceDocument.Expect(point, 100, 1000) is { } expected)
                Assert.True(double.IsFinite(expected.Mean));
            if (read.CalibrationFor(read.EmbedderSha256)?.Of(new ComparisonTraits(0.6, new CoverJudgement(1, 0, 1), true, 30, 0.8, 100)) is { } ratio)
                Assert.True(double.IsFinite(ratio.Log10));
            Assert.NotEmpty(EvidenceWords.Calibration(read, 100));
        }, s_evidence.ToJson());
    }

    [Fact]
    public void Evidence_CalibrationChanged_IsRefused()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        EvidenceFile.Write(folder["evidence.json"], s_evidence, key);
        string text = File.ReadAllText(folder["evidence.json"]);
        Assert.Equal(s_evidence.Calibration!.Covers[0].Terms.Select(t => t.Weight), EvidenceFile.Verify(folder["evidence.json"], key.PublicPem).CalibrationFor("22")!.Covers[0].Terms.Select(t => t.Weight));

        foreach ((string measured, string wished) in ((string, string)[])[("\"weight\":22", "\"weight\":44"), ("\"highest\":9", "\"highest\":19"), ("\"largestList\":300", "\"largestList\":900"), ("\"cllr\":0.08", "\"cllr\":0.01")])
        {
            File.WriteAllText(folder["evidence.json"], text.Replace(measured, wished, StringComparison.Ordinal));
            Assert.Contains("has been altered", Assert.Throws<CommandFailure>(() => EvidenceFile.Verify(folder["evidence.json"], key.PublicPem)).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>As laboratories wrote it before there were calibrations, and as a later one may.</summary>
    [Fact]
    public void Evidence_CalibrationOfNoKnownKind_IsReadWithoutOne()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        EvidenceFile.Write(folder["older.json"], s_evidence with { Calibration = null }, key);
        EvidenceFile.Write(folder["later.json"], s_evidence with { Calibration = s_evidence.Calibration! with { FormatVersion = 3, Covers = [new CoverCalibration(FaceCover.None, false, [new(["shoeSize"], 1)], 0, 1, 1)] } }, key);
        Assert.DoesNotContain("calibration", File.ReadAllText(folder["older.json"]), StringComparison.OrdinalIgnoreCase);

        foreach (string file in (string[])["older.json", "later.json"])
        {
            EvidenceDocument read = EvidenceFile.Verify(folder[file], key.PublicPem);
            Assert.Null(read.CalibrationFor("22"));
            Assert.NotNull(read.Find(0.4, 100));
            Assert.StartsWith("Not calibrated", EvidenceWords.Calibration(read, 100), StringComparison.Ordinal);
        }
        // What a known format does not allow is no evidence, whoever signed it.
        EvidenceFile.Write(folder["broken.json"], s_evidence with { Calibration = s_evidence.Calibration! with { Covers = [new CoverCalibration(FaceCover.None, false, [new(["shoeSize"], 1)], 0, 1, 1)] } }, key);
        Assert.Throws<CommandFailure>(() => EvidenceFile.Verify(folder["broken.json"], key.PublicPem));
        Assert.Null(s_evidence.CalibrationFor("another embedder"));
    }

    [Fact]
    public void Configuration_AnyBytes_IsReadOrRefusedInASentence() => Check(path => Assert.NotEmpty(ConfigFile.Read(path).Config.Name), Encoding.UTF8.GetBytes("""
        {
          // For people.
          "name": "Van 7", "data": "data", "listen": ["https://localhost:8443"], "cameras": [{ "name": "gate", "source": "a.mp4", "pace": "max" }],
          "engine": { "detectEveryMs": 100, "workers": 2 }, "watchlist": { "wanted": { "maximumPeople": 10 } }, "retention": { "alertHours": 1.5 },
          "mqtt": { "broker": "mqtt://hq:1883", "topic": "lfr" }, "laboratories": [], "vans": {}
        }
        """), "{ \"name\": \"\\ud83d\\ude00\", \"data\": \"\\u0000\", \"laboratories\": [\"\\u0000\"] }"u8.ToArray());

    [Fact]
    public void Configuration_HalfASurrogate_IsRefusedInASentence()
    {
        File.WriteAllText(folder["lfr.json"], """{ "name": "\ud800" }""");

        Assert.Contains(folder["lfr.json"], Assert.Throws<CommandFailure>(() => ConfigFile.Read(folder["lfr.json"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TrustedPem_AnyBytes_IsAKeyOrASentence()
    {
        using InstallationKey key = InstallationKey.Open(folder["key.pem"]);
        Check(path => Assert.NotEmpty(SignedDocument.TrustedPem(path)), Encoding.UTF8.GetBytes(key.PublicPem));
    }

    [Fact]
    public void VettedPhoto_AnyBytes_IsAnAnswerOrRefused()
    {
        byte[] accepted =
        [
            (byte)PhotoVerdict.Accepted, .. BitConverter.GetBytes(0.9f), .. BitConverter.GetBytes(2), .. "ok"u8, .. BitConverter.GetBytes(4), 0xFF, 0xD8, 0xFF, 0,
            .. BitConverter.GetBytes(8), .. BitConverter.GetBytes(0.6f), .. BitConverter.GetBytes(0.8f),
            24, 0, 0, 0, 100, 0, 0, 0, 80, 0, 0, 0, 10, 0, 0, 0, 20, 0, 0, 0, 50, 0, 0, 0, 70, 0, 0, 0,
        ];
        AnyBytes.AreAnAnswerOrASentence(
            bytes =>
            {
                using VettedPhoto photo = VetChannel.ReadAnswer(new MemoryStream(bytes), 2);
                Assert.InRange(photo.Quality, 0, 1);
                foreach (float value in photo.Template)
                    Assert.True(float.IsFinite(value));
            },
            e => e is EndOfStreamException or InvalidDataException,
            accepted, [(byte)PhotoVerdict.Rejected, .. BitConverter.GetBytes(0.1f), .. BitConverter.GetBytes(1), 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    private void CheckSigned(InstallationKey key, string property, Action<string> read, string text) => AnyBytes.AreAnAnswerOrASentence(
        bytes =>
        {
            string changed = Encoding.UTF8.GetString(bytes);
            File.WriteAllText(folder["document"], SignedDocument.Compose(new SignedKind(property, property, ""), changed, key.PublicPem, Convert.ToBase64String(key.Sign(Encoding.UTF8.GetBytes(changed)))));
            read(folder["document"]);
        },
        e => e is CommandFailure && e.Message.Contains(folder["document"], StringComparison.Ordinal),
        Encoding.UTF8.GetBytes(text));

    private void Check(Action<string> read, params byte[][] documents) => AnyBytes.AreAnAnswerOrASentence(
        bytes =>
        {
            File.WriteAllBytes(folder["document"], bytes);
            read(folder["document"]);
        },
        e => e is CommandFailure && e.Message.Contains(folder["document"], StringComparison.Ordinal),
        documents);
}
