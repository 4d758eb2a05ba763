using LfrEngine.Detection;
using LfrEngine.Frames;

namespace LfrEngine.Tracking;

/// <summary>The wider picture of the moment of an alert, by which an officer in the street finds the person: the head clear, body and clothes coarsely, everything else hidden.</summary>
/// <remarks>
/// Nothing here depends on whether anybody else was detected. Body and clothes are cut into cells of a quarter of the face, about four centimetres: colours, a bag, long or short
/// sleeves can be seen, but no other face of that size. Everything beside the body is in cells as large as half the face and more.
/// </remarks>
internal static class MomentPicture
{
    /// <summary>Pixels.</summary>
    public const int Width = 240, Height = 360;

    /// <summary>Faces of others that are kept for <see cref="Hide"/>; with more, the body is hidden too.</summary>
    public const int MostOthers = 32;

    // In units of the face's larger side: what is shown, where the face is in it, how wide the body.
    private const float Across = 6, AboveMiddle = 1.2f, Body = 3, Head = 1.3f;
    private const int Face = (int)(Width / Across);
    private const float OthersRoom = 1.5f;

    /// <summary>The part of the frame that is shown, frame pixels.</summary>
    public static FaceBox Region(in FaceBox face)
    {
        float side = Side(face), x = (face.Left + face.Right) / 2, y = (face.Top + face.Bottom) / 2;
        return new FaceBox(x - (Across / 2 * side), y - (AboveMiddle * side), x + (Across / 2 * side), y + (((Across * Height / Width) - AboveMiddle) * side));
    }

    /// <summary>Another face in the picture, picture pixels; false if it is not in it, or is this face.</summary>
    public static bool TryPlace(in FaceBox face, in FaceBox other, out FaceBox place)
    {
        FaceBox region = Region(face);
        float scale = Face / Side(face), x = (other.Left + other.Right) / 2, y = (other.Top + other.Bottom) / 2;
        float halfWidth = other.Width * OthersRoom / 2, halfHeight = other.Height * OthersRoom / 2;
        place = new FaceBox((x - halfWidth - region.Left) * scale, (y - halfHeight - region.Top) * scale, (x + halfWidth - region.Left) * scale, (y + halfHeight - region.Top) * scale);
        bool same = x >= face.Left && x < face.Right && y >= face.Top && y < face.Bottom;
        return !same && place.Right > 0 && place.Bottom > 0 && place.Left < Width && place.Top < Height;
    }

    /// <summary>Hides everybody else.</summary>
    /// <param name="picture">Of <see cref="Region"/>.</param>
    /// <param name="others">Their faces, picture pixels.</param>
    /// <param name="all">Whether these are all; otherwise only the head is shown.</param>
    public static void Hide(Picture picture, ReadOnlySpan<FaceBox> others, bool all)
    {
        float scale = (float)picture.Width / Width, x = picture.Width / 2f, y = AboveMiddle * Face * scale, head = Head * Face * scale / 2, body = Body * Face * scale / 2;
        int cell = Math.Max(1, (int)(Face * scale / 4));
        var clear = new FaceBox(x - head, y - head, x + head, y + head);
        var clothes = new FaceBox(x - body, y - head, x + body, picture.Height);
        using (Memory.HostBuffer<byte> face = picture.CutOut(clear), dressed = picture.CutOut(clothes))
        {
            picture.Pixelate(new FaceBox(0, 0, picture.Width, picture.Height), 3 * cell);
            if (all)
            {
                picture.PutBack(clothes, dressed);
                picture.Pixelate(clothes, cell);
            }
            picture.PutBack(clear, face);
        }
        foreach (FaceBox other in others)
            picture.Pixelate(other, Math.Max(2 * cell, (int)MathF.Ceiling(Math.Max(other.Width, other.Height) / 4)));
    }

    private static float Side(in FaceBox face) => Math.Max(1, Math.Max(face.Width, face.Height));
}
