namespace LfrEngine.Records.Zones;

/// <summary>The planner's model of a camera: a pinhole without distortion, upright, looking ahead and down.</summary>
/// <param name="HeightMetres">Of the lens above the ground.</param>
/// <param name="TiltDegrees">Below the horizon; negative looks up.</param>
/// <param name="FieldOfViewDegrees">Horizontal, of the whole picture.</param>
/// <param name="Width">Of the picture, pixels.</param>
/// <param name="Height">Of the picture, pixels.</param>
/// <param name="Grid">Long side of the detection grid, pixels.</param>
public sealed record ZoneCamera(double HeightMetres, double TiltDegrees, double FieldOfViewDegrees, int Width, int Height, int Grid)
{
    /// <summary>Focal length in pixels.</summary>
    public double FocalPixels => Width / 2.0 / Math.Tan(double.DegreesToRadians(FieldOfViewDegrees) / 2);

    /// <summary>Horizontal field of view of a lens, degrees.</summary>
    /// <param name="focalMillimetres">Focal length, not converted to another format.</param>
    /// <param name="sensorWidthMillimetres">Width of the part of the sensor that makes the picture.</param>
    public static double FieldOfView(double focalMillimetres, double sensorWidthMillimetres) => double.RadiansToDegrees(2 * Math.Atan(sensorWidthMillimetres / 2 / focalMillimetres));
}

/// <summary>A place on the ground, metres.</summary>
/// <param name="Aside">To the right of the camera's axis.</param>
/// <param name="Ahead">Of the camera.</param>
public readonly record struct GroundPoint(double Aside, double Ahead);

/// <summary>Position of a notice board relative to the area in which faces may be compared.</summary>
public enum BoardVerdict
{
    /// <summary>People can read it before they enter.</summary>
    Outside,

    /// <summary>Outside, but nearer to the area than <see cref="ZonePlan.ReadingMetres"/>.</summary>
    Close,

    /// <summary>People are filmed before they can read it.</summary>
    Inside,
}

/// <summary>The ground on which faces are large enough to be compared.</summary>
/// <remarks>
/// Heads are between <see cref="LowestHead"/> and <see cref="HighestHead"/> above the ground and turned so that the eyes are level with the picture's
/// rows: there the eyes are f·d/z pixels apart, with z along the optical axis. Every condition (inside the picture, near enough) is then linear in the
/// place and in the head's height, so both areas are convex and their corners exact.
/// </remarks>
public sealed class ZonePlan
{
    /// <summary>Heads are at least this high, metres.</summary>
    public const double LowestHead = 1.5;

    /// <summary>Heads are at most this high, metres.</summary>
    public const double HighestHead = 1.9;

    /// <summary>Between the eyes of an adult, metres: the mean of large surveys.</summary>
    public const double EyesMetres = 0.063;

    /// <summary>A board this much nearer or farther than the area's edge can be read before it: two seconds of walking, metres.</summary>
    public const double ReadingMetres = 3;

    /// <summary>A face this wide on the detection grid is found in four of five pictures; at 12 to 20 pixels in three of five (docs/measured.md).</summary>
    public const double FoundGridPixels = 20;

    // As BestShotPolicy: eyes are about 0.45 of a face's box apart.
    private const double EyesOfBox = 0.45;

    // Keeps the depth away from zero: nobody stands with the face at the lens.
    private const double NearestMetres = 0.1;

    private const double FarthestMetres = 1000;

    private readonly ZoneCamera camera;
    private readonly double cos, sin;

