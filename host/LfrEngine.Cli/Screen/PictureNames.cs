using System.Text;
using LfrEngine.Files;

namespace LfrEngine.Cli.Screen;

/// <summary>Files for the pictures of alerts: named after run, camera, tracklet and identity, and never one that is there already.</summary>
internal static class PictureNames
{
    /// <summary>Bytes of UTF-8 that every usual file system takes for a name.</summary>
    public const int LongestName = 255;

    // The tracklet and the beginning of the identity always follow.
    private const int LongestCamera = 80;

    private const string Ending = ".jpg";
    private const int MostOfOneName = 10_000;

    /// <summary>Writes a picture under a new name, whole or not at all.</summary>
    /// <param name="folder">Exists.</param>
    /// <param name="run">The alert's run.</param>
    /// <param name="camera">Where.</param>
    /// <param name="tracklet">On that camera.</param>
    /// <param name="identity">Like whom.</param>
    /// <param name="picture">Content of the file. Borrowed.</param>
    /// <returns>Path of the file.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static string Write(string folder, string run, string camera, long tracklet, string identity, ReadOnlySpan<byte> picture)
    {
        // Two ids can be one name when they are cut, or where letters are not told apart.
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
                // Somebody took the name in between.
            }
        }
    }

    /// <summary>A name.</summary>
    /// <param name="run">Begins it, with the run's time: no reserved word of Windows, no dot, no dash.</param>
    /// <param name="camera">In the user's words.</param>
    /// <param name="tracklet">On that camera.</param>
    /// <param name="identity">In the user's words.</param>
    /// <param name="count">From 2 on part of the name.</param>
    public static string Of(string run, string camera, long tracklet, string identity, int count)
    {
        string end = (count > 1 ? $"-{count}" : "") + Ending;
        return Cut(Safe($"{run}-{Cut(camera, LongestCamera)}-{tracklet}-{identity}"), LongestName - end.Length) + end;
    }

    // What shells or Windows do not take, and what a person cannot see, becomes "_".
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
