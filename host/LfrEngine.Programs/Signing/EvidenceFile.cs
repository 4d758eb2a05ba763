using System.Text.Json;
using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Programs;

/// <summary>The laboratory's evidence on disk, signed: a threshold may only be used where its error rates have been measured.</summary>
internal static class EvidenceFile
{
    private static readonly SignedKind Kind = new("evidence", "evidence file", "Give another place with --evidence.");

    /// <summary>Signs and writes.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static void Write(string path, EvidenceDocument evidence, InstallationKey key) => SignedDocument.Write(path, Kind, JsonSerializer.Serialize(evidence, SignedJson.Lines.EvidenceDocument), key);

    /// <summary>Reads, and checks that the laboratory signed it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedPem">Public key of the laboratory's installation.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, signed by another key, or in an unknown format.</exception>
    public static EvidenceDocument Verify(string path, string trustedPem)
    {
        EvidenceDocument evidence = SignedDocument.Read(path, Kind, trustedPem, SignedJson.Lines.EvidenceDocument);
        if (evidence.FormatVersion != EvidenceDocument.CurrentFormat)
            throw new CommandFailure(ExitCode.Input, $"{path} is of format {evidence.FormatVersion}; this program reads {EvidenceDocument.CurrentFormat}.");
        // The reader leaves omitted properties null.
        bool whole = (evidence is { Protocol: not null, EmbedderId: not null, EmbedderSha256: not null, ModelSha256: not null, BuildSha256: not null, DataSha256: not null, Points: not null }
            && evidence.Points.All(p => p is { Groups: not null, GallerySize: > 0, Fpir: >= 0 and <= 1, Tpir: >= 0 and <= 1 } && p.Groups.All(g => g is { Column: not null, Group: not null })))
            && evidence.Calibration is null or { IsUsable: true };
        return whole ? evidence : throw new CommandFailure(ExitCode.Input, $"{path} is signed, but a part of it is missing or a rate is not valid. Ask the laboratory for a new file.");
    }
}
