using LfrEngine.Native.Processes;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Files;

/// <summary>A pipe, a socket, a device or a folder was given instead of a file; the message names it.</summary>
public sealed class NotAFileException(string message) : IOException(message);

/// <summary>Opens files given by the user. Pipes, sockets, devices and folders are refused before an open can block.</summary>
public static class InputFile
{
    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="IOException">The path is not a file, does not exist, or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not read it.</exception>
    public static SafeFileHandle Open(string path)
    {
        Check(path);
        return File.OpenHandle(path);
    }

    /// <summary>Opens a file as a stream without a buffer.</summary>
    /// <inheritdoc cref="Open"/>
    public static FileStream OpenStream(string path) => new(Open(path), FileAccess.Read, bufferSize: 0);

    /// <summary>The bytes of a file without biometric data.</summary>
    /// <inheritdoc cref="Open"/>
    public static byte[] ReadBytes(string path)
    {
        Check(path);
        return File.ReadAllBytes(path);
    }

    /// <summary>The text of a file, UTF-8 unless it has another byte order mark.</summary>
    /// <inheritdoc cref="Open"/>
    public static string ReadText(string path)
    {
        Check(path);
        return File.ReadAllText(path);
    }

    /// <summary>The lines of a file, one by one.</summary>
    /// <inheritdoc cref="Open"/>
    public static IEnumerable<string> ReadLines(string path)
    {
        Check(path);
        return File.ReadLines(path);
    }

    /// <summary>Throws if the path exists and is not a file.</summary>
    /// <exception cref="NotAFileException">The message says what it is.</exception>
    public static void Check(string path)
    {
        if (FileKind.OfOther(path) is { } kind)
            throw new NotAFileException($"{Path.GetFileName(Path.TrimEndingDirectorySeparator(path))} is {kind}, not a file.");
    }
}
