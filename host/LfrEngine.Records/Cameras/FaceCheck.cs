using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Pipeline;
using LfrEngine.Quality;
using LfrEngine.Tracking;

namespace LfrEngine.Records.Cameras;

/// <summary>Faces of one zone of the picture.</summary>
/// <param name="Row">From the top, 0….</param>
/// <param name="Column">From the left, 0….</param>
/// <param name="LargeEnough">Faces that can be compared, each sampled frame separately.</param>
/// <param name="TooSmall">Faces that cannot.</param>
public sealed record FaceZone(int Row, int Column, int LargeEnough, int TooSmall);

/// <summary>How large faces are in the picture, and how large they must be.</summary>
/// <param name="FramesSearched">Sampled frames that were searched.</param>
/// <param name="Seen">Faces seen, each sampled frame separately.</param>
/// <param name="TooSmall">Of them, faces too small to be found and compared by <c>lfr run</c>.</param>
/// <param name="MedianInterEyePixels">Between the eyes; absent when no face was seen.</param>
/// <param name="LargestInterEyePixels">Likewise.</param>
/// <param name="MinimumInterEyePixels">What a face needs.</param>
/// <param name="MinimumWidthPixels">How wide such a face is.</param>
/// <param name="WidestSceneMetres">Maximum width of the scene in metres, where people walk, for faces of that size.</param>
/// <param name="Rows">Rows of zones.</param>
/// <param name="Columns">Columns of zones.</param>
/// <param name="Zones">Those in which faces were seen.</param>
public sealed record FaceFindings(int FramesSearched, int Seen, int TooSmall, double? MedianInterEyePixels, double? LargestInterEyePixels,
    double MinimumInterEyePixels, double MinimumWidthPixels, double WidestSceneMetres, int Rows, int Columns, FaceZone[] Zones);

/// <summary>Looks for faces in sampled frames and counts their sizes by zone. Keeps counts and sizes; boxes and points are wiped with each frame.</summary>
internal sealed class FaceCheck : IDisposable
{
    public const int Rows = 4, Columns = 8;

    // A finer grid than a run uses, so that faces which the run would miss are seen here.
    private const int FinestGrid = 1920;

    // Detectors find about half of the faces of this width on their grid (docs/measured.md, recall by size).
    private const double WidthOnGrid = 12;

    // Eyes are about 0.45 of the box width apart (BestShotPolicy), 63 mm on average in adults.
    private const double EyesPerWidth = 0.45, EyesMetres = 0.063;

    private readonly FaceDetector detector;
    private readonly LandmarkFinder landmarks;
    private readonly CandidateList faces = new(512);
    private readonly int[,] large = new int[Rows, Columns], small = new int[Rows, Columns];
    private readonly List<double> sizes = [];
    private readonly int width;
    private readonly double minimum;
    private int searched;

    /// <summary>Prepares for frames of one size.</summary>
    /// <param name="models">Borrowed.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="grid">Long side of the grid on which <c>lfr run</c> will look.</param>
    public FaceCheck(EngineModels models, int width, int height, int grid)
    {
        this.width = width;
        int side = Math.Max(width, height);
        minimum = Math.Max(new BestShotPolicy().MinimumInterEyePixels, WidthOnGrid * Math.Max(1, (double)side / grid) * EyesPerWidth);
        landmarks = new LandmarkFinder(models.Landmarks);
        detector = new FaceDetector(models.Detector, new DetectorSettings { GridLongSide = Math.Max(grid, Math.Min(side, FinestGrid)) });
    }

    /// <summary>Searches one frame.</summary>
    /// <param name="frame">Borrowed.</param>
    public void Add(in FrameView frame)
    {
        searched++;
        detector.Detect(frame, faces);
        foreach (ref readonly FaceCandidate face in faces.Items)
        {
            double eyes = face.Box.Width * EyesPerWidth;
            // On such small faces the points are guesses; on larger ones they separate faces from skin and cloth, as in a run.
            if (eyes >= new BestShotPolicy().MinimumInterEyePixels)
            {
                FaceLandmarks found = landmarks.Find(frame, face.Box);
                if (QualityAssessor.Plausibility(face.Score, found.Disagreement) < QualityAssessor.MinimumPlausibility)
                    continue;
                eyes = found.Points.InterEyePixels;
            }
            int row = Math.Clamp((int)((face.Box.Top + face.Box.Bottom) / 2 * Rows / frame.Height), 0, Rows - 1);
            int column = Math.Clamp((int)((face.Box.Left + face.Box.Right) / 2 * Columns / frame.Width), 0, Columns - 1);
            (eyes < minimum ? small : large)[row, column]++;
            sizes.Add(eyes);
        }
        faces.Clear();
    }

    public FaceFindings Judge()
    {
        var zones = new List<FaceZone>();
        for (int row = 0; row < Rows; row++)
        {
            for (int column = 0; column < Columns; column++)
            {
                if (large[row, column] + small[row, column] > 0)
                    zones.Add(new FaceZone(row, column, large[row, column], small[row, column]));
            }
        }
        double[] ordered = [.. sizes.Order()];
        return new FaceFindings(searched, ordered.Length, zones.Sum(z => z.TooSmall), ordered.Length == 0 ? null : ordered[ordered.Length / 2], ordered.Length == 0 ? null : ordered[^1],
            minimum, minimum / EyesPerWidth, width / minimum * EyesMetres, Rows, Columns, [.. zones]);
    }

    public void Dispose()
    {
        detector.Dispose();
        landmarks.Dispose();
        faces.Dispose();
    }
}
