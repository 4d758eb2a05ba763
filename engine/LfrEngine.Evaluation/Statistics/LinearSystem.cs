namespace LfrEngine.Evaluation.Statistics;

/// <summary>Small systems of linear equations.</summary>
internal static class LinearSystem
{
    /// <summary>Solves matrix · x = right by Gaussian elimination with the largest pivot. Overwrites both arguments.</summary>
    public static double[] Solve(double[,] matrix, double[] right)
    {
        int n = right.Length;
        for (int c = 0; c < n; c++)
        {
            int pivot = Enumerable.Range(c, n - c).MaxBy(r => Math.Abs(matrix[r, c]));
            for (int k = 0; k < n; k++)
                (matrix[c, k], matrix[pivot, k]) = (matrix[pivot, k], matrix[c, k]);
            (right[c], right[pivot]) = (right[pivot], right[c]);
            for (int r = c + 1; r < n; r++)
            {
                double factor = matrix[r, c] / matrix[c, c];
                for (int k = c; k < n; k++)
                    matrix[r, k] -= factor * matrix[c, k];
                right[r] -= factor * right[c];
            }
        }
        for (int c = n - 1; c >= 0; c--)
        {
            for (int k = c + 1; k < n; k++)
                right[c] -= matrix[c, k] * right[k];
            right[c] /= matrix[c, c];
        }
        return right;
    }
}
