using System.Text.Json.Serialization;

namespace LfrEngine.Matching;

/// <summary>Converts one embedder's scores of probes with one kind of cover to the scale of uncovered probes. Measured with <c>lfr-lab cover-scale</c>.</summary>
/// <param name="Cover">Covered parts of the probe.</param>
/// <param name="Mean">Mean of the scores of different people, before anything is subtracted.</param>
/// <param name="Deviation">Their standard deviation.</param>
/// <param name="Slope">Slope of the line to the scale of uncovered probes; above 0.</param>
/// <param name="Offset">Offset of that line.</param>
/// <param name="Evidence">Data, protocol and error rates.</param>
public sealed record CoverScale(FaceCover Cover, float Mean, float Deviation, float Slope, float Offset, string Evidence)
{
    /// <summary>Whether all numbers are finite and the order of scores is preserved.</summary>
    [JsonIgnore]
    public bool IsUsable => Cover is > FaceCover.None and <= (FaceCover.LowerFace | FaceCover.Eyes | FaceCover.Brow)
        && float.IsFinite(Mean) && float.IsFinite(Offset) && float.IsFinite(Slope) && float.IsFinite(Deviation) && Slope > 0 && Deviation > 0;
}
