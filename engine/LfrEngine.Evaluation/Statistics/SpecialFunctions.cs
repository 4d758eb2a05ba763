namespace LfrEngine.Evaluation.Statistics;

/// <summary>Distribution functions for the intervals and tests; checked against SciPy.</summary>
internal static class SpecialFunctions
{
    private const double Tiny = 1e-300;
    private const int MostTerms = 1_000_000;

    // Lanczos, g = 7, nine terms (Godfrey): relative error below 1e-15 for x > 0.
    private static readonly double[] Lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    /// <summary>ln Γ(x) for x &gt; 0.</summary>
    public static double LogGamma(double x)
    {
        if (x < 0.5)
            return Math.Log(Math.PI / Math.Sin(Math.PI * x)) - LogGamma(1 - x);
        x -= 1;
        double sum = Lanczos[0];
        for (int i = 1; i < Lanczos.Length; i++)
            sum += Lanczos[i] / (x + i);
        double t = x + 7.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x + 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }

    /// <summary>ln of the binomial coefficient n over k.</summary>
    public static double LogChoose(double n, double k) => LogGamma(n + 1) - LogGamma(k + 1) - LogGamma(n - k + 1);

    /// <summary>The regularised incomplete beta function I_x(a, b).</summary>
    public static double Beta(double x, double a, double b)
    {
        if (x <= 0)
            return 0;
        if (x >= 1)
            return 1;
        // The continued fraction converges quickly only on this side of the mean.
        if (x > (a + 1) / (a + b + 2))
            return 1 - Beta(1 - x, b, a);
        double front = Math.Exp(LogGamma(a + b) - LogGamma(a) - LogGamma(b) + (a * Math.Log(x)) + (b * double.LogP1(-x))) / a;
        double c = 1, d = NotZero(1 - ((a + b) * x / (a + 1)));
        d = 1 / d;
        double fraction = d;
        for (int m = 1; m < MostTerms; m++)
        {
            double even = m * (b - m) * x / ((a + (2 * m) - 1) * (a + (2 * m)));
            d = 1 / NotZero(1 + (even * d));
            c = NotZero(1 + (even / c));
            fraction *= d * c;
            double odd = -(a + m) * (a + b + m) * x / ((a + (2 * m)) * (a + (2 * m) + 1));
            d = 1 / NotZero(1 + (odd * d));
            c = NotZero(1 + (odd / c));
            double step = d * c;
            fraction *= step;
            if (Math.Abs(step - 1) < 1e-15)
                break;
        }
        return front * fraction;
    }

    /// <summary>The x at which I_x(a, b) = p.</summary>
    public static double InverseBeta(double p, double a, double b)
    {
        if (p <= 0)
            return 0;
        if (p >= 1)
            return 1;
        if (Beta(0.5, a, b) < p)
            return 1 - InverseBeta(1 - p, b, a);
        // Bisection of the logarithm makes small rates as exact as large ones.
        double low = Math.Log(Tiny), high = Math.Log(0.5);
        for (int i = 0; i < 200 && high - low > 1e-15 * Math.Abs(low); i++)
        {
            double middle = (low + high) / 2;
            if (Beta(Math.Exp(middle), a, b) < p)
                low = middle;
            else
                high = middle;
        }
        return Math.Exp((low + high) / 2);
    }

    /// <summary>Q(a, x), the upper regularised incomplete gamma function.</summary>
    public static double GammaUpper(double a, double x)
    {
        if (x <= 0)
            return 1;
        double front = Math.Exp((a * Math.Log(x)) - x - LogGamma(a));
        if (x < a + 1)
        {
            double term = 1 / a, sum = term;
            for (int n = 1; n < MostTerms && term > sum * 1e-16; n++)
            {
                term *= x / (a + n);
                sum += term;
            }
            return 1 - (front * sum);
        }
        double b = x + 1 - a, c = 1 / Tiny, d = 1 / b, fraction = d;
        for (int n = 1; n < MostTerms; n++)
        {
            double an = -n * (n - a);
            b += 2;
            d = 1 / NotZero((an * d) + b);
            c = NotZero(b + (an / c));
            fraction *= d * c;
            if (Math.Abs((d * c) - 1) < 1e-15)
                break;
        }
        return front * fraction;
    }

    public static double Normal(double z) => z > 0 ? 1 - (0.5 * GammaUpper(0.5, z * z / 2)) : 0.5 * GammaUpper(0.5, z * z / 2);

    /// <summary>The z below which a standard normal variable lies with probability p.</summary>
    public static double NormalQuantile(double p)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(p);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(p, 1);
        double low = -40, high = 40;
        for (int i = 0; i < 200 && high - low > 1e-14; i++)
        {
            double middle = (low + high) / 2;
            if (Normal(middle) < p)
                low = middle;
            else
                high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>Smallest k with P(X ≤ k) ≥ p for a Poisson variable of the given mean.</summary>
    public static long PoissonQuantile(double p, double mean)
    {
        if (mean <= 0)
            return 0;
        // P(X ≤ k) = Q(k + 1, mean), which rises with k.
        long high = 1;
        while (GammaUpper(high + 1, mean) < p)
            high *= 2;
        long low = -1;
        while (high - low > 1)
        {
            long middle = low + ((high - low) / 2);
            if (GammaUpper(middle + 1, mean) >= p)
                high = middle;
            else
                low = middle;
        }
        return high;
    }

    private static double NotZero(double value) => Math.Abs(value) < Tiny ? Tiny : value;
}
