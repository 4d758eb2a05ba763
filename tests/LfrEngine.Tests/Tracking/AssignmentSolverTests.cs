using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

public sealed class AssignmentSolverTests
{
    [Theory]
    [InlineData(0, 0.0)]
    [InlineData(0, 0.4)]
    [InlineData(3, 0.0)]
    [InlineData(3, 0.4)]
    public void Solve_RandomCosts_TotalOfBruteForce(int integerLevels, double impossible)
    {
        var random = new Random(42);
        var solver = new AssignmentSolver(2, 2);
        for (int rows = 0; rows <= 7; rows++)
        {
            for (int columns = 0; columns <= 7; columns++)
            {
                for (int trial = 0; trial < 6; trial++)
                {
                    Span<float> costs = solver.Begin(rows, columns);
                    foreach (ref float cost in costs)
                    {
                        // Few integer levels make many ties.
                        cost = random.NextDouble() < impossible ? float.PositiveInfinity
                            : integerLevels > 0 ? random.Next(integerLevels) : random.NextSingle() * 3;
                    }
                    const double Unpaired = 1.7;
                    float[] copy = costs.ToArray();
                    double expected = BruteForce(copy, rows, columns, 0, 0, Unpaired);

                    int[] first = solver.Solve(Unpaired).ToArray();

                    Assert.Equal(rows, first.Length);
                    Assert.Equal(expected, Total(first, copy, columns, Unpaired), 1e-6);
                    copy.CopyTo(solver.Begin(rows, columns));
                    Assert.Equal(first, solver.Solve(Unpaired).ToArray());
                }
            }
        }
    }

    [Fact]
    public void Solve_NegativeCosts_TotalOfBruteForce()
    {
        var random = new Random(7);
        var solver = new AssignmentSolver(5, 5);
        for (int trial = 0; trial < 50; trial++)
        {
            Span<float> costs = solver.Begin(5, 4);
            foreach (ref float cost in costs)
                cost = (random.NextSingle() * 4) - 2;
            float[] copy = costs.ToArray();
            Assert.Equal(BruteForce(copy, 5, 4, 0, 0, 0.5), Total(solver.Solve(0.5).ToArray(), copy, 4, 0.5), 1e-6);
        }
    }

    [Fact]
    public void Solve_AllEqual_PairsInOrder()
    {
        var solver = new AssignmentSolver(3, 3);
        solver.Begin(3, 3).Fill(1);
        Assert.Equal([0, 1, 2], solver.Solve(2).ToArray());
    }

    [Fact]
    public void Solve_GreedyWouldMissTheBest_FindsIt()
    {
        var solver = new AssignmentSolver(2, 2);
        ((ReadOnlySpan<float>)[0.1f, 0.2f, 0.2f, 1.9f]).CopyTo(solver.Begin(2, 2));
        Assert.Equal([1, 0], solver.Solve(2).ToArray());
    }

    [Fact]
    public void Solve_PairsDearerThanUnpaired_StayUnpaired()
    {
        var solver = new AssignmentSolver(2, 2);
        ((ReadOnlySpan<float>)[3, float.PositiveInfinity, 1, 3]).CopyTo(solver.Begin(2, 2));
        Assert.Equal([-1, 0], solver.Solve(2).ToArray());
    }

    [Fact]
    public void Solve_LargeProblem_NoCheaperSwapExists()
    {
        const int Size = 120;
        var random = new Random(3);
        var solver = new AssignmentSolver(4, 4);
        Span<float> costs = solver.Begin(Size, Size);
        foreach (ref float cost in costs)
            cost = random.NextSingle();
        float[] copy = costs.ToArray();
        int[] columns = solver.Solve(10).ToArray();
        Assert.Equal(Enumerable.Range(0, Size), columns.Order());
        for (int a = 0; a < Size; a++)
        {
            for (int b = 0; b < a; b++)
            {
                float kept = copy[(a * Size) + columns[a]] + copy[(b * Size) + columns[b]];
                float swapped = copy[(a * Size) + columns[b]] + copy[(b * Size) + columns[a]];
                Assert.True(kept <= swapped + 1e-6);
            }
        }
    }

    private static double Total(int[] columns, float[] costs, int width, double unpaired)
    {
        Assert.Equal(columns.Count(c => c >= 0), columns.Where(c => c >= 0).Distinct().Count());
        return columns.Select((column, row) => column < 0 ? unpaired : costs[(row * width) + column]).Sum();
    }

    private static double BruteForce(float[] costs, int rows, int columns, int row, int used, double unpaired)
    {
        if (row == rows)
            return 0;
        double best = unpaired + BruteForce(costs, rows, columns, row + 1, used, unpaired);
        for (int column = 0; column < columns; column++)
        {
            // Dearer than unpaired never helps; leaving it out keeps seven by seven quick.
            float cost = costs[(row * columns) + column];
            if ((used & (1 << column)) == 0 && cost <= unpaired)
                best = Math.Min(best, cost + BruteForce(costs, rows, columns, row + 1, used | (1 << column), unpaired));
        }
        return best;
    }
}
