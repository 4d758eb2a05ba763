using System.Text;
using LfrEngine.Files;

namespace LfrEngine.Cli.Screen;

/// <summary>File names for the pictures of alerts, from run, camera, tracklet and identity. Existing files are never replaced.</summary>
internal static class PictureNames
{
    /// <summary>Maximum length of a name on common file systems, UTF-8 bytes.</summary>
    public const int LongestName = 255;

    // The tracklet and the beginning of the identity always follow.
    private const int LongestCamera = 80;

    private const string Ending = ".jpg";
    private const int MostOfOneName = 10_000;

    /// <summary>Writes a picture under a new name, atomically.</summary>
    /// <param name="folder">Exists.</param>
    /// <param name="run">The alert's run.</param>
    /// <param name="camera">Where.</param>
    /// <param name="tracklet">On that camera.</param>
    /// <param name="identity">The matched identity.</param>
    /// <param name="picture">Content of the file. Borrowed.</param>
    /// <returns>Path of the file.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static string Write(string folder, string run, string camera, long tracklet, string identity, ReadOnlySpan<byte> picture)
    {
        // Two ids can give the same name when they are shortened, or on a case-insensitive file system.
        for (int count = 1; ; count++)
        {
            string path = Path.Combine(folder, Of(run, camera, tracklet, identity, count));
            if (count < MostOfOneName && Path.Exists(path))
                continue;
            try
            {
                using OutputFile file = OutputFile.Begin(path, replace: false);
                file.Stream.Write(picture);
                file.Finish();
                return path;
            }
            catch (IOException) when (count < MostOfOneName && Path.Exists(path))
            {
                // The name was taken in between.
            }
        }
    }

    /// <summary>A name.</summary>
    /// <param name="run">Prefix with the run's time, so that the name is not a reserved word of Windows and does not begin with a dot or a dash.</param>
    /// <param name="camera">As named by the user.</param>
    /// <param name="tracklet">On that camera.</param>
    /// <param name="identity">As named by the user.</param>
    /// <param name="count">From 2 on part of the name.</param>
    public static string Of(string run, string camera, long tracklet, string identity, int count)
    {
        string end = (count > 1 ? $"-{count}" : "") + Ending;
        return Cut(Safe($"{run}-{Cut(camera, LongestCamera)}-{tracklet}-{identity}"), LongestName - end.Length) + end;
    }

    // Characters that shells or Windows do not accept, and invisible ones, become "_".
    private static string Safe(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            safe.Append(Rune.IsLetterOrDigit(rune) || rune.Value is '-' or '_' or '.' ? rune.ToString() : "_");
        return safe.ToString();
    }

    private static string Cut(string text, int bytes)
    {
        int length = 0, used = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            used += rune.Utf8SequenceLength;
            if (used > bytes)
                break;
            length += rune.Utf16SequenceLength;
        }
        return text[..length];
    }
}
