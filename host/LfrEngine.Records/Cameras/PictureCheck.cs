using LfrEngine.Frames;
using LfrEngine.Native.Media;

namespace LfrEngine.Records.Cameras;

/// <summary>Exposure and focus of the picture. No picture can be reconstructed from these numbers.</summary>
/// <param name="Exposure">good, dark, bright, burnt-out, black-parts or flat.</param>
/// <param name="ExposureText">In a sentence.</param>
/// <param name="MeanLuma">0…255, black is 0 and white 255 whatever the stream's range.</param>
/// <param name="ClippedDark">Share of the pixels that are nearly black (below 12), 0…1.</param>
/// <param name="ClippedBright">Share that are nearly white (above 245), 0…1.</param>
/// <param name="Focus">good, blurred or unknown (nothing in the picture has contrast).</param>
/// <param name="FocusText">In a sentence.</param>
/// <param name="EdgePixels">How many pixels an edge is wide, dark to bright, where the picture is sharpest; absent when nothing has contrast.</param>
/// <param name="Histogram">Share of the pixels in 16 steps of luma, dark to bright; adds up to 1.</param>
public sealed record PictureFindings(string Exposure, string ExposureText, double MeanLuma, double ClippedDark, double ClippedBright,
    string Focus, string FocusText, double? EdgePixels, double[] Histogram);

/// <summary>Sums up luma and the width of edges over sampled frames. Keeps counts, no pixels.</summary>
internal sealed unsafe class PictureCheck
{
    public const int Bins = 16;

    private const int Tile = 32, Dark = 12, Bright = 245;

    // Tiles with less contrast have no usable edge.
    private const int SmallestContrast = 60, FewestTiles = 8;

    // On the sharpest tenth of the tiles: 1.6 to 2.6 pixels in photographs and street scenes in focus, 3.5 and more from a blur of 2 pixels on, 5 and more from 4 on.
    private const double Blurred = 4;

    private readonly long[] luma = new long[256];
    private readonly List<double> edges = [];

    /// <summary>Counts one frame.</summary>
    /// <param name="frame">Borrowed; in host memory.</param>
    public void Add(in FrameView frame)
    {
        var widths = new List<double>();
        for (int top = 0; top < frame.Height; top += Tile)
        {
            for (int left = 0; left < frame.Width; left += Tile)
            {
                if (Measure(frame, left, top, Math.Min(Tile, frame.Width - left), Math.Min(Tile, frame.Height - top)) is { } width)
                    widths.Add(width);
            }
        }
        // A scene is not sharp everywhere, but if in focus its sharpest parts are.
        if (widths.Count >= FewestTiles)
            edges.Add(widths.Order().ElementAt(widths.Count / 10));
    }

    public PictureFindings Judge()
    {
        double total = Math.Max(1, luma.Sum());
        double mean = luma.Select((n, value) => n * (double)value).Sum() / total;
        double dark = luma[..Dark].Sum() / total, bright = luma[(Bright + 1)..].Sum() / total;
        double[] histogram = [.. luma.Chunk(256 / Bins).Select(c => c.Sum() / total)];
        int spread = Percentile(luma, 0.95) - Percentile(luma, 0.05);
        (string exposure, string text) = true switch
        {
            _ when mean < 40 => ("dark", "too dark: add light, or use a longer exposure or a wider aperture"),
            _ when mean > 215 => ("bright", "too bright: use a shorter exposure or a narrower aperture"),
            _ when spread < 24 => ("flat", "almost no contrast: check for fog, dirt on the lens or a lens cap"),
            _ when bright > 0.25 => ("burnt-out", $"{bright:P0} of the picture is overexposed: faces in front of it are too dark"),
            _ when dark > 0.5 => ("black-parts", $"{dark:P0} of the picture is black"),
            _ => ("good", "well exposed"),
        };
        double? edge = edges.Count == 0 ? null : edges.Order().ElementAt(edges.Count / 2);
        (string focus, string focusText) = edge switch
        {
            null => ("unknown", "too little contrast to measure"),
            > Blurred => ("blurred", $"blurred, edges are {edge:0.0} pixels wide: focus the lens, clean it, or ask for a higher bit rate"),
            _ => ("good", $"sharp, edges are {edge:0.0} pixels wide"),
        };
        return new PictureFindings(exposure, text, mean, dark, bright, focus, focusText, edge, histogram);
    }

    // Width of the steepest edge of one tile; null if it has too little contrast.
    private double? Measure(in FrameView frame, int left, int top, int width, int height)
    {
        Span<long> values = stackalloc long[256];
        values.Clear();
        int steepest = 0;
        for (int y = top; y < top + height; y++)
        {
            byte* row = frame.Y + ((long)y * frame.LumaStride);
            for (int x = left; x < left + width; x++)
            {
                values[row[x]]++;
                // Across two pixels, inside the tile.
                if (x >= left + 2)
                    steepest = Math.Max(steepest, Math.Abs(row[x] - row[x - 2]));
                if (y >= top + 2)
                    steepest = Math.Max(steepest, Math.Abs(row[x] - row[x - (2L * frame.LumaStride)]));
            }
        }
        for (int value = 0; value < 256; value++)
            luma[frame.Range == ColourRange.Full ? value : Math.Clamp((value - 16) * 255 / 219, 0, 255)] += values[value];
        int contrast = Percentile(values, 0.98) - Percentile(values, 0.02);
        return contrast < SmallestContrast || width < Tile || height < Tile ? null : contrast / Math.Max(1, steepest / 2.0);
    }

    private static int Percentile(ReadOnlySpan<long> counts, double share)
    {
        long total = 0, sum = 0;
        foreach (long count in counts)
            total += count;
        for (int value = 0; value < counts.Length; value++)
        {
            sum += counts[value];
            if (sum >= share * total)
                return value;
        }
        return counts.Length - 1;
    }
}
