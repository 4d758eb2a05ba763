using System.Runtime.InteropServices;

namespace LfrEngine.Native.Processes;

/// <summary>Type of the file at a path, without opening it, because opening a named pipe waits for a writer.</summary>
public static unsafe partial class FileKind
{
    private const int WorkingFolder = -100;
    private const uint WantType = 1;
    private const int StructBytes = 256, ModeOffset = 28;
    private const int TypeMask = 0xF000, Pipe = 0x1000, CharacterDevice = 0x2000, Folder = 0x4000, BlockDevice = 0x6000, Socket = 0xC000;

    /// <summary>Its type as text, such as "a named pipe", if it exists and is not a regular file; null otherwise.</summary>
    public static string? OfOther(string path)
    {
        if (OperatingSystem.IsLinux() && ModeOf(path) is { } mode)
        {
            return (mode & TypeMask) switch
            {
                Pipe => "a named pipe",
                CharacterDevice or BlockDevice => "a device",
                Folder => "a folder",
                Socket => "a socket",
                _ => null,
            };
        }
        return Directory.Exists(path) ? "a folder" : null;
    }

    // The only call whose structure is the same on every architecture. Null: the path does not exist, or its type is unknown.
    private static int? ModeOf(string path)
    {
        byte* status = stackalloc byte[StructBytes];
        return Status(WorkingFolder, path, 0, WantType, status) == 0 ? *(ushort*)(status + ModeOffset) : null;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Status(int folder, string path, int flags, uint mask, byte* status);
}