    /// <summary>Plans.</summary>
    /// <param name="camera">Its values must be in range: a height up to 30 m, a tilt of −30 to 90 degrees, a field of view of 1 to 170 degrees.</param>
    /// <param name="minimumInterEyePixels">The quality gate's.</param>
    /// <exception cref="ArgumentOutOfRangeException">They are out of range.</exception>
    public ZonePlan(ZoneCamera camera, double minimumInterEyePixels)
    {
        InRange(camera.HeightMetres, 0.1, 30, nameof(camera.HeightMetres));
        InRange(camera.TiltDegrees, -30, 90, nameof(camera.TiltDegrees));
        InRange(camera.FieldOfViewDegrees, 1, 170, nameof(camera.FieldOfViewDegrees));
        InRange(camera.Width, 32, 20_000, nameof(camera.Width));
        InRange(camera.Height, 32, 20_000, nameof(camera.Height));
        InRange(camera.Grid, 32, 20_000, nameof(camera.Grid));
        InRange(minimumInterEyePixels, 0.1, 10_000, nameof(minimumInterEyePixels));
        this.camera = camera;
        (sin, cos) = Math.SinCos(double.DegreesToRadians(camera.TiltDegrees));
        double scale = Math.Min(1, (double)camera.Grid / Math.Max(camera.Width, camera.Height));
        ComparedPixels = minimumInterEyePixels;
        FoundPixels = Math.Max(minimumInterEyePixels, EyesOfBox * FoundGridPixels / scale);
        Compared = ForSomeHead(ComparedPixels);
        Found = ForEveryHead(FoundPixels);

        static void InRange(double value, double low, double high, string name)
        {
            // Written so that a value that is not a number is out of range.
            if (!(value >= low && value <= high))
                throw new ArgumentOutOfRangeException(name, value, $"{name} must be between {low} and {high}.");
        }
    }

    /// <summary>Pixels between the eyes below which no face is compared.</summary>
    public double ComparedPixels { get; }

    /// <summary>Pixels between the eyes from which the detector finds faces reliably on its grid.</summary>
    public double FoundPixels { get; }

    /// <summary>Corners of the ground where a face at some height may be compared, if the detector finds it; empty if there is none. Boards must be outside it.</summary>
    public IReadOnlyList<GroundPoint> Compared { get; }

    /// <summary>Corners of the ground where faces at every height are found reliably and compared; empty if there is none. Let people pass here.</summary>
    public IReadOnlyList<GroundPoint> Found { get; }

    /// <summary>Pixels between the eyes of a face.</summary>
    /// <param name="at">Where the person stands.</param>
    /// <param name="headMetres">Height of the eyes above the ground.</param>
    /// <returns>0 behind the camera.</returns>
    public double InterEyePixels(GroundPoint at, double headMetres) => Depth(at.Ahead, headMetres) is > 0 and var depth ? camera.FocalPixels * EyesMetres / depth : 0;

    /// <summary>Area of a convex polygon, square metres.</summary>
    public static double Area(IReadOnlyList<GroundPoint> corners)
    {
        double twice = 0;
        for (int i = 0; i < corners.Count; i++)
        {
            (GroundPoint a, GroundPoint b) = (corners[i], corners[(i + 1) % corners.Count]);
            twice += (a.Aside * b.Ahead) - (b.Aside * a.Ahead);
        }
        return Math.Abs(twice) / 2;
    }

    /// <summary>Angle at which the camera looks down on the nearest faces that are found, degrees; NaN where none are.</summary>
    public double SteepestDegrees => Found.Count == 0 ? double.NaN
        : double.RadiansToDegrees(Math.Atan2(camera.HeightMetres - LowestHead, Found.Min(p => p.Ahead)));

    /// <summary>Position of a notice board relative to <see cref="Compared"/>.</summary>
    public BoardVerdict Judge(GroundPoint board)
    {
        double distance = DistanceTo(board);
        return distance == 0 ? BoardVerdict.Inside : distance < ReadingMetres ? BoardVerdict.Close : BoardVerdict.Outside;
    }

    /// <summary>Metres from a place to <see cref="Compared"/>; 0 inside, infinite if the area is empty.</summary>
    public double DistanceTo(GroundPoint place)
    {
        if (Compared.Count == 0)
            return double.PositiveInfinity;
        bool inside = true;
        double nearest = double.PositiveInfinity;
        for (int i = 0; i < Compared.Count; i++)
        {
            (GroundPoint a, GroundPoint b) = (Compared[i], Compared[(i + 1) % Compared.Count]);
            double dx = b.Aside - a.Aside, dy = b.Ahead - a.Ahead, px = place.Aside - a.Aside, py = place.Ahead - a.Ahead;
            // Corners are in counter-clockwise order: inside is to the left of every edge.
            inside &= (dx * py) - (dy * px) >= 0;
            double along = Math.Clamp(((px * dx) + (py * dy)) / ((dx * dx) + (dy * dy)), 0, 1);
            nearest = Math.Min(nearest, Math.Sqrt(Math.Pow(px - (along * dx), 2) + Math.Pow(py - (along * dy), 2)));
        }
        return inside ? 0 : nearest;
    }

    private double Depth(double ahead, double head) => (ahead * cos) + ((camera.HeightMetres - head) * sin);

