using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Cameras;

/// <summary>One grey picture of a scene without recognisable people, to draw a zone on.</summary>
/// <remarks>
/// Each pixel is the median of several moments, so that whoever moves is not in it. Where a face was detected in any moment it is pixelated as in a live
/// picture, and the rest in small cells, since the detector misses faces.
/// </remarks>
/// <param name="models">Borrowed.</param>
internal sealed unsafe class StillPicture(EngineModels models) : IDisposable
{
    private const int MostMoments = 15, LargestWidth = 640, JpegQuality = 80;

    // Cells of 8 leave a face of 32 pixels four of them; where not all faces are known, everything is pixelated coarsely, as in a live picture.
    private const int CellElsewhere = 8, CellsIfOverfull = 16;

    private readonly FaceDetector detector = new(models.Detector, new DetectorSettings());
    private readonly CandidateList faces = new(512);
    private readonly List<Picture> moments = [];
    private readonly List<FaceBox> people = [];
    private bool overfull;
    private float scale;

    /// <summary>Adds a moment.</summary>
    /// <param name="frame">Borrowed.</param>
    public void Add(in FrameView frame)
    {
        int width = Math.Min(LargestWidth, frame.Width), height = Math.Max(1, (int)((long)frame.Height * width / frame.Width));
        if (moments.Count == MostMoments || (moments.Count > 0 && (moments[0].Width, moments[0].Height) != (width, height)))
            return;
        var picture = new Picture(width, height);
        moments.Add(picture);
        picture.Paint(frame, new FaceBox(0, 0, frame.Width, frame.Height), 0, width);
        detector.Detect(frame, faces);
        foreach (ref readonly FaceCandidate face in faces.Items)
            people.Add(face.Box);
        scale = (float)width / frame.Width;
        overfull |= faces.Dropped > 0;
        faces.Clear();
    }

    /// <summary>The picture as a JPEG file, for the caller to dispose.</summary>
    /// <param name="sizeBytes">Bytes of the file at the start of the buffer.</param>
    public HostBuffer<byte> Take(out int sizeBytes)
    {
        int width = moments[0].Width, height = moments[0].Height;
        using HostBuffer<byte> plane = BufferPool.Rent<byte>(2 * width * height);
        plane.Span[(width * height)..].Fill(128);
        Span<byte> values = stackalloc byte[MostMoments];
        values = values[..moments.Count];
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++)
            {
                for (int i = 0; i < values.Length; i++)
                {
                    FrameView view = moments[i].View;
                    values[i] = view.Y[((long)y * view.LumaStride) + x];
                }
                values.Sort();
                plane.Span[(y * width) + x] = values[values.Length / 2];
            }
        }
        nint luma = (nint)plane.Pointer, neutral = luma + (width * height);
        var scene = new FrameView(PixelFormat.I444, width, height, [luma, neutral, neutral], [width, width, width], ColourMatrix.Bt601, ColourRange.Full, ChromaLocation.Centre);
        using var picture = new Picture(width, height);
        picture.Paint(scene, new FaceBox(0, 0, width, height), 0, width);
        foreach (FaceBox face in people)
            picture.PixelateFace(face, scale);
        picture.Pixelate(new FaceBox(0, 0, width, height), overfull ? Math.Max(width, height) / CellsIfOverfull : CellElsewhere);
        return picture.EncodeJpeg(JpegQuality, out sizeBytes);
    }

    public void Dispose()
    {
        foreach (Picture moment in moments)
            moment.Dispose();
        detector.Dispose();
        faces.Dispose();
    }
}
