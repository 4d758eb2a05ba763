using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Result for one photo, with its faces if there are several and none was chosen.</summary>
internal sealed record PhotoReport(string Id, string Photo, string Verdict, float Quality, string[] Reasons, PhotoFace[]? Faces = null)
{
    /// <summary>The verdict on a photo that cannot be used.</summary>
    public const string Rejected = "rejected";
}
