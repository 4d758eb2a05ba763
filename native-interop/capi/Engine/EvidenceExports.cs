using System.Security.Cryptography;
using LfrEngine.CApi.Interop;
using LfrEngine.Evaluation.Evidence;
using LfrEngine.Files;
using LfrEngine.Models;

namespace LfrEngine.CApi.Engine;

/// <summary>The function of lfr_engine.h under "Evidence"; see there for its contract.</summary>
internal static unsafe class EvidenceExports
{
    private const int MostBytes = 16 << 20, MostPeople = 10_000_000;

    [UnmanagedCallersOnly(EntryPoint = "lfr_evidence_check", CallConvs = [typeof(CallConvCdecl)])]
    public static int CheckEvidence(nint engine, byte* bytes, long sizeBytes, byte* publicKey, float threshold, int people, long passersBy, EvidenceData* evidence) => Call.On<EngineObject>(engine, HandleKind.Engine, target =>
    {
        Check.Sized(evidence, "evidence");
        Check.Given(bytes, "bytes");
        Check.Range(sizeBytes, 1, MostBytes, "size_bytes");
        string trusted = Text.Read(publicKey, "public_key");
        try
        {
            SignedFile.KeyFrom(trusted).Dispose();
        }
        catch (CryptographicException e)
        {
            throw Check.Bad($"public_key cannot be used: {e.Message}");
        }
        if (!(threshold is >= -1 and <= 1))
            throw Check.Bad($"threshold is {threshold}, not -1 to 1; 0 for the embedder's measured one.");
        Check.Range(people, 1, MostPeople, "people");
        Check.Range(passersBy, 0, long.MaxValue, "passers_by");
        EvidenceDocument read = EvidenceDocument.Read(new ReadOnlySpan<byte>(bytes, (int)sizeBytes).ToArray(), "The evidence", trusted);
        RequireModels(read, target);
        float asked = threshold == 0 ? target.DefaultThreshold : threshold;
        if (read.Find(asked, people) is not { } point)
            throw new StatusException(Status.NotMeasured, FormattableString.Invariant($"The evidence has no measurement at threshold {asked}; it has {string.Join(", ", read.Points.Select(p => p.Threshold).Distinct().Order().Take(10))}."));
        if (EvidenceDocument.Expect(point, people, passersBy) is not { } expected)
            throw new StatusException(Status.NotMeasured, FormattableString.Invariant($"The evidence was measured with {point.GallerySize} people enrolled, which covers lists of up to {EvidenceDocument.LargestCovered(point)}; yours has {people}."));
        *evidence = new EvidenceData
        {
            StructSize = evidence->StructSize,
            GallerySize = point.GallerySize,
            Fpir = point.Fpir,
            FpirLow = point.FpirLow,
            FpirHigh = point.FpirHigh,
            Tpir = point.Tpir,
            TpirLow = point.TpirLow,
            TpirHigh = point.TpirHigh,
            FalsePositives = point.FalsePositives,
            NonMated = point.NonMated,
            TruePositives = point.TruePositives,
            Mated = point.Mated,
            ExpectedLow = expected.Low,
            ExpectedHigh = expected.High,
            ExpectedMean = expected.Mean,
            MadeUnixUs = (read.MadeAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
            IsCalibrated = read.CalibrationFor(target.Embedder.Sha256) is { } calibration && calibration.Carries(people) ? 1 : 0,
        };
        Text.Copy(read.Protocol, evidence->Protocol, Rooms.Protocol);
    });

    // The rates are those of all networks together: another detector finds other faces.
    private static void RequireModels(EvidenceDocument evidence, EngineObject engine)
    {
        if (evidence.EmbedderSha256 != engine.Embedder.Sha256)
            throw new StatusException(Status.ForeignModel, $"The evidence was measured with the embedder {evidence.EmbedderId}, in another state than the engine's {engine.Embedder.Id}.");
        foreach (OnnxModel model in engine.Models.All)
        {
            if (evidence.ModelSha256.GetValueOrDefault(model.Manifest.Id) != model.Manifest.Sha256)
                throw new StatusException(Status.ForeignModel, $"The evidence was not measured with the engine's {model.Manifest.Id}.");
        }
    }
}
