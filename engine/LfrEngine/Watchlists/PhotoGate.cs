using LfrEngine.Quality;

namespace LfrEngine.Watchlists;

/// <summary>Verdict on a photo.</summary>
public enum PhotoVerdict
{
    /// <summary>Fit for a watchlist.</summary>
    Accepted,

    /// <summary>Enrolled, but a better photo should be found.</summary>
    Doubtful,

    /// <summary>Not enrolled.</summary>
    Rejected,
}

/// <summary>Decides whether a photo is good enough for a watchlist, with reasons.</summary>
/// <remarks>Stricter than a camera's gate: a poor template raises false alerts for as long as it is on the list.</remarks>
public static class PhotoGate
{
    /// <summary>Judges one face.</summary>
    /// <param name="quality">Of the face.</param>
    /// <param name="reasons">Receives a sentence for each shortcoming.</param>
    public static PhotoVerdict Judge(in FaceQuality quality, List<string> reasons) => Judge(quality, reasons, isPhoto: true);

    /// <summary>What is poor about a face that a camera saw. Nothing is asked of such a face, so no limit of photos is named.</summary>
    /// <param name="quality">Of the face.</param>
    /// <param name="shortcomings">Receives a phrase for each.</param>
    public static void Describe(in FaceQuality quality, List<string> shortcomings) => Judge(quality, shortcomings, isPhoto: false);

    private static PhotoVerdict Judge(in FaceQuality quality, List<string> reasons, bool isPhoto)
    {
        PhotoVerdict verdict = PhotoVerdict.Accepted;
        string eyes = $"{MathF.Floor(quality.InterEyePixels):0} pixels between the eyes", too = isPhoto ? "too" : "very", far = isPhoto ? "too far" : "far";
        string aside = $"by about {Math.Abs(quality.YawDegrees):0} degrees", tilted = $"by about {Math.Abs(quality.PitchDegrees):0} degrees";
        Check(quality.Plausibility, QualityAssessor.MinimumPlausibility + 0.8f, QualityAssessor.MinimumPlausibility, "this may not be a face", "this does not look like a face");
        Check(quality.InterEyePixels, 40, 20, isPhoto ? $"{eyes}; at least 40 are recommended" : eyes, isPhoto ? $"{eyes}; at least 20 are needed" : eyes);
        Check(quality.Sharpness, 0.10f, 0.05f, "somewhat blurred", $"{too} blurred");
        Check(quality.Brightness, 60, 30, "rather dark", $"{too} dark");
        Check(255 - quality.Brightness, 40, 20, "rather bright", $"{too} bright");
        Check(-quality.Clipped, -0.25f, -0.5f, "parts are black or overexposed", "most of it is black or overexposed");
        Check(-Math.Abs(quality.YawDegrees), -35, -60, $"turned to the side {aside}", $"turned {far} to the side, {aside}");
        Check(-Math.Abs(quality.PitchDegrees), -35, -60, $"tilted up or down {tilted}", $"tilted {far} up or down, {tilted}");
        Check(-quality.Cover, -0.8f, -2, "mouth and chin differ strongly from the cheeks and may be covered", "");
        return verdict;

        void Check(float value, float good, float usable, string doubtful, string rejected)
        {
            if (value < usable)
            {
                verdict = PhotoVerdict.Rejected;
                reasons.Add(rejected);
            }
            else if (value < good)
            {
                verdict = verdict == PhotoVerdict.Rejected ? verdict : PhotoVerdict.Doubtful;
                reasons.Add(doubtful);
            }
        }
    }
}
