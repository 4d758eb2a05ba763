using LfrEngine.Files;
using LfrEngine.Native.Processes;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Watchlists;

/// <summary>Detects the picture format of a file by its content, not by its name.</summary>
/// <remarks>FFmpeg reads hundreds of formats, including play lists that refer to other files, which must not be accepted as photos.</remarks>
public static class PhotoFormat
{
    private const int LongestMark = 12;

    // A file that only has the name of a picture counts as damaged, which is reported when it is read.
    private static readonly string[] s_endings = [".jpg", ".jpeg", ".png", ".bmp", ".webp"];

    /// <summary>All accepted formats.</summary>
    public const string All = "JPEG, PNG, BMP, WebP, GIF, TIFF, HEIC or AVIF";

    /// <summary>Whether a file is a picture, or at least has the name of one. False for hidden files and files that cannot be opened.</summary>
    public static bool IsPicture(string path)
    {
        if (Path.GetFileName(path).StartsWith('.') || FileKind.OfOther(path) is not null)
            return false;
        if (s_endings.Contains(Path.GetExtension(path).ToLowerInvariant()))
            return true;
        try
        {
            using SafeFileHandle file = InputFile.Open(path);
            Span<byte> start = stackalloc byte[LongestMark];
            return NameOf(start[..RandomAccess.Read(file, start, 0)]) is not null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Name of the format; null for anything else.</summary>
    /// <param name="file">The first bytes of the file. Borrowed.</param>
    public static string? NameOf(ReadOnlySpan<byte> file)
    {
        if (file.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]))
            return "JPEG";
        if (file.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]))
            return "PNG";
        if (file.StartsWith("BM"u8))
            return "BMP";
        if (file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8))
            return "GIF";
        if (file.StartsWith((ReadOnlySpan<byte>)[(byte)'I', (byte)'I', 42, 0]) || file.StartsWith((ReadOnlySpan<byte>)[(byte)'M', (byte)'M', 0, 42]))
            return "TIFF";
        if (file.Length < 12)
            return null;
        if (file.StartsWith("RIFF"u8) && file[8..12].SequenceEqual("WEBP"u8))
            return "WebP";
        if (!file[4..8].SequenceEqual("ftyp"u8))
            return null;
        ReadOnlySpan<byte> brand = file[8..12];
        if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
            return "AVIF";
        return brand.SequenceEqual("heic"u8) || brand.SequenceEqual("heix"u8) || brand.SequenceEqual("hevc"u8) || brand.SequenceEqual("heim"u8)
            || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8) ? "HEIC" : null;
    }
}
