using System.Globalization;
using System.Runtime.InteropServices;
using LfrEngine.Detection;

namespace LfrEngine.Watchlists;

/// <summary>A point in a photo, pixels of the photo as it is shown.</summary>
public readonly record struct PhotoPoint(int X, int Y)
{
    /// <summary>Reads "190,125" or "190 125"; decimals, as some drawing programs show them, are cut off.</summary>
    public static bool TryParse(string? text, out PhotoPoint point)
    {
        point = default;
        string[] parts = (text ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length != 2 || !TryPixel(parts[0], out int x) || !TryPixel(parts[1], out int y))
            return false;
        point = new PhotoPoint(x, y);
        return true;
    }

    private static bool TryPixel(string text, out int pixel)
    {
        bool isOne = float.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out float place) && place <= int.MaxValue / 2;
        pixel = isOne ? (int)place : 0;
        return isOne;
    }
}

/// <summary>Where a face is in a photo, pixels of the photo as it is shown; right and bottom edges are exclusive.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct PhotoFace(int Left, int Top, int Right, int Bottom)
{
    /// <summary>The nearest whole pixels.</summary>
    public static PhotoFace Of(in FaceBox box) => new((int)MathF.Round(box.Left), (int)MathF.Round(box.Top), (int)MathF.Round(box.Right), (int)MathF.Round(box.Bottom));

    /// <summary>Whether a point is inside it.</summary>
    public bool Contains(PhotoPoint point) => point.X >= Left && point.X < Right && point.Y >= Top && point.Y < Bottom;
}

/// <summary>The faces of a photo, largest first, and which of them to enrol.</summary>
/// <param name="Width">Of the photo, pixels.</param>
/// <param name="Height">Of the photo, pixels.</param>
/// <param name="Faces">Real faces, each once, largest first.</param>
public sealed record PhotoFaces(int Width, int Height, PhotoFace[] Faces)
{
    // A row of people has no main person: a face next to the middle one is nearly as large and, unlike a neighbour in a portrait, not cut off by the edge.
    private const float SameArea = 0.8f, Edge = 0.02f;

    // A second face this large makes the photo ambiguous, unless one is in the middle and fills a large part of the picture.
    // On half of LFW, whose photos are cropped to one person, all but 2 of 1,055 do: within 0.13 of the middle (1 is a corner), the others from 0.36 on.
    private const float RivalArea = 0.35f, Middle = 0.2f, GoodPart = 0.4f;

    private const int MostNamed = 4;

    /// <summary>Index of the face to enrol: the largest, or among several large ones the one in the middle; −1 if that is ambiguous.</summary>
    public int Meant()
    {
        int meant = 0, rivals = 0, central = 0;
        for (int i = 0; i < Faces.Length; i++)
        {
            if (Area(Faces[i]) < RivalArea * Area(Faces[0]))
                continue;
            rivals++;
            if (!IsCentral(Faces[i]))
                continue;
            central++;
            meant = i;
        }
        if (Faces.Length == 0 || (rivals > 1 && central != 1))
            return -1;
        if (rivals <= 1)
            return 0;
        for (int i = 0; i < Faces.Length; i++)
        {
            if (i != meant && Area(Faces[i]) >= SameArea * Area(Faces[meant]) && !IsCutOff(Faces[i]))
                return -1;
        }
        return meant;
    }

    /// <summary>Index of the smallest face at a point; −1 when there is none.</summary>
    public int At(PhotoPoint point) => Array.FindLastIndex(Faces, f => f.Contains(point));

    /// <summary>Faces with their places, as text: "left (40,60 to 120,170) and upper right (300,62 to 380,175)".</summary>
    /// <param name="without">Index of a face to leave out; −1 for none.</param>
    public string Places(int without = -1)
    {
        int[] meant = [.. Enumerable.Range(0, Faces.Length).Where(i => i != without)];
        List<string> named = [.. meant.Take(MostNamed).Select(i => $"{PlaceOf(i)} ({Faces[i].Left},{Faces[i].Top} to {Faces[i].Right},{Faces[i].Bottom})")];
        int others = meant.Length - named.Count;
        if (others > 0)
            named.Add($"{others} more");
        return named.Count > 1 ? $"{string.Join(", ", named[..^1])} and {named[^1]}" : string.Concat(named);
    }

    /// <summary>Where a face is, by thirds of the picture: "upper left", "middle" and so on.</summary>
    /// <param name="index">Of the face.</param>
    public string PlaceOf(int index)
    {
        PhotoFace face = Faces[index];
        int column = Third(face.Left + face.Right, Width), row = Third(face.Top + face.Bottom, Height);
        string across = column switch { 0 => "left", 1 => "", _ => "right" }, down = row switch { 0 => "upper", 1 => "", _ => "lower" };
        return (down, across) switch
        {
            ("", "") => "middle",
            ("", _) => across,
            ("upper", "") => "top",
            ("lower", "") => "bottom",
            _ => $"{down} {across}",
        };
    }

    private static long Area(PhotoFace face) => (long)Math.Max(0, face.Right - face.Left) * Math.Max(0, face.Bottom - face.Top);

    private static int Third(int twice, int length) => Math.Clamp(twice * 3 / Math.Max(1, 2 * length), 0, 2);

    private bool IsCutOff(PhotoFace face) => face.Left <= Edge * Width || face.Right >= (1 - Edge) * Width || face.Top <= Edge * Height || face.Bottom >= (1 - Edge) * Height;

    private bool IsCentral(PhotoFace face)
    {
        double x = (face.Left + face.Right - Width) / 2.0, y = (face.Top + face.Bottom - Height) / 2.0;
        return Math.Sqrt((x * x) + (y * y)) <= Middle * Math.Sqrt(((double)Width * Width) + ((double)Height * Height)) / 2 && face.Bottom - face.Top >= GoodPart * Math.Min(Width, Height);
    }
}
