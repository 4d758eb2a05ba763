using LfrEngine.Detection;

namespace LfrEngine.Tracking;

/// <summary>Position and size of a face and their rates: centre, height and aspect ratio, each with its own <see cref="AxisFilter"/>.</summary>
/// <remarks>Frame pixels and seconds. All noise is proportional to the face's height, so that near and far faces move alike (SORT, ByteTrack).</remarks>
internal struct FaceMotion
{
    // Faces grow and shrink slowly: at 1.4 m/s straight towards a camera 3 m away, by 0.47 of their height per second.
    private const double GrowthStartRate = 0.5;
    private const double GrowthAcceleration = 0.5;
    // Height is less accurate than the centre: the errors of the edges add up in it and average out in the centre.
    private const double HeightNoiseFactor = 1.4;
    // Width / height changes when the head turns, by about a third in a second at most; a detector's box varies by a tenth.
    private const double AspectNoise = 0.1;
    private const double AspectWalk = 0.15;
    // A shrinking face that coasts must not become a point.
    private const double MinHeight = 1;
    private const double MinAspect = 0.2;

    /// <summary>Centre, pixels from the left.</summary>
    public AxisFilter X;

    /// <summary>Centre, pixels from the top.</summary>
    public AxisFilter Y;

    /// <summary>Height, pixels.</summary>
    public AxisFilter Height;

    /// <summary>Width / height; a random walk without a rate.</summary>
    public AxisFilter Aspect;

    /// <summary>The estimated box, frame pixels; may reach outside the frame.</summary>
    public readonly FaceBox Box
    {
        get
        {
            double halfHeight = Height.Position / 2;
            double halfWidth = halfHeight * Aspect.Position;
            return new FaceBox(
                (float)(X.Position - halfWidth), (float)(Y.Position - halfHeight),
                (float)(X.Position + halfWidth), (float)(Y.Position + halfHeight));
        }
    }

    /// <summary>Starts at rest at <paramref name="box"/>.</summary>
    public void Start(in FaceBox box, TrackerSettings settings)
    {
        double height = box.Height;
        double centreVariance = CentreVariance(height, settings);
        double speedVariance = Square(settings.StartSpeed * height);
        X.Start(CentreX(box), centreVariance, speedVariance);
        Y.Start(CentreY(box), centreVariance, speedVariance);
        Height.Start(height, Square(HeightNoiseFactor) * centreVariance, Square(GrowthStartRate * height));
        Aspect.Start(box.Width / height, Square(AspectNoise), 0);
    }

    /// <summary>Advances by <paramref name="seconds"/>, 0 or more.</summary>
    public void Predict(double seconds, TrackerSettings settings)
    {
        double acceleration = Square(settings.AccelerationNoise * Height.Position);
        double growth = Square(GrowthAcceleration * Height.Position);
        X.Predict(seconds, acceleration, 0);
        Y.Predict(seconds, acceleration, 0);
        Height.Predict(seconds, growth, 0);
        Aspect.Predict(seconds, 0, Square(AspectWalk));
        Clamp();
    }

    /// <summary>Updates with one detection.</summary>
    public void Correct(in FaceBox box, TrackerSettings settings)
    {
        // The predicted height, not the measured one, scales the noise: a small measured box is not more exact.
        double centreVariance = CentreVariance(Height.Position, settings);
        X.Correct(CentreX(box), centreVariance);
        Y.Correct(CentreY(box), centreVariance);
        Height.Correct(box.Height, Square(HeightNoiseFactor) * centreVariance);
        Aspect.Correct(box.Width / (double)box.Height, Square(AspectNoise));
        Clamp();
    }

    /// <summary>Squared distance of the centres in standard deviations of their expected difference.</summary>
    public readonly double SquaredSigmas(in FaceBox box, TrackerSettings settings)
    {
        double centreVariance = CentreVariance(Height.Position, settings);
        return (Square(CentreX(box) - X.Position) / (X.PositionVariance + centreVariance))
            + (Square(CentreY(box) - Y.Position) / (Y.PositionVariance + centreVariance));
    }

    /// <summary>Distance of the centres in heights of the estimated face.</summary>
    public readonly double DistanceHeights(in FaceBox box) =>
        Math.Sqrt(Square(CentreX(box) - X.Position) + Square(CentreY(box) - Y.Position)) / Height.Position;

    /// <summary>How many times taller the taller of the two is; 1 or more.</summary>
    public readonly double SizeRatio(in FaceBox box) =>
        Math.Max(box.Height / Height.Position, Height.Position / box.Height);

    private static double CentreVariance(double height, TrackerSettings settings) => Square(settings.MeasurementNoise * height);

    private static double CentreX(in FaceBox box) => ((double)box.Left + box.Right) / 2;

    private static double CentreY(in FaceBox box) => ((double)box.Top + box.Bottom) / 2;

    private static double Square(double value) => value * value;

    private void Clamp()
    {
        Height.Position = Math.Max(Height.Position, MinHeight);
        Aspect.Position = Math.Max(Aspect.Position, MinAspect);
    }
}
