using LfrEngine.Records.Watchlists;
using Microsoft.Extensions.Logging.Abstractions;

namespace LfrEngine.Cli.Commands;

/// <summary>Creates a photo vetter for a command's models.</summary>
internal static class PhotoVetters
{
    /// <summary>A child process that judges photos with them. It starts with the first photo; the caller ends it.</summary>
    /// <param name="models">The options.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="sealedFaces">Whether its photos are the face pictures of a watchlist.</param>
    public static PhotoVetter Vetter(this ModelOptions models, ParseResult parsed, bool sealedFaces = false) =>
        new(NullLogger<PhotoVetter>.Instance, models.Detector(parsed), models.Embedder(parsed), sealedFaces);
}
