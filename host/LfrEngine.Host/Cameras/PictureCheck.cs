using LfrEngine.Frames;
using LfrEngine.Native.Media;

namespace LfrEngine.Host.Cameras;

/// <summary>How the picture is lit and focused. No picture can be made of these numbers.</summary>
/// <param name="Exposure">good, dark, bright, burnt-out, black-parts or flat.</param>
/// <param name="ExposureText">In a sentence.</param>
/// <param name="MeanLuma">0…255, black is 0 and white 255 whatever the stream's range.</param>
/// <param name="ClippedDark">Share of the pixels that are nearly black (below 12), 0…1.</param>
/// <param name="ClippedBright">Share that are nearly white (above 245), 0…1.</param>
/// <param name="Focus">good, blurred or unknown (nothing in the picture has contrast).</param>
/// <param name="FocusText">In a sentence.</param>
/// <param name="Sharpness">Laplacian energy over contrast where the picture is sharpest.</param>
/// <param name="Histogram">Share of the pixels in 16 steps of luma, dark to bright; adds up to 1.</param>
internal sealed record PictureFindings(string Exposure, string ExposureText, double MeanLuma, double ClippedDark, double ClippedBright,
    string Focus, string FocusText, double? Sharpness, double[] Histogram);

/// <summary>Sums up luma and sharpness over sampled frames. Keeps counts, no pixels.</summary>
internal sealed unsafe class PictureCheck
{
    public const int Bins = 16;

    private const int Tile = 32, Dark = 12, Bright = 245;
    private const double SmallestContrast = 10, Blurred = 0.11;

    private readonly long[] luma = new long[256];
    private readonly List<double> sharpness = [];

    /// <summary>Counts one frame.</summary>
    /// <param name="frame">Borrowed; in host memory.</param>
    public void Add(in FrameView frame)
    {
        var tiles = new List<double>();
        for (int top = 0; top + Tile <= frame.Height; top += Tile)
        {
            for (int left = 0; left + Tile <= frame.Width; left += Tile)
                tiles.Add(Measure(frame, left, top, Tile, Tile));
        }
        if (tiles.Count == 0)
            Measure(frame, 0, 0, frame.Width, frame.Height);
        // Nothing of a scene needs to be sharp everywhere; in focus, its sharpest parts are.
        double[] telling = [.. tiles.Where(t => t >= 0).Order()];
        if (telling.Length >= 4)
            sharpness.Add(telling[telling.Length * 9 / 10]);
    }

    /// <summary>The verdict.</summary>
    public PictureFindings Judge()
    {
        double total = Math.Max(1, luma.Sum());
        double mean = luma.Select((n, value) => n * (double)value).Sum() / total;
        double dark = luma[..Dark].Sum() / total, bright = luma[(Bright + 1)..].Sum() / total;
        double[] histogram = [.. luma.Chunk(256 / Bins).Select(c => c.Sum() / total)];
        int spread = Percentile(0.95) - Percentile(0.05);
        (string exposure, string text) = true switch
        {
            _ when mean < 40 => ("dark", "too dark: more light, a longer exposure or a wider aperture"),
            _ when mean > 215 => ("bright", "too bright: a shorter exposure or a narrower aperture"),
            _ when spread < 24 => ("flat", "almost no contrast: fog, dirt on the lens, or a cover"),
            _ when bright > 0.25 => ("burnt-out", $"{bright:P0} of the picture is burnt out: faces against the light stay dark"),
            _ when dark > 0.5 => ("black-parts", $"{dark:P0} of the picture is black"),
            _ => ("good", "well exposed"),
        };
        double? sharp = sharpness.Count == 0 ? null : sharpness.Order().ElementAt(sharpness.Count / 2);
        (string focus, string focusText) = sharp switch
        {
            null => ("unknown", "too little contrast in the picture to tell"),
            < Blurred => ("blurred", "blurred: focus the lens, clean it, or ask for a higher bit rate"),
            _ => ("good", "sharp"),
        };
        return new PictureFindings(exposure, text, mean, dark, bright, focus, focusText, sharp, histogram);

        int Percentile(double share)
        {
            long sum = 0;
            for (int value = 0; value < 256; value++)
            {
                sum += luma[value];
                if (sum >= share * total)
                    return value;
            }
            return 255;
        }
    }

    // Sharpness of one tile; negative where it has too little contrast to tell.
    private double Measure(in FrameView frame, int left, int top, int width, int height)
    {
        bool full = frame.Range == ColourRange.Full;
        long sum = 0, squares = 0, laplacian = 0;
        int edges = 0;
        for (int y = top; y < top + height; y++)
        {
            byte* row = frame.Y + ((long)y * frame.LumaStride);
            bool inner = y > 0 && y + 1 < frame.Height;
            for (int x = left; x < left + width; x++)
            {
                int value = row[x];
                luma[full ? value : Math.Clamp(((value - 16) * 255) / 219, 0, 255)]++;
                sum += value;
                squares += value * value;
                if (!inner || x == 0 || x + 1 >= frame.Width)
                    continue;
                int second = (4 * value) - row[x - 1] - row[x + 1] - row[x - frame.LumaStride] - row[x + frame.LumaStride];
                laplacian += second * second;
                edges++;
            }
        }
        double count = (double)width * height, mean = sum / count, deviation = Math.Sqrt(Math.Max(0, (squares / count) - (mean * mean)));
        return deviation < SmallestContrast || edges == 0 ? -1 : Math.Sqrt(laplacian / (double)edges) / (deviation + 8);
    }
}
