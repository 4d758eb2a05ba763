using LfrEngine.Alignment;
using LfrEngine.Frames;
using LfrEngine.Models;

namespace LfrEngine.Detection;

/// <summary>Placement of a frame on the detection grid: scaled with its aspect ratio kept, in the upper left corner, the rest padding.</summary>
/// <param name="Scale">Grid pixels per frame pixel.</param>
/// <param name="GridWidth">Columns of the grid.</param>
/// <param name="GridHeight">Rows of the grid.</param>
/// <param name="ImageWidth">Grid columns that show the frame.</param>
/// <param name="ImageHeight">Grid rows that show the frame.</param>
public readonly record struct LetterboxTransform(float Scale, int GridWidth, int GridHeight, int ImageWidth, int ImageHeight)
{
    /// <summary>Fits a frame into a grid.</summary>
    /// <param name="frameWidth">Pixels.</param>
    /// <param name="frameHeight">Pixels.</param>
    /// <param name="gridWidth">Pixels.</param>
    /// <param name="gridHeight">Pixels.</param>
    /// <param name="maximumScale">1 leaves a small frame at its size; a larger value allows enlarging.</param>
    public static LetterboxTransform Fit(int frameWidth, int frameHeight, int gridWidth, int gridHeight, float maximumScale = float.MaxValue)
    {
        float scale = Math.Min(maximumScale, Math.Min((float)gridWidth / frameWidth, (float)gridHeight / frameHeight));
        int width = Math.Clamp((int)MathF.Round(frameWidth * scale), 1, gridWidth);
        int height = Math.Clamp((int)MathF.Round(frameHeight * scale), 1, gridHeight);
        return new LetterboxTransform(scale, gridWidth, gridHeight, width, height);
    }

    /// <summary>From grid pixels back to frame pixels.</summary>
    public FaceBox ToFrame(in FaceBox box) => new(box.Left / Scale, box.Top / Scale, box.Right / Scale, box.Bottom / Scale);

    /// <summary>From grid pixels back to frame pixels.</summary>
    public Landmarks5 ToFrame(in Landmarks5 points)
    {
        float inverse = 1 / Scale;
        PointF Map(PointF p) => new(p.X * inverse, p.Y * inverse);
        return new Landmarks5(Map(points.LeftEye), Map(points.RightEye), Map(points.Nose), Map(points.LeftMouth), Map(points.RightMouth));
    }
}

/// <summary>Converts a frame's planes to the detector's input tensor in one step.</summary>
/// <remarks>One instance per thread.</remarks>
internal sealed unsafe class Letterbox : IDisposable
{
    private readonly PlaneResampler luma;
    private readonly PlaneResampler chroma;
    private readonly bool vectors;

    public Letterbox()
        : this(vectors: true)
    {
    }

    /// <summary>Without vectors it is the scalar reference.</summary>
    internal Letterbox(bool vectors)
    {
        this.vectors = vectors;
        luma = new PlaneResampler(vectors);
        chroma = new PlaneResampler(vectors);
    }

    /// <summary>Fills the tensor; padding is 0, the networks' middle value.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="transform">From <see cref="LetterboxTransform.Fit"/>.</param>
    /// <param name="input">Channel order and normalisation.</param>
    /// <param name="tensor">float32 [3, GridHeight, GridWidth]. Borrowed.</param>
    public void Fill(in FrameView frame, in LetterboxTransform transform, ModelInput input, float* tensor)
    {
        int gridWidth = transform.GridWidth, gridHeight = transform.GridHeight;
        int plane = gridWidth * gridHeight;
        float width = transform.ImageWidth / transform.Scale, height = transform.ImageHeight / transform.Scale;
        luma.Begin(1, frame.Width, frame.Height, 0, 0, width, height, transform.ImageWidth, transform.ImageHeight);
        if (frame.HasColour)
        {
            chroma.Begin(frame.ChromaStep, frame.ChromaWidth, frame.ChromaHeight, frame.ChromaOffsetX, frame.ChromaOffsetY,
                width * frame.ChromaScaleX, height * frame.ChromaScaleY, transform.ImageWidth, transform.ImageHeight);
        }
        // Row by row, so that colours are converted while the rows of all three planes are in the L1 cache.
        for (int y = 0; y < gridHeight; y++)
        {
            float* row = tensor + (y * gridWidth);
            int shown = y < transform.ImageHeight ? transform.ImageWidth : 0;
            if (shown > 0)
                FillRow(frame, y, row, row + plane, row + (2 * plane), shown, input);
            for (int channel = 0; channel < 3; channel++)
                new Span<float>(row + (channel * plane) + shown, gridWidth - shown).Clear();
        }
        luma.End();
        if (frame.HasColour)
            chroma.End();
    }

    /// <summary>Makes the tensor at half the scale from a filled one: the mean of 2 × 2.</summary>
    /// <param name="source">float32 [3, GridHeight, GridWidth] of <paramref name="whole"/>. Borrowed.</param>
    /// <param name="whole">Placement of the frame in the source.</param>
    /// <param name="destination">float32 [3, GridHeight, GridWidth] of <paramref name="half"/>. Borrowed.</param>
    /// <param name="half">The same frame at half the scale.</param>
    public static void Halve(float* source, in LetterboxTransform whole, float* destination, in LetterboxTransform half)
    {
        // The source grid is padded to even sides, so an odd last column or row halves with its padding.
        int columns = Math.Min(half.GridWidth, whole.GridWidth / 2), rows = Math.Min(half.GridHeight, whole.GridHeight / 2);
        for (int channel = 0; channel < 3; channel++)
        {
            float* from = source + (channel * whole.GridWidth * whole.GridHeight);
            float* to = destination + (channel * half.GridWidth * half.GridHeight);
            for (int y = 0; y < half.GridHeight; y++, to += half.GridWidth)
            {
                int filled = y < rows ? columns : 0;
                float* upper = from + (2 * y * whole.GridWidth);
                float* lower = upper + whole.GridWidth;
                HalfKernel.Halve(upper, lower, to, filled);
                new Span<float>(to + filled, half.GridWidth - filled).Clear();
            }
        }
    }

    // Luma and chroma first, then converted to colours in place.
    private void FillRow(in FrameView frame, int y, float* first, float* second, float* third, int width, ModelInput input)
    {
        luma.Row(frame.Y, frame.LumaStride, 1, y, first);
        if (frame.HasColour)
        {
            chroma.Row(frame.U, frame.ChromaStride, frame.ChromaStep, y, second);
            chroma.Row(frame.V, frame.ChromaStride, frame.ChromaStep, y, third);
        }
        else
        {
            new Span<float>(second, width).Fill(128);
            new Span<float>(third, width).Fill(128);
        }
        if (vectors)
            ColourKernel.Convert(first, second, third, width, frame.Colour, input);
        else
            ColourKernel.ConvertScalar(first, second, third, width, frame.Colour, input);
    }

    public void Dispose()
    {
        luma.Dispose();
        chroma.Dispose();
    }
}
