using LfrEngine.Watchlists;
using Microsoft.AspNetCore.Components.Forms;

namespace LfrEngine.Web.Watchlists;

/// <summary>A photo with several faces that somebody is to choose from.</summary>
/// <param name="Person">Whose photo it is.</param>
/// <param name="File">In the browser, until other files are chosen for this person.</param>
/// <param name="Index">Of the file among those chosen.</param>
public sealed record FaceChoice(Guid Person, IBrowserFile File, int Index)
{
    /// <summary>What the photo came to without a choice.</summary>
    public Guid Photo { get; init; }

    /// <summary>The faces.</summary>
    public PhotoFaces Faces { get; init; } = new(1, 1, []);
}
