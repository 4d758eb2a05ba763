using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Native.Files;

/// <summary>An append-only file of complete lines, with a single writer.</summary>
/// <remarks>
/// Each line is one write at the current end of the file; a line that does not fit on the disk is removed completely. The writer holds an
/// advisory lock, so that a second writer is refused: two would remove each other's lines. Readers are not affected. Pipes and devices are
/// written without a lock.
/// </remarks>
public sealed class AppendFile : IDisposable
{
    private const int WriteOnly = 1, Create = 0x40, Append = 0x400, CloseOnExec = 0x80000, NonBlocking = 0x800;
    private const int NotAllowed = 13, TryAgain = 11, NobodyReads = 6;
    private const int ReaderMs = 5000, PollMs = 50;
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly SafeFileHandle file;
    private readonly FileStream? stream;
    private readonly bool isRegular;
    private bool endsInMidLine;

    private AppendFile(SafeFileHandle file, FileStream? stream, bool isRegular, bool endsInMidLine) =>
        (this.file, this.stream, this.isRegular, this.endsInMidLine) = (file, stream, isRegular, endsInMidLine);

    /// <summary>Opens or creates a file.</summary>
    /// <exception cref="FileInUseException">Another writer has the file.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static AppendFile Open(string path) => OperatingSystem.IsLinux() ? OpenLinux(path) : OpenElsewhere(path);

    /// <summary>Whether the file was deleted, so that what is written to it is lost when it is closed. Not possible on Windows.</summary>
    public bool IsDeleted => isRegular && stream is null && UnixFiles.Identify((int)file.DangerousGetHandle()).Links == 0;

    /// <summary>Writes one line.</summary>
    /// <param name="line">Including its line end.</param>
    /// <exception cref="IOException">The line could not be written; nothing of it is left in the file.</exception>
    public void Write(ReadOnlySpan<byte> line)
    {
        long before = isRegular ? RandomAccess.GetLength(file) : 0;
        try
        {
            // An unfinished line of a killed program must not be joined with this line.
            if (endsInMidLine)
                WriteAtEnd("\n"u8);
            WriteAtEnd(line);
            endsInMidLine = false;
        }
        catch (IOException) when (isRegular && RandomAccess.GetLength(file) > before)
        {
            RandomAccess.SetLength(file, before);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stream?.Dispose();
        file.Dispose();
    }

    private static AppendFile OpenLinux(string path)
    {
        const uint OwnerGroupOthers = 0x1B6;
        // Opening a pipe waits for a reader, possibly without end.
        int descriptor = UnixFiles.Open(path, WriteOnly | Create | Append | CloseOnExec | NonBlocking, OwnerGroupOthers);
        using var never = new ManualResetEventSlim();
        for (int waited = 0; descriptor < 0 && System.Runtime.InteropServices.Marshal.GetLastPInvokeError() == NobodyReads && waited < ReaderMs; waited += PollMs)
        {
            never.Wait(PollMs);
            descriptor = UnixFiles.Open(path, WriteOnly | Create | Append | CloseOnExec | NonBlocking, OwnerGroupOthers);
        }
        if (descriptor < 0)
        {
            int error = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
            string why = error == NobodyReads ? $"No program reads from {path}. Start the reader first." : $"{path}: {UnixFiles.Failure(error).Message}";
            throw error == NotAllowed ? new UnauthorizedAccessException(why) : new IOException(why, error);
        }
        UnixFiles.SetBlocking(descriptor);
        var file = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            FileIdentity identity = UnixFiles.Identify(descriptor);
            // Without locks, as on some network drives, lines are still complete.
            if (identity.IsRegular && !UnixFiles.TryLock(descriptor, out int error) && error is TryAgain or NotAllowed)
                throw new FileInUseException(path);
            if (identity.IsRegular && !BeginsLikeText(path))
                throw new IOException($"{path} is not a file of lines, so it was not changed.");
            ShareWithStandardStreams(identity);
            return new AppendFile(file, null, identity.IsRegular, identity.IsRegular && EndsInMidLine(path));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static AppendFile OpenElsewhere(string path)
    {
        try
        {
            // Windows refuses other writers itself.
            var stream = new FileStream(path, FileMode.Append, FileAccess.Write, OperatingSystem.IsWindows() ? FileShare.Read : FileShare.None, bufferSize: 0);
            return new AppendFile(stream.SafeFileHandle, stream, stream.CanSeek, stream.CanSeek && EndsInMidLine(path));
        }
        catch (IOException e) when (e.HResult == SharingViolation)
        {
            throw new FileInUseException(path);
        }
    }

    // `--out alerts.jsonl > alerts.jsonl`: standard output would otherwise write over what is appended here.
    private static void ShareWithStandardStreams(FileIdentity identity)
    {
        for (int standard = 1; standard <= 2 && identity.IsRegular; standard++)
        {
            if (UnixFiles.WasGiven(standard) && UnixFiles.Identify(standard) == identity)
                UnixFiles.SetAppending(standard);
        }
    }

    // A file that is not text may be a recording or a watchlist.
    private static bool BeginsLikeText(string path)
    {
        try
        {
            using SafeFileHandle reading = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> start = stackalloc byte[512];
            return !start[..RandomAccess.Read(reading, start, 0)].Contains((byte)0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It may be writable but not readable, so it cannot be checked.
            return true;
        }
    }

    private static bool EndsInMidLine(string path)
    {
        try
        {
            using SafeFileHandle reading = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> last = stackalloc byte[1];
            long length = RandomAccess.GetLength(reading);
            return length > 0 && RandomAccess.Read(reading, last, length - 1) == 1 && last[0] != (byte)'\n';
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It may be writable but not readable, so it cannot be checked.
            return false;
        }
    }

    private void WriteAtEnd(ReadOnlySpan<byte> bytes)
    {
        if (stream is not null)
        {
            if (isRegular)
                stream.Seek(0, SeekOrigin.End);
            stream.Write(bytes);
            return;
        }
        UnixFiles.Write((int)file.DangerousGetHandle(), bytes);
    }
}

/// <summary>Another writer has the file.</summary>
/// <param name="path">The file.</param>
public sealed class FileInUseException(string path) : IOException($"Another program is writing {path}.");
