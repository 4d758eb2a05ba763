using System.Globalization;
using System.Text;

namespace LfrEngine.Programs;

/// <summary>Makes untrusted names safe to show: a file name can contain line ends and terminal escape sequences.</summary>
internal static class Shown
{
    // Maximum length shown.
    private const int Longest = 80;

    /// <summary>The name on one line: control characters, and marks that turn the direction of writing, as <c>\x1B</c> or <c>\u202E</c>.</summary>
    public static string Name(string name) => name.Length > Longest ? Escaped(name[..Longest]) + "…" : Escaped(name);

    private static string Escaped(string text)
    {
        if (!text.Any(IsHarmful))
            return text;
        var shown = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (IsHarmful(c))
                shown.Append(CultureInfo.InvariantCulture, $"{(c < 0x100 ? $"\\x{(int)c:X2}" : $"\\u{(int)c:X4}")}");
            else
                shown.Append(c);
        }
        return shown.ToString();
    }

    /// <summary>Text of several lines: as <see cref="Name"/>, but line ends stay.</summary>
    public static string Text(string text) => string.Join('\n', text.Split('\n').Select(line => Escaped(line.TrimEnd('\r'))));

    /// <summary>Whether a name shows what it is: nothing in it is invisible or turns the direction of writing.</summary>
    /// <param name="name">Untrusted.</param>
    /// <param name="lines">Whether it may have several lines.</param>
    public static bool IsPlain(string name, bool lines = false) => !name.Any(c => IsHarmful(c) && !(lines && c is '\n' or '\r' or '\t'));

    // Joiners (U+200C, U+200D) are letters' parts in some languages, and stay.
    private static bool IsHarmful(char c) => char.IsControl(c) || c is '\u061C' or '\u200B' or '\u2028' or '\u2029' or '\u200E' or '\u200F' or '\u2060' or '\uFEFF' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069');
}
