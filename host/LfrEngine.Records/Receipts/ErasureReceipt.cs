using System.Text.Json;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Receipts;

/// <summary>What a run erased, how fast, and by which build: signed by the key of the installation.</summary>
/// <remarks>
/// The file is <c>{"receipt": {…}, "publicKey": "PEM", "signature": "base64"}</c>; the signature (ECDSA P-256, SHA-256) covers the UTF-8 text of
/// the value of <c>receipt</c> exactly as in the file.
/// </remarks>
internal sealed record ErasureReceipt(int FormatVersion, string? Run, DateTimeOffset StartedAt, DateTimeOffset EndedAt, Guid WatchlistId, string[] Cameras,
    long Frames, long FramesDropped, long FacesSeen, long ShotsCompared, int Alerts, LifetimeReport Lifetimes, ErasureReport Erased,
    Dictionary<string, string> BuildSha256, Dictionary<string, string> ModelSha256)
{
    public const int CurrentFormat = 1;

    public static readonly SignedKind Kind = new("receipt", "erasure receipt", "Give another place with --receipt.");

    /// <summary>The receipt of a run.</summary>
    /// <param name="report">Summary of the run.</param>
    /// <param name="startedAt">When it began.</param>
    /// <param name="endedAt">When everything was wiped.</param>
    /// <param name="watchlist">The watchlist that was searched.</param>
    /// <param name="models">The networks it ran on.</param>
    public static ErasureReceipt Of(RunReport report, DateTimeOffset startedAt, DateTimeOffset endedAt, Guid watchlist, EngineModels models)
    {
        return new ErasureReceipt(CurrentFormat, report.Run, startedAt, endedAt, watchlist, [.. report.Cameras.Select(c => c.Name)], report.Frames, report.FramesDropped, report.FacesSeen,
            report.ShotsCompared, report.Alerts, report.Lifetimes, report.Erased, BuildHashes.Read(), models.All.ToDictionary(m => m.Manifest.Id, m => m.Manifest.Sha256));
    }

    /// <summary>The receipt as a file, signed.</summary>
    public string Sign(InstallationKey key) => SignedDocument.Sign(Kind, JsonSerializer.Serialize(this, ReceiptJson.Lines.ErasureReceipt), key);

    /// <summary>Reads a receipt and checks its signature.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedPem">Public key that must have signed it.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, or signed by another key.</exception>
    public static ErasureReceipt Verify(string path, string trustedPem) => SignedDocument.Checked(path, file => Verify(file, path, trustedPem));

    /// <summary>Checks the bytes of a receipt.</summary>
    /// <param name="file">Borrowed.</param>
    /// <param name="name">Of the file, for messages.</param>
    /// <param name="trustedPem">Public key that must have signed it.</param>
    /// <exception cref="SignedFileException">It is damaged, altered, or signed by another key.</exception>
    /// <exception cref="CommandFailure">It is signed and incomplete.</exception>
    public static ErasureReceipt Verify(ReadOnlyMemory<byte> file, string name, string trustedPem)
    {
        ErasureReceipt receipt = SignedFile.Read(file, name, Kind.Property, Kind.Name, trustedPem, ReceiptJson.Lines.ErasureReceipt);
        // The reader leaves omitted properties null.
        return receipt is { Cameras: not null, BuildSha256: not null, ModelSha256: not null, Erased: not null,
            Lifetimes: { Frame: not null, Tensor: not null, Crop: not null, Embedding: not null, Activation: not null, AfterVerdict: not null } }
            ? receipt
            : throw new CommandFailure(ExitCode.Input, $"{name} is signed, but a part of the erasure receipt is missing.");
    }
}

/// <summary>Lifetimes of each kind of biometric buffer, and whether any exceeded the deadline.</summary>
internal sealed record LifetimeReport(LatencyReport Frame, LatencyReport Tensor, LatencyReport Crop, LatencyReport Embedding, LatencyReport Activation, LatencyReport AfterVerdict, int DeadlineMs, long DeadlineBreaches)
{
    public static LifetimeReport From(ErasureClock clock) => new(
        LatencyReport.From(clock.Frame), LatencyReport.From(ErasureClock.Tensor), LatencyReport.From(clock.Crop), LatencyReport.From(clock.Embedding),
        LatencyReport.From(ErasureClock.Activation), LatencyReport.From(clock.AfterVerdict), ErasureClock.DeadlineMs, clock.DeadlineBreaches);
}
