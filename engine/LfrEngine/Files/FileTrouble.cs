using System.Text.RegularExpressions;

namespace LfrEngine.Files;

/// <summary>What a file system refuses, in words; the message around them names the file.</summary>
public static partial class FileTrouble
{
    private const int NoSuchFile = 2, TooManyOpen = 24, NoSpace = 28, ReadOnly = 30, OverQuota = 122;
    private const int WindowsDiskFull = unchecked((int)0x80070070), WindowsHandleDiskFull = unchecked((int)0x80070027);

    /// <summary>Whether there is no room.</summary>
    public static bool IsDiskFull(Exception e) => e.HResult is NoSpace or OverQuota or WindowsDiskFull or WindowsHandleDiskFull;

    /// <summary>A short sentence, such as "The disk is full."; what is not known to mean something to people comes in the system's words.</summary>
    /// <param name="e">What reading or writing threw.</param>
    public static string Words(Exception e) => e switch
    {
        FileNotFoundException => "There is no such file.",
        DirectoryNotFoundException => "There is no such folder.",
        PathTooLongException => "The name is longer than the file system takes.",
        UnauthorizedAccessException => "This user has no permission.",
        _ when IsDiskFull(e) => "The disk is full.",
        { HResult: NoSuchFile } => "There is no such folder.",
        { HResult: ReadOnly } => "The disk is read-only.",
        { HResult: TooManyOpen } => "Too many files are open (`ulimit -n`).",
        // .NET adds the path, which may be that of a part not yet in its place.
        _ => PathAtEnd().Replace(e.Message, "").TrimEnd('.') + ".",
    };

    [GeneratedRegex(@" : '[^']*'\.?$")]
    private static partial Regex PathAtEnd();
}
