using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>A vetted photo of a person: cropped to the face, re-encoded, encrypted.</summary>
public sealed class PhotoRecord
{
    public Guid Id { get; set; }

    public Guid PersonId { get; set; }

    /// <summary>Sealed JPEG of the face with its surroundings, 256×256; empty when the photo was rejected.</summary>
    public required byte[] SealedPicture { get; set; }

    /// <summary>Sealed templates (<see cref="PhotoTemplates.Write"/>); empty when the photo was rejected.</summary>
    public required byte[] SealedTemplate { get; set; }

    /// <summary>Hash of the embedder that made the templates.</summary>
    public required string EmbedderSha256 { get; set; }

    public DateOnly? TakenOn { get; set; }

    public PhotoVerdict Verdict { get; set; }

    /// <summary>Reasons of the verdict, separated by semicolons.</summary>
    public required string Reasons { get; set; }

    /// <summary>0…1.</summary>
    public float Quality { get; set; }
}
