using LfrEngine.Matching;

namespace LfrEngine.Cover;

/// <summary>Probability that each part of a face is covered, 0…1 (<see cref="CoverJudge"/>).</summary>
/// <param name="LowerFace">Mouth and chin.</param>
/// <param name="Eyes">Eyes.</param>
/// <param name="Brow">Brow and forehead.</param>
public readonly record struct CoverJudgement(float LowerFace, float Eyes, float Brow)
{
    /// <summary>From this probability a part counts as covered.</summary>
    public const float Limit = 0.5f;

    /// <summary>The parts that count as covered.</summary>
    public FaceCover Parts =>
        (LowerFace >= Limit ? FaceCover.LowerFace : 0) | (Eyes >= Limit ? FaceCover.Eyes : 0) | (Brow >= Limit ? FaceCover.Brow : 0);

    /// <summary>As text, for example "lower face and brow covered"; null if nothing is covered.</summary>
    public string? Words => Name(Parts);

    /// <summary>Covered parts as text; null if nothing is covered.</summary>
    internal static string? Name(FaceCover parts)
    {
        var named = new List<string>(3);
        foreach ((FaceCover part, string name) in (ReadOnlySpan<(FaceCover, string)>)[(FaceCover.LowerFace, "lower face"), (FaceCover.Eyes, "eyes"), (FaceCover.Brow, "brow")])
        {
            if (parts.HasFlag(part))
                named.Add(name);
        }
        return named.Count switch
        {
            0 => null,
            1 => $"{named[0]} covered",
            2 => $"{named[0]} and {named[1]} covered",
            _ => "face covered",
        };
    }
}
