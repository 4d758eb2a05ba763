using LfrEngine.Matching;
using Xunit;

namespace LfrEngine.Tests.Matching;

[Trait("Speed", "slow")]
public sealed unsafe class CodeKernelTests
{
    public static TheoryData<string> InstructionSets => [.. Enum.GetNames<ScoreKernel.InstructionSet>()];

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Multiply_Lengths1To256_EqualsSumsIn64Bits(string name)
    {
        var instructions = Supported(name);
        var random = new Random(4);
        // Every length up to 256, with tails of rows and probes; 512 and the longest there are.
        foreach (int length in Enumerable.Range(1, 256).Concat([512, 517, 4096]))
        {
            int stride = RowCodes.StrideOf(length), limit = CodeKernel.ProbeLimit(length), rowCount = 1 + (length % 9);
            var rows = new sbyte[12 * stride];
            var probes = new short[CodeKernel.ProbeStep * stride];
            // Every third time nothing but the largest magnitudes: sums must not overflow.
            int kind = length >= 512 ? 0 : length % 3;
            for (int r = 0; r < 12; r++)
            {
                for (int i = 0; i < length; i++)
                    rows[(r * stride) + i] = (sbyte)(kind == 0 ? (r % 2 == 0 ? CodeKernel.RowLimit : -CodeKernel.RowLimit) : random.Next(-CodeKernel.RowLimit, CodeKernel.RowLimit + 1));
            }
            for (int p = 0; p < CodeKernel.ProbeStep; p++)
            {
                for (int i = 0; i < length; i++)
                    probes[(p * stride) + i] = (short)(kind == 0 ? (p % 2 == 0 ? limit : -limit) : random.Next(-limit, limit + 1));
            }
            var sums = new int[CodeKernel.ProbeStep * 12];
            fixed (sbyte* row = rows)
            fixed (short* probe = probes)
            fixed (int* sum = sums)
            {
                for (int count = 1; count <= CodeKernel.ProbeStep; count++)
                {
                    sums.AsSpan().Fill(int.MinValue);
                    CodeKernel.Multiply(instructions, probe, count, row, stride, rowCount, sum, 12, fromMemory: count % 2 == 0);
                    for (int p = 0; p < count; p++)
                    {
                        for (int r = 0; r < rowCount; r++)
                        {
                            long expected = 0;
                            for (int i = 0; i < length; i++)
                                expected += (long)probes[(p * stride) + i] * rows[(r * stride) + i];
                            Assert.Equal(expected, sums[(p * 12) + r]);
                            Assert.Equal(expected, CodeKernel.ScalarDot(probe + (p * stride), row + (r * stride), stride));
                        }
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSets))]
    public void Multiply_BuffersEndAtAGuardPage_ReadsNotBeyond(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Uses mprotect.");
        var instructions = Supported(name);
        using var probePage = new GuardedPage();
        using var rowPage = new GuardedPage();
        using var sumPage = new GuardedPage();
        foreach (int stride in new[] { 32, 64, 96, 512 })
        {
            for (int probes = 1; probes <= CodeKernel.ProbeStep && probes * stride * sizeof(short) <= Environment.SystemPageSize; probes++)
            {
                short* probe = (short*)probePage.End - (probes * stride);
                sbyte* rows = (sbyte*)rowPage.End - (CodeKernel.RowStep * stride);
                int* sums = (int*)sumPage.End - (probes * CodeKernel.RowStep);
                new Span<short>(probe, probes * stride).Fill(3);
                new Span<sbyte>(rows, CodeKernel.RowStep * stride).Fill(-2);
                CodeKernel.Multiply(instructions, probe, probes, rows, stride, 3, sums, CodeKernel.RowStep, fromMemory: true);
                for (int p = 0; p < probes; p++)
                    Assert.Equal(-6 * stride, sums[(p * CodeKernel.RowStep) + 2]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSetChild.Switches), MemberType = typeof(InstructionSetChild))]
    public void Widest_InstructionSetSwitchedOff_SearchStillAgrees(string variable, string expected) =>
        InstructionSetChild.Run(
            variable,
            expected,
            10,
            (typeof(InstructionSetChild), nameof(InstructionSetChild.Widest_InChild_IsAsExpected)),
            (typeof(CodeKernelTests), nameof(Multiply_Lengths1To256_EqualsSumsIn64Bits)),
            (typeof(QuantisedSearchTests), nameof(QuantisedSearchTests.Search_AnyRowsAndProbes_EqualsFloat32BruteForce)),
            (typeof(QuantisedSearchTests), nameof(QuantisedSearchTests.Ceiling_AnyPair_IsNeverBelowTheScore)));

    private static ScoreKernel.InstructionSet Supported(string name)
    {
        var instructions = Enum.Parse<ScoreKernel.InstructionSet>(name);
        Assert.SkipUnless(instructions <= ScoreKernel.Widest, $"{name} is not on this machine.");
        return instructions;
    }
}
