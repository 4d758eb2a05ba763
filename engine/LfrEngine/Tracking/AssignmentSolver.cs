namespace LfrEngine.Tracking;

/// <summary>Pairs rows with columns at the lowest total cost; a row may stay unpaired at a fixed cost.</summary>
/// <remarks>
/// Shortest augmenting paths over dual potentials (Kuhn 1955, Jonker and Volgenant 1987), O(rows² · (rows + columns)).
/// Storage is kept between calls and grows only past the largest problem seen. The scan goes through rows and columns
/// in order and a later column must be strictly cheaper, so equal input gives equal output, ties included.
/// </remarks>
internal sealed class AssignmentSolver
{
    private int rows;
    private int columns;
    private float[] costs;
    private int[] columnOfRow;
    // One entry per row or column, index 0 being the root of the search; columns beyond the real ones stand for "unpaired".
    private double[] rowPotential;
    private double[] columnPotential;
    private double[] shortest;
    private int[] rowOfColumn;
    private int[] previousColumn;
    private bool[] reached;

    /// <param name="rowCapacity">Initial capacity, rows.</param>
    /// <param name="columnCapacity">Initial capacity, columns.</param>
    public AssignmentSolver(int rowCapacity, int columnCapacity)
    {
        costs = new float[rowCapacity * columnCapacity];
        columnOfRow = new int[rowCapacity];
        rowPotential = new double[rowCapacity + 1];
        int width = rowCapacity + columnCapacity + 1;
        columnPotential = new double[width];
        shortest = new double[width];
        rowOfColumn = new int[width];
        previousColumn = new int[width];
        reached = new bool[width];
    }

    /// <summary>Begins a problem.</summary>
    /// <returns>Costs to fill in, row-major [rows, columns]; each entry finite, or +∞ where the pair is impossible. Borrowed until the next call.</returns>
    public Span<float> Begin(int rowCount, int columnCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rowCount);
        ArgumentOutOfRangeException.ThrowIfNegative(columnCount);
        rows = rowCount;
        columns = columnCount;
        Reserve(ref costs, rowCount * columnCount);
        Reserve(ref columnOfRow, rowCount);
        Reserve(ref rowPotential, rowCount + 1);
        int width = rowCount + columnCount + 1;
        Reserve(ref columnPotential, width);
        Reserve(ref shortest, width);
        Reserve(ref rowOfColumn, width);
        Reserve(ref previousColumn, width);
        Reserve(ref reached, width);
        return costs.AsSpan(0, rowCount * columnCount);
    }

    /// <summary>Solves the current problem.</summary>
    /// <param name="unpairedCost">Finite cost of a row without a column; pairs with a higher cost are never made.</param>
    /// <returns>The column of each row, or −1. Borrowed until the next call.</returns>
    public ReadOnlySpan<int> Solve(double unpairedCost)
    {
        // As many "unpaired" columns as rows: some column is always free and reachable, so every search ends.
        int width = rows + columns + 1;
        rowPotential.AsSpan(0, rows + 1).Clear();
        columnPotential.AsSpan(0, width).Clear();
        rowOfColumn.AsSpan(0, width).Clear();
        for (int row = 1; row <= rows; row++)
            Augment(row, width, unpairedCost);

        Span<int> result = columnOfRow.AsSpan(0, rows);
        result.Fill(-1);
        for (int column = 1; column <= columns; column++)
        {
            if (rowOfColumn[column] > 0)
                result[rowOfColumn[column] - 1] = column - 1;
        }
        return result;
    }

    // Finds the cheapest column for this row, moving earlier rows to other columns if that lowers the cost.
    private void Augment(int row, int width, double unpairedCost)
    {
        shortest.AsSpan(0, width).Fill(double.PositiveInfinity);
        reached.AsSpan(0, width).Clear();
        rowOfColumn[0] = row;
        int column = 0;
        do
        {
            reached[column] = true;
            int from = rowOfColumn[column];
            int costsOfRow = ((from - 1) * columns) - 1;
            double least = double.PositiveInfinity;
            int next = 0;
            for (int j = 1; j < width; j++)
            {
                if (reached[j])
                    continue;
                double reduced = (j <= columns ? costs[costsOfRow + j] : unpairedCost) - rowPotential[from] - columnPotential[j];
                if (reduced < shortest[j])
                {
                    shortest[j] = reduced;
                    previousColumn[j] = column;
                }
                if (shortest[j] < least)
                {
                    least = shortest[j];
                    next = j;
                }
            }
            for (int j = 0; j < width; j++)
            {
                if (reached[j])
                {
                    rowPotential[rowOfColumn[j]] += least;
                    columnPotential[j] -= least;
                }
                else
                {
                    shortest[j] -= least;
                }
            }
            column = next;
        }
        while (rowOfColumn[column] != 0);

        while (column != 0)
        {
            int previous = previousColumn[column];
            rowOfColumn[column] = rowOfColumn[previous];
            column = previous;
        }
    }

    private static void Reserve<T>(ref T[] array, int length)
    {
        if (array.Length < length)
            array = new T[Math.Max(length, array.Length * 2)];
    }
}
