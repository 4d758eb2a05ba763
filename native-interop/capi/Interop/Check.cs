namespace LfrEngine.CApi.Interop;

/// <summary>Checks of arguments that all functions share.</summary>
internal static unsafe class Check
{
    public static void Given(void* pointer, string argument)
    {
        if (pointer is null)
            throw Bad($"{argument} is NULL.");
    }

    /// <summary>Requires a place for a result, which is 0 unless the call succeeds.</summary>
    public static void Result<T>(T* place, string argument)
        where T : unmanaged
    {
        Given(place, argument);
        *place = default;
    }

    /// <summary>Requires a structure of this version or a later one.</summary>
    public static void Sized<T>(T* structure, string argument)
        where T : unmanaged
    {
        Given(structure, argument);
        uint size = *(uint*)structure;
        if (size < sizeof(T))
            throw Bad($"{argument}.struct_size is {size}: set it to sizeof the structure, {sizeof(T)} or more.");
    }

    /// <summary>A structure that has grown since its first release: as much as caller and library both know; the rest is 0.</summary>
    /// <param name="structure">The caller's.</param>
    /// <param name="firstBytes">Its size then.</param>
    /// <param name="argument">Its name.</param>
    public static T Read<T>(T* structure, int firstBytes, string argument)
        where T : unmanaged
    {
        Given(structure, argument);
        T read = default;
        new ReadOnlySpan<byte>(structure, Common<T>(*(uint*)structure, firstBytes, argument)).CopyTo(new Span<byte>(&read, sizeof(T)));
        return read;
    }

    /// <summary>Fills as much of such a structure as caller and library both know.</summary>
    public static void Write<T>(T* structure, T value, int firstBytes, string argument)
        where T : unmanaged
    {
        Given(structure, argument);
        uint size = *(uint*)structure;
        new ReadOnlySpan<byte>(&value, Common<T>(size, firstBytes, argument)).CopyTo(new Span<byte>(structure, sizeof(T)));
        *(uint*)structure = size;
    }

    private static int Common<T>(uint size, int firstBytes, string argument)
        where T : unmanaged => size >= firstBytes
            ? (int)Math.Min(size, (uint)sizeof(T))
            : throw Bad($"{argument}.struct_size is {size}: set it to sizeof the structure, {firstBytes} or more.");

    public static void Range(long value, long least, long most, string argument)
    {
        if (most < least)
            throw Bad($"{argument} is {value}, but there is none yet.");
        if (value < least || value > most)
            throw Bad($"{argument} is {value}, not {least} to {most}.");
    }

    /// <summary>The same where 0 stands for another value.</summary>
    public static void RangeOrZero(long value, long least, long most, string argument, string zero)
    {
        if (value != 0 && (value < least || value > most))
            throw Bad($"{argument} is {value}, not {least} to {most}, or 0 for {zero}.");
    }

    /// <summary>Requires 0 in a field that is reserved for later versions.</summary>
    public static void Reserved(int value, string argument)
    {
        if (value != 0)
            throw Bad($"{argument} is {value}, not 0.");
    }

    public static void Timeout(int milliseconds, string argument)
    {
        if (milliseconds < -1)
            throw Bad($"{argument} is {milliseconds}: give milliseconds, or -1 to wait without end.");
    }

    /// <summary>Checks a buffer of the caller.</summary>
    public static void Room(void* buffer, long capacity, string argument)
    {
        if (capacity < 0)
            throw Bad($"The capacity of {argument} is {capacity}.");
        if (buffer is null && capacity > 0)
            throw Bad($"{argument} is NULL, but its capacity is {capacity}.");
    }

    /// <summary>Copies bytes to the caller, or reports how many there are.</summary>
    public static int CopyOut(ReadOnlySpan<byte> bytes, byte* buffer, long capacity, long* sizeBytes)
    {
        *sizeBytes = bytes.Length;
        if (capacity < bytes.Length)
            throw new StatusException(Status.BufferTooSmall, $"The buffer has room for {capacity} bytes; {bytes.Length} are needed.");
        bytes.CopyTo(new Span<byte>(buffer, bytes.Length));
        return (int)Status.Ok;
    }

    public static StatusException Bad(string message) => new(Status.BadArgument, message);
}
