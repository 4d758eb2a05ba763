using LfrEngine.Matching;
using Xunit;

namespace LfrEngine.Tests.Matching;

public sealed unsafe class ScoreKernelTests
{
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
                    // Where the next rows lie is a hint alone.
                    ScoreKernel.Score(instructions, probe, count, length, row, stride, 7, score, 8, length % 2 == 0 ? row : null);
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
        using var probePage = new GuardedPage();
        using var rowPage = new GuardedPage();
        using var scorePage = new GuardedPage();
        foreach (int length in Enumerable.Range(1, 70).Append(128))
        {
            int stride = (length + 15) / 16 * 16;
            for (int probes = 1; probes <= 4; probes++)
            {
                float* probe = (float*)probePage.End - (probes * length);
                float* rows = (float*)rowPage.End - (4 * stride);
                float* scores = (float*)scorePage.End - (probes * 4);
                new Span<float>(probe, probes * length).Fill(1);
                new Span<float>(rows, 4 * stride).Clear();
                for (int r = 0; r < 4; r++)
                    new Span<float>(rows + (r * stride), length).Fill(1);
                ScoreKernel.Score(instructions, probe, probes, length, rows, stride, 3, scores, 4);
                for (int p = 0; p < probes; p++)
                    Assert.Equal(length, scores[(p * 4) + 2]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(InstructionSetChild.Switches), MemberType = typeof(InstructionSetChild))]
    public void Widest_InstructionSetSwitchedOff_FallsBackAndStillAgrees(string variable, string expected) =>
        InstructionSetChild.Run(
            variable,
            expected,
            5,
            (typeof(InstructionSetChild), nameof(InstructionSetChild.Widest_InChild_IsAsExpected)),
            (typeof(ScoreKernelTests), nameof(Score_Lengths1To256_EqualsTheScalarReferenceBitForBit)));

    private static int Bits(float value) => BitConverter.SingleToInt32Bits(value);

    private static void Fill(Random random, Span<float> values)
    {
        foreach (ref float value in values)
            value = (float)(random.NextDouble() - 0.5);
    }
}
