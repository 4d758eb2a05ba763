using LfrEngine.Detection;
using LfrEngine.Tracking;
using Xunit;

namespace LfrEngine.Tests.Tracking;

public sealed class FaceMotionTests
{
    // The textbook filter with full 2×2 matrices, in the textbook's order: x' = Fx, P' = FPFᵀ + Q; S = HPHᵀ + R, K = PHᵀ/S, P = (I − KH)P.
    private sealed class Textbook(double measured, double variance, double rateVariance)
    {
        public double[] State { get; } = [measured, 0];
        public double[,] P { get; private set; } = { { variance, 0 }, { 0, rateVariance } };

        public void Predict(double t, double acceleration, double walk)
        {
            double[,] f = { { 1, t }, { 0, 1 } };
            double[,] transposed = { { 1, 0 }, { t, 1 } };
            (State[0], State[1]) = (State[0] + (t * State[1]), State[1]);
            P = Multiply(Multiply(f, P), transposed);
            P[0, 0] += (acceleration * t * t * t / 3) + (walk * t);
            P[0, 1] += acceleration * t * t / 2;
            P[1, 0] += acceleration * t * t / 2;
            P[1, 1] += acceleration * t;
        }

        public void Correct(double measured, double variance)
        {
            double s = P[0, 0] + variance;
            double k0 = P[0, 0] / s;
            double k1 = P[1, 0] / s;
            double innovation = measured - State[0];
            State[0] += k0 * innovation;
            State[1] += k1 * innovation;
            P = Multiply(new[,] { { 1 - k0, 0 }, { -k1, 1 } }, P);
        }

        private static double[,] Multiply(double[,] a, double[,] b)
        {
            var product = new double[2, 2];
            for (int i = 0; i < 2; i++)
            {
                for (int j = 0; j < 2; j++)
                    product[i, j] = (a[i, 0] * b[0, j]) + (a[i, 1] * b[1, j]);
            }
            return product;
        }
    }

    [Fact]
    public void AxisFilter_RandomStepsAndMeasurements_EqualsTextbook()
    {
        var random = new Random(11);
        var filter = default(AxisFilter);
        filter.Start(300, 4, 900);
        var textbook = new Textbook(300, 4, 900);
        for (int i = 0; i < 500; i++)
        {
            double seconds = random.NextDouble() * 0.3;
            filter.Predict(seconds, 700, 0.3);
            textbook.Predict(seconds, 700, 0.3);
            if (random.Next(3) > 0)
            {
                double measured = 300 + (i * 10) + random.NextDouble();
                filter.Correct(measured, 4);
                textbook.Correct(measured, 4);
            }
            Same(textbook.State[0], filter.Position);
            Same(textbook.State[1], filter.Rate);
            Same(textbook.P[0, 0], filter.PositionVariance);
            Same(textbook.P[0, 1], filter.Covariance);
            Same(textbook.P[1, 1], filter.RateVariance);
        }
    }

    [Fact]
    public void AxisFilter_TwoShortSteps_EqualOneLong()
    {
        var once = default(AxisFilter);
        once.Start(10, 2, 5);
        AxisFilter twice = once;
        once.Predict(0.5, 3, 0.1);
        twice.Predict(0.2, 3, 0.1);
        twice.Predict(0.3, 3, 0.1);
        Same(once.Position, twice.Position);
        Same(once.PositionVariance, twice.PositionVariance);
        Same(once.Covariance, twice.Covariance);
        Same(once.RateVariance, twice.RateVariance);
    }

    [Fact]
    public void AxisFilter_StartPredictCorrect_EqualsHandComputation()
    {
        var filter = default(AxisFilter);
        filter.Start(0, 1, 4);
        filter.Predict(0.5, 0, 0);
        // P = [[1 + 0.25·4, 0.5·4], [·, 4]] = [[2, 2], [2, 4]]
        Assert.Equal((2.0, 2.0, 4.0), (filter.PositionVariance, filter.Covariance, filter.RateVariance));
        filter.Correct(3, 1);
        // S = 3, K = (2/3, 2/3): x = 2, v = 2, P = [[2/3, 2/3], [·, 4 − 4/3]]
        Same(2, filter.Position);
        Same(2, filter.Rate);
        Same(2 / 3.0, filter.PositionVariance);
        Same(2 / 3.0, filter.Covariance);
        Same(8 / 3.0, filter.RateVariance);
    }

    [Fact]
    public void FaceMotion_TwoBoxes_EqualsScalarComputationOfEachQuantity()
    {
        var settings = new TrackerSettings { MeasurementNoise = 0.1f, AccelerationNoise = 2, StartSpeed = 5 };
        var motion = default(FaceMotion);
        motion.Start(new FaceBox(100, 200, 140, 250), settings);
        motion.Predict(0.04, settings);
        motion.Correct(new FaceBox(106, 201, 148, 253), settings);

        // Height 50: centre noise (0.1·50)² = 25 px², start speed (5·50)², acceleration (2·50)². Noise is a float: 1e-6 relative.
        var x = new Textbook(120, 25, 62500);
        x.Predict(0.04, 10000, 0);
        x.Correct(127, 25);
        var y = new Textbook(225, 25, 62500);
        y.Predict(0.04, 10000, 0);
        y.Correct(227, 25);
        var height = new Textbook(50, 25 * 1.96, 625);
        height.Predict(0.04, 625, 0);
        height.Correct(52, 25 * 1.96);
        var aspect = new Textbook(0.8, 0.01, 0);
        aspect.Predict(0.04, 0, 0.0225);
        aspect.Correct(42 / 52.0, 0.01);
        Same(x.State[0], motion.X.Position, 1e-6);
        Same(x.State[1], motion.X.Rate, 1e-6);
        Same(y.State[0], motion.Y.Position, 1e-6);
        Same(height.State[0], motion.Height.Position, 1e-6);
        Same(aspect.State[0], motion.Aspect.Position, 1e-6);
        Assert.Equal(motion.X.Position, (motion.Box.Left + (double)motion.Box.Right) / 2, 1e-3);
        Assert.Equal(motion.Height.Position * motion.Aspect.Position, motion.Box.Width, 1e-3);
    }

    [Fact]
    public void FaceMotion_ShrinkingWhileCoasting_StaysABox()
    {
        var settings = new TrackerSettings();
        var motion = default(FaceMotion);
        motion.Start(new FaceBox(100, 100, 140, 150), settings);
        for (int i = 1; i < 8; i++)
        {
            motion.Predict(0.04, settings);
            motion.Correct(new FaceBox(100, 100, 140 - (5 * i), 150 - (6 * i)), settings);
        }
        motion.Predict(2, settings);
        Assert.True(motion.Box.Width > 0 && motion.Box.Height >= 0.99);
    }

    private static void Same(double expected, double actual, double relative = 1e-9) =>
        Assert.Equal(expected, actual, relative * Math.Max(1, Math.Abs(expected)));
}
