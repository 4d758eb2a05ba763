using System.Text.Json.Serialization;

namespace LfrEngine.Matching;

/// <summary>How one embedder's scores of probes with one cover become comparable with those of uncovered ones. Measured by <c>lfr-lab cover-scale</c>.</summary>
/// <param name="Cover">Of the probe.</param>
/// <param name="Mean">Mean of the scores of different people, before anything is subtracted.</param>
/// <param name="Deviation">Their standard deviation.</param>
/// <param name="Slope">Of the line that leads to the scores of uncovered probes; above 0.</param>
/// <param name="Offset">Of that line.</param>
/// <param name="Evidence">Data, protocol and error rates.</param>
public sealed record CoverScale(FaceCover Cover, float Mean, float Deviation, float Slope, float Offset, string Evidence)
{
    /// <summary>Whether every number is one, and the order of scores is kept.</summary>
    [JsonIgnore]
    public bool IsUsable => Cover is > FaceCover.None and <= (FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow)
        && float.IsFinite(Mean) && float.IsFinite(Offset) && float.IsFinite(Slope) && float.IsFinite(Deviation) && Slope > 0 && Deviation > 0;
}