    // Below the optical axis, metres at the head.
    private double Below(double ahead, double head) => ((camera.HeightMetres - head) * cos) - (ahead * sin);

    // Conditions for a head to be in the picture and large enough: each at least 0, each linear in place and height.
    private Func<double, double, double>[] Conditions(double pixels)
    {
        double slope = camera.Height / 2.0 / camera.FocalPixels, far = camera.FocalPixels * EyesMetres / pixels;
        return
        [
            (ahead, head) => Depth(ahead, head) - NearestMetres,
            (ahead, head) => far - Depth(ahead, head),
            (ahead, head) => (slope * Depth(ahead, head)) - Below(ahead, head),
            (ahead, head) => (slope * Depth(ahead, head)) + Below(ahead, head),
        ];
    }

    // Projection onto the ground of everything that meets the conditions at some height.
    private GroundPoint[] ForSomeHead(double pixels)
    {
        List<(double Ahead, double Head)> corners = [(-FarthestMetres, LowestHead), (FarthestMetres, LowestHead), (FarthestMetres, HighestHead), (-FarthestMetres, HighestHead)];
        foreach (Func<double, double, double> holds in Conditions(pixels))
            corners = Clip(corners, holds);
        return Hull(corners.SelectMany(c => Pair(c.Ahead, Depth(c.Ahead, c.Head))));
    }

    // A linear condition that holds at the lowest and the highest height holds at every height.
    private GroundPoint[] ForEveryHead(double pixels)
    {
        (double low, double high) = (-FarthestMetres, FarthestMetres);
        foreach (double head in new[] { LowestHead, HighestHead })
        {
            foreach (Func<double, double, double> holds in Conditions(pixels))
            {
                double at0 = holds(0, head), slope = holds(1, head) - at0;
                if (slope > 0)
                    low = Math.Max(low, -at0 / slope);
                else if (slope < 0)
                    high = Math.Min(high, -at0 / slope);
                else if (at0 < 0)
                    return [];
            }
        }
        if (low >= high)
            return [];
        return Hull(new[] { low, high }.SelectMany(ahead => Pair(ahead, Math.Min(Depth(ahead, LowestHead), Depth(ahead, HighestHead)))));
    }

    private GroundPoint[] Pair(double ahead, double depth)
    {
        double half = camera.Width / 2.0 / camera.FocalPixels * depth;
        return [new GroundPoint(-half, ahead), new GroundPoint(half, ahead)];
    }

    // Sutherland and Hodgman: what lies on the right side of one line.
    private static List<(double Ahead, double Head)> Clip(List<(double Ahead, double Head)> polygon, Func<double, double, double> holds)
    {
        var kept = new List<(double, double)>();
        for (int i = 0; i < polygon.Count; i++)
        {
            ((double ahead, double head), (double nextAhead, double nextHead)) = (polygon[i], polygon[(i + 1) % polygon.Count]);
            double here = holds(ahead, head), there = holds(nextAhead, nextHead);
            if (here >= 0)
                kept.Add((ahead, head));
            if (here >= 0 != there >= 0)
            {
                double share = here / (here - there);
                kept.Add((ahead + (share * (nextAhead - ahead)), head + (share * (nextHead - head))));
            }
        }
        return kept;
    }

    // Andrew's monotone chain, counter-clockwise; fewer than three corners are not an area.
    private static GroundPoint[] Hull(IEnumerable<GroundPoint> points)
    {
        GroundPoint[] sorted = [.. points.Distinct().OrderBy(p => p.Aside).ThenBy(p => p.Ahead)];
        GroundPoint[] hull = [.. Chain(sorted), .. Chain(sorted.AsEnumerable().Reverse())];
        return hull.Length < 3 || Area(hull) < 1e-9 ? [] : hull;

        static IEnumerable<GroundPoint> Chain(IEnumerable<GroundPoint> sorted)
        {
            var chain = new List<GroundPoint>();
            foreach (GroundPoint p in sorted)
            {
                while (chain.Count >= 2 && Turn(chain[^2], chain[^1], p) <= 0)
                    chain.RemoveAt(chain.Count - 1);
                chain.Add(p);
            }
            return chain.SkipLast(1);
        }

        static double Turn(GroundPoint a, GroundPoint b, GroundPoint c) => ((b.Aside - a.Aside) * (c.Ahead - a.Ahead)) - ((b.Ahead - a.Ahead) * (c.Aside - a.Aside));
    }
}
