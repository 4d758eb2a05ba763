using System.Runtime.InteropServices;
using Xunit;

namespace LfrEngine.Tests.Matching;

/// <summary>One page with an inaccessible one behind it: whoever reads past <see cref="End"/> dies.</summary>
internal sealed unsafe partial class GuardedPage : IDisposable
{
    private readonly nint pages;

    public GuardedPage()
    {
        pages = MemoryMap(0, (nuint)(2 * Environment.SystemPageSize), 3, 0x22, -1, 0);
        Assert.NotEqual(-1, pages);
        Assert.Equal(0, MemoryProtect(pages + Environment.SystemPageSize, (nuint)Environment.SystemPageSize, 0));
    }

    /// <summary>First byte that must not be touched.</summary>
    public byte* End => (byte*)pages + Environment.SystemPageSize;

    public void Dispose() => _ = MemoryUnmap(pages, (nuint)(2 * Environment.SystemPageSize));

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int MemoryProtect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint address, nuint length);
}
