namespace LfrEngine.Tracking;

/// <summary>A Kalman filter of one quantity that moves at a nearly constant rate.</summary>
/// <remarks>
/// SORT and ByteTrack filter all four box quantities in one 8×8 matrix; theirs never mixes the quantities, because transition,
/// process noise and measurement noise are block-diagonal. Four of these are the same filter, exactly, without the zeros.
/// Units: u (the unit of the quantity) and seconds.
/// </remarks>
internal struct AxisFilter
{
    /// <summary>Estimate, u.</summary>
    public double Position;

    /// <summary>Estimate, u/s.</summary>
    public double Rate;

    /// <summary>Variance of <see cref="Position"/>, u².</summary>
    public double PositionVariance;

    /// <summary>Covariance of <see cref="Position"/> and <see cref="Rate"/>, u²/s.</summary>
    public double Covariance;

    /// <summary>Variance of <see cref="Rate"/>, u²/s².</summary>
    public double RateVariance;

    /// <summary>Starts at one measurement, at rest, with a rate as uncertain as <paramref name="rateVariance"/> says.</summary>
    public void Start(double measured, double measurementVariance, double rateVariance)
    {
        Position = measured;
        Rate = 0;
        PositionVariance = measurementVariance;
        Covariance = 0;
        RateVariance = rateVariance;
    }

    /// <summary>Advances the estimate by <paramref name="seconds"/>.</summary>
    /// <param name="seconds">0 or more; two short steps give what one long step gives.</param>
    /// <param name="accelerationDensity">Spectral density of white noise on the second derivative, u²/s³.</param>
    /// <param name="walkDensity">Spectral density of white noise on the first derivative, u²/s.</param>
    public void Predict(double seconds, double accelerationDensity, double walkDensity)
    {
        double squared = seconds * seconds;
        Position += seconds * Rate;
        PositionVariance += (2 * seconds * Covariance) + (squared * RateVariance)
            + (accelerationDensity * squared * seconds / 3) + (walkDensity * seconds);
        Covariance += (seconds * RateVariance) + (accelerationDensity * squared / 2);
        RateVariance += accelerationDensity * seconds;
    }

    /// <summary>Updates the estimate with one measurement of <see cref="Position"/>.</summary>
    public void Correct(double measured, double measurementVariance)
    {
        double innovationVariance = PositionVariance + measurementVariance;
        double gain = PositionVariance / innovationVariance;
        double rateGain = Covariance / innovationVariance;
        double innovation = measured - Position;
        Position += gain * innovation;
        Rate += rateGain * innovation;
        RateVariance -= rateGain * Covariance;
        // P·(1 − P/S) written as P·R/S: a product of positives cannot round below zero.
        PositionVariance *= measurementVariance / innovationVariance;
        Covariance *= measurementVariance / innovationVariance;
    }
}
