using LfrEngine.Files;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Watchlists;

/// <summary>Unbuffered file access from and to borrowed memory.</summary>
internal static class FileBytes
{
    /// <summary>Fills the destination.</summary>
    /// <exception cref="EndOfStreamException">The file ends first.</exception>
    public static void ReadExactly(SafeFileHandle file, Span<byte> destination, long offset)
    {
        while (!destination.IsEmpty)
        {
            int read = RandomAccess.Read(file, destination, offset);
            if (read == 0)
                throw new EndOfStreamException("The file ended while it was being read.");
            destination = destination[read..];
            offset += read;
        }
    }

    /// <summary>Creates a file that must not exist, unbuffered, readable only by its owner.</summary>
    public static FileStream CreateNew(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    public static WatchlistException WriteFailure(string path, Exception error) =>
        FileTrouble.IsDiskFull(error)
            ? new WatchlistException(WatchlistFailure.DiskFull, $"{path}: the disk is full; nothing was changed. Free some space or write elsewhere.", error)
            : new WatchlistException(WatchlistFailure.WriteFailed, $"{path}: cannot be written; nothing was changed. {FileTrouble.Words(error)}", error);
}
