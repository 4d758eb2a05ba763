using System.Text;

namespace LfrEngine.CApi.Interop;

/// <summary>Converts texts from and to C.</summary>
internal static unsafe class Text
{
    private const int Longest = 1 << 16;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a required text.</summary>
    public static string Read(byte* text, string argument) => ReadOrNull(text, argument) ?? throw new StatusException(Status.BadArgument, $"{argument} is NULL.");

    /// <summary>The path of a file or folder.</summary>
    public static string ReadPath(byte* text, string argument) =>
        Read(text, argument) is { Length: > 0 } path ? path : throw new StatusException(Status.BadArgument, $"{argument} is empty.");

    /// <summary>Reads a text that may be NULL.</summary>
    public static string? ReadOrNull(byte* text, string argument)
    {
        if (text is null)
            return null;
        int length = 0;
        while (length < Longest && text[length] != 0)
            length++;
        if (length == Longest)
            throw new StatusException(Status.BadArgument, $"{argument} has {Longest} bytes or more, or no zero byte at its end.");
        try
        {
            return Strict.GetString(text, length);
        }
        catch (DecoderFallbackException)
        {
            throw new StatusException(Status.BadArgument, $"{argument} is not UTF-8.");
        }
    }

    /// <summary>Fills a field of a structure, zero-terminated. A text that does not fit is cut between characters.</summary>
    public static void Copy(string text, byte* field, int room)
    {
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (at + rune.Utf8SequenceLength >= room)
                break;
            at += rune.EncodeToUtf8(new Span<byte>(field + at, room - at));
        }
        field[at] = 0;
    }

    /// <summary>A text that lives as long as the process.</summary>
    public static byte* Forever(string text) => Allocate(text);

    /// <summary>A text that <see cref="Free"/> ends; null for null.</summary>
    public static byte* Allocate(string? text)
    {
        if (text is null)
            return null;
        int bytes = Encoding.UTF8.GetByteCount(text);
        byte* copy = (byte*)NativeMemory.Alloc((nuint)bytes + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(copy, bytes));
        copy[bytes] = 0;
        return copy;
    }

    public static void Free(byte* text) => NativeMemory.Free(text);
}
