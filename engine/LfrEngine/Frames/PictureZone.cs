using System.Globalization;

namespace LfrEngine.Frames;

/// <summary>A part of a picture: a polygon with corners in percent of the picture's width and height, so that it fits every stream of a camera.</summary>
public sealed class PictureZone
{
    /// <summary>Corners of a zone.</summary>
    public const int FewestCorners = 3, MostCorners = 32;

    private readonly (double X, double Y)[] corners;

    private PictureZone((double X, double Y)[] corners) => this.corners = corners;

    /// <summary>Its corners, percent from the upper left corner.</summary>
    public IReadOnlyList<(double X, double Y)> Corners => corners;

    /// <summary>Reads a zone.</summary>
    /// <param name="text">3 to 32 corners, X,Y separated by spaces, percent from the upper left corner; for example <c>5,30 95,30 95,100 5,100</c>.</param>
    /// <param name="zone">The zone; null if the text is none.</param>
    public static bool TryParse(string text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out PictureZone? zone)
    {
        zone = null;
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is < FewestCorners or > MostCorners)
            return false;
        var corners = new (double X, double Y)[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            string[] pair = parts[i].Split(',');
            if (pair.Length != 2 || !TryPercent(pair[0], out corners[i].X) || !TryPercent(pair[1], out corners[i].Y))
                return false;
        }
        zone = new PictureZone(corners);
        return true;
    }

    /// <summary>Whether a place is in the zone.</summary>
    /// <param name="x">Percent of the picture's width, from the left.</param>
    /// <param name="y">Percent of the picture's height, from the top.</param>
    public bool Contains(double x, double y)
    {
        // Edges crossed to the right: an odd number is inside, also where the polygon crosses itself.
        bool inside = false;
        for (int i = 0, before = corners.Length - 1; i < corners.Length; before = i++)
        {
            ((double ax, double ay), (double bx, double by)) = (corners[i], corners[before]);
            if (ay > y != by > y && x < ((bx - ax) * (y - ay) / (by - ay)) + ax)
                inside = !inside;
        }
        return inside;
    }

    /// <summary>As <see cref="TryParse"/> reads it.</summary>
    public override string ToString() => string.Join(' ', corners.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.X:0.#},{c.Y:0.#}")));

    private static bool TryPercent(string text, out double value) => double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out value) && value is >= 0 and <= 100;
}
