using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Components.Forms;

namespace LfrEngine.Web.Watchlists;

/// <summary>A photo with several faces, from which the officer chooses one.</summary>
/// <param name="Person">Whose photo it is.</param>
/// <param name="File">The browser keeps it until other files are chosen for this person.</param>
/// <param name="Index">Index of the file among those chosen.</param>
public sealed record FaceChoice(Guid Person, IBrowserFile File, int Index)
{
    /// <summary>Result for the photo without a choice.</summary>
    public Guid Photo { get; init; }

    /// <summary>The faces.</summary>
    public PhotoFaces Faces { get; init; } = new(1, 1, []);
}
