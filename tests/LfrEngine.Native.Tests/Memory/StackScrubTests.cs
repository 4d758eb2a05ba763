using System.Runtime.CompilerServices;
using LfrEngine.Native.Memory;

namespace LfrEngine.Native.Tests.Memory;

/// <summary>What a deep call left on the stack is gone, on a thread with .NET's default stack.</summary>
public sealed unsafe class StackScrubTests
{
    private const int PatternBytes = 400 * 1024;
    private const byte Pattern = 0xB7;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Wipe_AfterADeepCall_LeavesNoPattern(bool wipe)
    {
        int left = OnThread(0, () =>
        {
            byte* where = LeavePattern();
            if (wipe)
                StackScrub.Wipe();
            return CountPattern(where);
        });
        // Without wiping the pattern is found: the count looks at the right place.
        // What is left lies in gaps of the wiping method's own frame.
        if (wipe)
            Assert.InRange(left, 0, 31);
        else
            Assert.True(left > PatternBytes * 9 / 10, $"{left} bytes");
    }

    [Fact]
    public void Join_WipesOnceWhenTheOutermostScopeEnds()
    {
        (int within, int nested, int after) = (0, 0, 0);
        int wiped = OnThread(0, () =>
        {
            byte* where;
            using (StackScrub.Join())
            {
                using (StackScrub.Join())
                {
                    where = LeavePattern();
                    StackScrub.Wipe();
                    within = CountPattern(where);
                }
                nested = CountPattern(where);
            }
            after = CountPattern(where);
            // A scope in which nothing asked for a wipe makes none.
            using (StackScrub.Join())
                where = LeavePattern();
            return CountPattern(where) > PatternBytes * 9 / 10 ? 0 : 1;
        });
        Assert.Equal(0, wiped);
        Assert.True(within > PatternBytes * 9 / 10 && nested > PatternBytes * 9 / 10, $"{within} and {nested} bytes");
        Assert.InRange(after, 0, 31);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(192 * 1024)]
    [InlineData(512 * 1024)]
    public void Wipe_OnAnyStack_ReturnsAndCanBeRepeated(int stackBytes)
    {
        int calls = OnThread(stackBytes, () =>
        {
            for (int i = 0; i < 100; i++)
                StackScrub.Wipe();
            return Recurse(20);
        });
        Assert.Equal(20, calls);
    }

    // Deeper levels wipe what is below them, never what their callers hold.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Recurse(int depth)
    {
        Span<byte> mine = stackalloc byte[512];
        mine.Fill((byte)depth);
        StackScrub.Wipe();
        int calls = depth > 1 ? Recurse(depth - 1) + 1 : 1;
        return mine.ContainsAnyExcept((byte)depth) ? -1000 : calls;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static byte* LeavePattern()
    {
        byte* bytes = stackalloc byte[PatternBytes];
        new Span<byte>(bytes, PatternBytes).Fill(Pattern);
        return bytes;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int CountPattern(byte* where)
    {
        int count = 0;
        for (int i = 0; i < PatternBytes; i++)
            count += where[i] == Pattern ? 1 : 0;
        return count;
    }

    private static int OnThread(int stackBytes, Func<int> work)
    {
        int result = 0;
        Thread thread = new(() => result = work(), stackBytes);
        thread.Start();
        thread.Join();
        return result;
    }
}
