using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Evaluation.Calibration;

/// <summary>Weighted logistic regression by Newton's method.</summary>
internal static class LogisticRegression
{
    /// <summary>Weight of the squared coefficients relative to the mean loss: enough for a finite fit of separable data, too small for the scale of the scores to matter.</summary>
    public const double Ridge = 1e-12;

    private const int MostSteps = 200;

    /// <summary>Minimises Σ weight · ln(1 + e^∓(x·β)) + Ridge / 2 · Σ β² (without the first coefficient, the constant).</summary>
    /// <param name="features">Row-major [labels.Length, columns]; the first column is 1.</param>
    /// <param name="labels">Whether each row is of the class whose log-odds are fitted.</param>
    /// <param name="weights">Weights of the rows; their sum is about 1.</param>
    /// <param name="offsets">Added to x·β, one per row; null for none.</param>
    /// <returns>β, one per column.</returns>
    public static double[] Fit(double[] features, bool[] labels, double[] weights, double[]? offsets = null)
    {
        offsets ??= new double[labels.Length];
        int rows = labels.Length, columns = features.Length / rows;
        var beta = new double[columns];
        double loss = Loss(features, labels, weights, offsets, beta);
        for (int step = 0; step < MostSteps; step++)
        {
            (double[] gradient, double[,] curvature) = Derivatives(features, labels, weights, offsets, beta);
            double[] direction = LinearSystem.Solve(curvature, gradient);
            // The step is halved until the loss falls, because Newton's full step overshoots far from the minimum.
            double share = 1, next = double.PositiveInfinity;
            var tried = new double[columns];
            for (; share > 1e-12; share /= 2)
            {
                for (int c = 0; c < columns; c++)
                    tried[c] = beta[c] - (share * direction[c]);
                if ((next = Loss(features, labels, weights, offsets, tried)) <= loss)
                    break;
            }
            if (share <= 1e-12)
                break;
            bool isDone = tried.Zip(beta).All(p => Math.Abs(p.First - p.Second) <= 1e-10 * (1 + Math.Abs(p.First)));
            (beta, loss) = (tried, next);
            if (isDone)
                break;
        }
        return beta;
    }

    private static double Loss(double[] features, bool[] labels, double[] weights, double[] offsets, double[] beta)
    {
        int columns = beta.Length;
        double sum = 0;
        for (int r = 0; r < labels.Length; r++)
        {
            double z = offsets[r] + Dot(features, r * columns, beta);
            sum += weights[r] * SoftPlus(labels[r] ? -z : z);
        }
        return sum + (Ridge / 2 * beta.Skip(1).Sum(b => b * b));
    }

    private static (double[] Gradient, double[,] Curvature) Derivatives(double[] features, bool[] labels, double[] weights, double[] offsets, double[] beta)
    {
        int columns = beta.Length;
        var gradient = new double[columns];
        var curvature = new double[columns, columns];
        for (int r = 0; r < labels.Length; r++)
        {
            int at = r * columns;
            double p = Sigmoid(offsets[r] + Dot(features, at, beta)), slope = weights[r] * (p - (labels[r] ? 1 : 0)), bend = weights[r] * p * (1 - p);
            for (int c = 0; c < columns; c++)
            {
                gradient[c] += slope * features[at + c];
                double product = bend * features[at + c];
                for (int d = 0; d <= c; d++)
                    curvature[c, d] += product * features[at + d];
            }
        }
        for (int c = 0; c < columns; c++)
        {
            // The constant is not penalised; the tiny value only keeps the matrix from being singular.
            gradient[c] += c == 0 ? 0 : Ridge * beta[c];
            curvature[c, c] += c == 0 ? 1e-15 : Ridge;
            for (int d = 0; d < c; d++)
                curvature[d, c] = curvature[c, d];
        }
        return (gradient, curvature);
    }

    private static double Dot(double[] features, int at, double[] beta)
    {
        double sum = 0;
        for (int c = 0; c < beta.Length; c++)
            sum += features[at + c] * beta[c];
        return sum;
    }

    private static double Sigmoid(double z) => 1 / (1 + Math.Exp(-z));

    private static double SoftPlus(double z) => Math.Max(z, 0) + double.LogP1(Math.Exp(-Math.Abs(z)));
}
