using System.Globalization;

namespace LfrEngine.Records.Policies;

/// <summary>The area of a deployment on the map.</summary>
public sealed class DeploymentArea
{
    /// <summary>Most corners.</summary>
    public const int MostCorners = 32;

    private const double MetresPerDegree = 111_195; // Mean radius of the earth, 6371 km.

    private readonly (double Latitude, double Longitude)[] corners;

    private DeploymentArea((double Latitude, double Longitude)[] corners) => this.corners = corners;

    /// <summary>Degrees (WGS 84), in order around the area.</summary>
    public IReadOnlyList<(double Latitude, double Longitude)> Corners => corners;

    /// <summary>Reads corners: "latitude,longitude latitude,longitude …", in degrees.</summary>
    /// <param name="text">3 to 32 corners.</param>
    /// <param name="area">Null if the text is not an area.</param>
    public static bool TryParse(string? text, out DeploymentArea? area)
    {
        area = null;
        string[] parts = (text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length is < 3 or > MostCorners)
            return false;
        var read = new (double, double)[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (parts[i].Split(',') is not [var first, var second] || !double.TryParse(first, NumberStyles.Float, CultureInfo.InvariantCulture, out double latitude)
                || !double.TryParse(second, NumberStyles.Float, CultureInfo.InvariantCulture, out double longitude) || !(Math.Abs(latitude) <= 85) || !(Math.Abs(longitude) <= 180))
                return false;
            read[i] = (latitude, longitude);
        }
        var made = new DeploymentArea(read);
        if (made.SquareMetres < 1)
            return false;
        area = made;
        return true;
    }

    /// <summary>Size.</summary>
    public double SquareMetres
    {
        get
        {
            (double X, double Y)[] flat = Flat(corners[0].Latitude, corners[0].Longitude);
            double sum = 0;
            for (int i = 0; i < flat.Length; i++)
            {
                (double X, double Y) a = flat[i], b = flat[(i + 1) % flat.Length];
                sum += (a.X * b.Y) - (b.X * a.Y);
            }
            return Math.Abs(sum) / 2;
        }
    }

    /// <summary>Distance of a place from the area in metres; 0 inside it.</summary>
    public double MetresTo(double latitude, double longitude)
    {
        // As seen from the place.
        (double X, double Y)[] flat = Flat(latitude, longitude);
        bool inside = false;
        double nearest = double.PositiveInfinity;
        for (int i = 0; i < flat.Length; i++)
        {
            (double X, double Y) a = flat[i], b = flat[(i + 1) % flat.Length];
            if (a.Y > 0 != b.Y > 0 && a.X + ((b.X - a.X) * -a.Y / (b.Y - a.Y)) > 0)
                inside = !inside;
            double dx = b.X - a.X, dy = b.Y - a.Y, length = (dx * dx) + (dy * dy);
            double along = length > 0 ? Math.Clamp(-((a.X * dx) + (a.Y * dy)) / length, 0, 1) : 0;
            nearest = Math.Min(nearest, Math.Sqrt(Math.Pow(a.X + (along * dx), 2) + Math.Pow(a.Y + (along * dy), 2)));
        }
        return inside ? 0 : nearest;
    }

    /// <summary>As <see cref="TryParse"/> reads it, to about a metre.</summary>
    public override string ToString() => string.Join(' ', corners.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Latitude:0.#####},{c.Longitude:0.#####}")));

    /// <summary>Corners in metres east and north of a place. Streets are small enough for a flat map.</summary>
    public (double X, double Y)[] Flat(double latitude, double longitude)
    {
        double shrink = Math.Cos(latitude * Math.PI / 180);
        return [.. corners.Select(c => (Math.IEEERemainder(c.Longitude - longitude, 360) * MetresPerDegree * shrink, (c.Latitude - latitude) * MetresPerDegree))];
    }
}
