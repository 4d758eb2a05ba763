using System.Globalization;

namespace LfrEngine.Programs;

/// <summary>A number with its noun, in code and in the resource files of the console: <c>{new Counted(n):face|faces}</c> is "1 face" or "2 faces".</summary>
/// <param name="value">How many.</param>
/// <remarks><c>{…:#,0 face|faces}</c> groups the digits.</remarks>
internal readonly struct Counted(long value) : IFormattable
{
    private const string Grouped = "#,0 ";

    public string ToString(string? format, IFormatProvider? formatProvider)
    {
        bool isGrouped = format?.StartsWith(Grouped, StringComparison.Ordinal) == true;
        string number = value.ToString(isGrouped ? "#,0" : "0", CultureInfo.InvariantCulture);
        return format?[(isGrouped ? Grouped.Length : 0)..].Split('|') is [{ } one, { } several] ? $"{number} {(value == 1 ? one : several)}" : number;
    }

    public override string ToString() => ToString(null, null);
}
