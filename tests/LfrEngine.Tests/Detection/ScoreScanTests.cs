using LfrEngine.Detection.Heads;
using Xunit;

namespace LfrEngine.Tests.Detection;

public sealed class ScoreScanTests
{
    [Theory]
    [Trait("Kernel", "yes")]
    [InlineData(false)]
    [InlineData(true)]
    public void Next_AnyLengthAndPlace_IsTheScalarTwins(bool paired)
    {
        var random = new Random(11);
        int step = paired ? 2 : 1;
        for (int places = 0; places < 90; places++)
        {
            float[] scores = [.. Enumerable.Range(0, places * step).Select(_ => random.Next(12) switch { 0 => 0.5f, 1 => 0.9f, 2 => float.NaN, 3 => float.PositiveInfinity, _ => 0.1f })];
            foreach (float minimum in (float[])[0.5f, 0.6f, 2, float.NegativeInfinity, float.NaN])
            {
                for (int start = 0; start <= places; start++)
                    Assert.Equal(ScoreScan.ScalarNext(scores, start, paired, minimum), ScoreScan.Next(scores, start, paired, minimum));
            }
        }
    }

    [Fact]
    [Trait("Kernel", "yes")]
    public void Next_Pairs_LooksAtTheSecondOnly()
    {
        float[] scores = [0.9f, 0.1f, 0.9f, 0.2f, 0.1f, 0.8f];

        Assert.Equal(2, ScoreScan.Next(scores, 0, paired: true, 0.5f));
        Assert.Equal(3, ScoreScan.Next(scores, 3, paired: true, 0.5f));
        Assert.Equal(0, ScoreScan.Next(scores, 0, paired: false, 0.5f));
    }

    [Theory]
    [MemberData(nameof(InstructionSets.Switches), MemberType = typeof(InstructionSets))]
    public void Kernel_WithoutInstructions_StillAgrees(string variable) => InstructionSets.RunWithout(variable, typeof(ScoreScanTests));
}
