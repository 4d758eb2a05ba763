using System.Globalization;

namespace LfrEngine.Programs;

/// <summary>Measured numbers for people.</summary>
internal static class NumberText
{
    /// <summary>With significant digits only.</summary>
    public static string Of(double value)
    {
        double size = Math.Abs(value);
        return size >= 1e15 || (size > 0 && size < 1e-3) ? value.ToString("0.00e0", CultureInfo.InvariantCulture)
            : value == Math.Floor(value) ? value.ToString("#,0", CultureInfo.InvariantCulture)
            : value.ToString(size < 10 ? "0.####" : "#,0.#", CultureInfo.InvariantCulture);
    }
}
