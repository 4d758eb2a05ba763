using LfrEngine.Evaluation.Evidence;

namespace LfrEngine.Programs;

/// <summary>The laboratory's evidence on disk, signed: a threshold may only be used where its error rates have been measured.</summary>
internal static class EvidenceFile
{
    public static readonly SignedKind Kind = new(EvidenceDocument.Property, EvidenceDocument.Kind, "Give another place with --evidence.");

    /// <summary>Signs and writes.</summary>
    /// <exception cref="CommandFailure">It cannot be written.</exception>
    public static void Write(string path, EvidenceDocument evidence, InstallationKey key) => SignedDocument.Write(path, Kind, evidence.ToJson(), key);

    /// <summary>Reads, and checks that the laboratory signed it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="trustedPem">Public key of the laboratory's installation.</param>
    /// <exception cref="CommandFailure">It is damaged, altered, signed by another key, or in an unknown format.</exception>
    public static EvidenceDocument Verify(string path, string trustedPem) => SignedDocument.Checked(path, file => EvidenceDocument.Read(file, path, trustedPem));
}
