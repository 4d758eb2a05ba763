using System.Diagnostics;
using System.Runtime.InteropServices;
using LfrEngine.Matching;
using Xunit;

namespace LfrEngine.Tests.Matching;

public sealed unsafe partial class ScoreKernelTests
{
    private const string ExpectedVariable = "LFR_TEST_WIDEST";

    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<ScoreKernel.InstructionSet>()];

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Score_Lengths1To256_EqualsTheScalarReferenceBitForBit(string name)
    {
        var instructions = Enum.Parse<ScoreKernel.InstructionSet>(name);
        Assert.SkipUnless(instructions <= ScoreKernel.Widest, $"{name} is not on this machine.");
        var random = new Random(4);
        for (int length = 1; length <= 256; length++)
        {
            int stride = (length + 15) / 16 * 16;
            var rows = new float[8 * stride];
            for (int r = 0; r < 8; r++)
                Fill(random, rows.AsSpan(r * stride, length));
            var probes = new float[4 * length];
            Fill(random, probes);
            var scores = new float[4 * 8];
            fixed (float* row = rows, probe = probes, score = scores)
            {
                for (int count = 1; count <= 4; count++)
                {
                    ScoreKernel.Score(instructions, probe, count, length, row, stride, 7, score, 8);
                    for (int p = 0; p < count; p++)
                    {
                        for (int r = 0; r < 7; r++)
                            Assert.Equal(Bits(ScoreKernel.ScalarDot(probe + (p * length), row + (r * stride), length)), Bits(score[(p * 8) + r]));
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Score_BuffersEndAtAGuardPage_ReadsNotBeyond(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses mprotect.");
        var instructions = Enum.Parse<ScoreKernel.InstructionSet>(name);
        Assert.SkipUnless(instructions <= ScoreKernel.Widest, $"{name} is not on this machine.");
        int page = Environment.SystemPageSize;
        byte* probePages = MapWithGuard(page);
        byte* rowPages = MapWithGuard(page);
        byte* scorePages = MapWithGuard(page);
        foreach (int length in Enumerable.Range(1, 70).Append(128))
        {
            int stride = (length + 15) / 16 * 16;
            for (int probes = 1; probes <= 4; probes++)
            {
                float* probe = (float*)(probePages + page) - (probes * length);
                float* rows = (float*)(rowPages + page) - (4 * stride);
                float* scores = (float*)(scorePages + page) - (probes * 4);
                new Span<float>(probe, probes * length).Fill(1);
                new Span<float>(rows, 4 * stride).Clear();
                for (int r = 0; r < 4; r++)
                    new Span<float>(rows + (r * stride), length).Fill(1);
                ScoreKernel.Score(instructions, probe, probes, length, rows, stride, 3, scores, 4);
                for (int p = 0; p < probes; p++)
                    Assert.Equal(length, scores[(p * 4) + 2]);
            }
        }
        foreach (nint pages in new[] { (nint)probePages, (nint)rowPages, (nint)scorePages })
            _ = MemoryUnmap(pages, (nuint)(2 * page));
    }

    [Theory]
    [InlineData("DOTNET_EnableAVX512", "Vector256")]
    [InlineData("DOTNET_EnableAVX2", "Vector128|Scalar")]
    [InlineData("DOTNET_EnableHWIntrinsic", "Scalar")]
    public void Widest_InstructionSetSwitchedOff_FallsBackAndStillAgrees(string variable, string expected)
    {
        Assert.SkipUnless(RuntimeInformation.ProcessArchitecture == Architecture.X64, "Switches of x64.");
        Assert.SkipUnless(ScoreKernel.Widest >= ScoreKernel.InstructionSet.Vector256, "Nothing to switch off.");
        Assert.SkipUnless(Environment.GetEnvironmentVariable(ExpectedVariable) is null, "This is the child process.");
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ScoreKernelTests).Assembly.Location);
        foreach (string method in new[] { nameof(Child_Widest_IsAsExpected), nameof(Score_Lengths1To256_EqualsTheScalarReferenceBitForBit) })
        {
            start.ArgumentList.Add("-method");
            start.ArgumentList.Add($"{typeof(ScoreKernelTests).FullName}.{method}");
        }
        start.Environment[variable] = "0";
        start.Environment[ExpectedVariable] = expected;
        using Process child = Process.Start(start)!;
        string output = child.StandardOutput.ReadToEnd() + child.StandardError.ReadToEnd();
        child.WaitForExit();
        Assert.True(child.ExitCode == 0, output);
        Assert.Contains("Total: 5", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Child_Widest_IsAsExpected()
    {
        string? expected = Environment.GetEnvironmentVariable(ExpectedVariable);
        Assert.SkipWhen(expected is null, "Runs in the child process of another test.");
        Assert.Contains(ScoreKernel.Widest.ToString(), expected.Split('|'));
    }

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static void Fill(Random random, Span<float> values)
    {
        foreach (ref float value in values)
            value = (float)(random.NextDouble() - 0.5);
    }

    private static byte* MapWithGuard(int page)
    {
        nint address = MemoryMap(0, (nuint)(2 * page), 3, 0x22, -1, 0);
        Assert.NotEqual(-1, address);
        Assert.Equal(0, MemoryProtect(address + page, (nuint)page, 0));
        return (byte*)address;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MemoryMap(nint address, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int MemoryProtect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MemoryUnmap(nint address, nuint length);
}
