using System.Text.RegularExpressions;

namespace LfrEngine.Files;

/// <summary>Sentences for errors of the file system. The message around them names the file.</summary>
public static partial class FileTrouble
{
    private const int NoSuchFile = 2, NotAFolder = 20, IsAFolder = 21, TooManyOpen = 24, NoSpace = 28, ReadOnly = 30, OverQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether the disk is full.</summary>
    public static bool IsDiskFull(Exception e) => e.HResult is NoSpace or OverQuota or WindowsDiskFull or WindowsHandleDiskFull;

    /// <summary>A short sentence, such as "The disk is full."; for other errors the system's message.</summary>
    /// <param name="e">What reading or writing threw.</param>
    public static string Words(Exception e) => e switch
    {
        FileNotFoundException => "The file does not exist.",
        DirectoryNotFoundException => "The folder does not exist.",
        PathTooLongException => "The name is too long for the file system.",
        UnauthorizedAccessException => "This user has no permission.",
        _ when IsDiskFull(e) => "The disk is full.",
        { HResult: NoSuchFile } => "The folder does not exist.",
        { HResult: NotAFolder } => "A part of the path is a file, not a folder.",
        { HResult: IsAFolder } => "It is a folder, not a file.",
        { HResult: ReadOnly } => "The disk is read-only.",
        { HResult: TooManyOpen } => "Too many files are open (`ulimit -n`).",
        // .NET adds the path, which may be that of a temporary file.
        _ => PathAtEnd().Replace(Sentence.Of(e.Message), "").TrimEnd('.') + ".",
    };

    [GeneratedRegex(@" : '[^']*'\.?$")]
    private static partial Regex PathAtEnd();
}
