using System.Runtime.InteropServices;

namespace LfrEngine.Native.Files;

/// <summary>Renames a file without replacing an existing one.</summary>
public static partial class NewName
{
    private const int FromWorkingFolder = -100;
    private const uint NoReplace = 1;
    private const int NotPermitted = 1, NotAllowed = 13, Exists = 17, NotHere = 22, NotKnown = 38;

    /// <summary>Moves a file within its file system; an existing file with that name is kept.</summary>
    /// <remarks>.NET checks for the other file first and then moves: two programs that do so at the same time replace each other's file.</remarks>
    /// <exception cref="IOException">The name is taken, or the file cannot be moved.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not write there.</exception>
    public static void Give(string file, string path)
    {
        if (OperatingSystem.IsLinux())
        {
            if (Rename(FromWorkingFolder, file, FromWorkingFolder, path, NoReplace) == 0)
                return;
            int error = Marshal.GetLastPInvokeError();
            if (error == Exists)
                throw new IOException($"{path} already exists.", error);
            string why = $"{path}: {UnixFiles.Failure(error).Message}";
            if (error is NotAllowed or NotPermitted)
                throw new UnauthorizedAccessException(why);
            // Some network and flash file systems do not support it.
            if (error is not (NotKnown or NotHere))
                throw new IOException(why, error);
        }
        File.Move(file, path, overwrite: false);
    }

    [LibraryImport("libc", EntryPoint = "renameat2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Rename(int oldFolder, string oldPath, int newFolder, string newPath, uint flags);
}
