using ScottPlot;

namespace LfrEngine.Lab.Output;

/// <summary>Draws curves with ScottPlot.</summary>
internal static class Plots
{
    private const int Width = 760, Height = 480;

    /// <summary>The drawing as an SVG element.</summary>
    public static string Svg(ReportCurve curve)
    {
        string svg = Draw(curve).GetSvgXml(Width, Height);
        // Without the XML declaration, which is not allowed inside a page.
        return svg[svg.IndexOf("<svg", StringComparison.Ordinal)..];
    }

    /// <summary>Writes the drawing as PNG, at twice the size for printing.</summary>
    public static void SavePng(ReportCurve curve, string path)
    {
        Plot plot = Draw(curve);
        plot.ScaleFactor = 2;
        plot.SavePng(path, 2 * Width, 2 * Height);
    }

    private static Plot Draw(ReportCurve curve)
    {
        var plot = new Plot();
        plot.Axes.Title.Label.Text = curve.Title;
        plot.Axes.Bottom.Label.Text = curve.X.Label;
        plot.Axes.Left.Label.Text = curve.Y.Label;
        if (curve.X.Logarithmic)
            plot.Axes.Bottom.TickGenerator = PowersOfTen();
        if (curve.Y.Logarithmic)
            plot.Axes.Left.TickGenerator = PowersOfTen();
        var palette = new ScottPlot.Palettes.Category10();
        for (int s = 0; s < curve.Series.Count; s++)
        {
            ReportSeries series = curve.Series[s];
            int[] shown = [.. Enumerable.Range(0, series.X.Count).Where(i => Shown(curve.X, series.X[i]) && Shown(curve.Y, series.Y[i]))];
            if (shown.Length == 0)
                continue;
            double[] x = [.. shown.Select(i => Place(curve.X, series.X[i]))], y = [.. shown.Select(i => Place(curve.Y, series.Y[i]))];
            Color colour = palette.GetColor(s);
            if (series is { Low: { } low, High: { } high })
            {
                // On a logarithmic axis, a band that reaches zero ends at the line.
                double[] bottom = [.. shown.Select((i, k) => Shown(curve.Y, low[i]) ? Place(curve.Y, low[i]) : y[k])], top = [.. shown.Select(i => Place(curve.Y, high[i]))];
                var band = plot.Add.FillY(x, bottom, top);
                band.FillColor = colour.WithAlpha(0.18);
                band.LineWidth = 0;
            }
            var line = plot.Add.Scatter(x, y);
            line.Color = colour;
            line.LineWidth = 2;
            line.MarkerSize = x.Length < 30 ? 5 : 0;
            line.LegendText = series.Name;
        }
        if (curve.Series.Count > 1)
            plot.ShowLegend(Edge.Right);
        return plot;
    }

    private static bool Shown(ReportAxis axis, double value) => double.IsFinite(value) && (!axis.Logarithmic || value > 0);

    private static double Place(ReportAxis axis, double value) => axis.Logarithmic ? Math.Log10(value) : value;

    private static ScottPlot.TickGenerators.NumericAutomatic PowersOfTen() => new()
    {
        IntegerTicksOnly = true,
        LabelFormatter = exponent => Math.Pow(10, exponent).ToString("0.########", CultureInfo.InvariantCulture),
    };
}
