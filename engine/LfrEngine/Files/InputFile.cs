using LfrEngine.Native.Processes;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Files;

/// <summary>Where a file is wanted lies a pipe, a socket, a device or a folder; the message names it.</summary>
public sealed class NotAFileException(string message) : IOException(message);

/// <summary>The one way to open a file that somebody names. Pipes, sockets, devices and folders are refused by name, before an opening can block.</summary>
public static class InputFile
{
    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">It is no file, is not there, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static SafeFileHandle Open(string path)
    {
        Check(path);
        return File.OpenHandle(path);
    }

    /// <summary>Opens a file as a stream that keeps nothing of it.</summary>
    /// <inheritdoc cref="Open"/>
    public static FileStream OpenStream(string path) => new(Open(path), FileAccess.Read, bufferSize: 0);

    /// <summary>The bytes of a file that holds nothing biometric.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] ReadBytes(string path)
    {
        Check(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>The text of a file, UTF-8 unless it says otherwise.</summary>
    /// <inheritdoc cref="Open"/>
    public static string ReadText(string path)
    {
        Check(path);
        return File.ReadAllText(path);
    }

    /// <summary>The lines of such a file, one by one.</summary>
    /// <inheritdoc cref="Open"/>
    public static IEnumerable<string> ReadLines(string path)
    {
        Check(path);
        return File.ReadLines(path);
    }

    /// <summary>Throws if something is there that is no file.</summary>
    /// <exception cref="NotAFileException">It says what it is.</exception>
    public static void Check(string path)
    {
        if (FileKind.OfOther(path) is { } kind)
            throw new NotAFileException($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(path))} is {kind}, not a file.");
    }
}
