using LfrEngine.Evaluation.Statistics;

namespace LfrEngine.Records.Transparency;

/// <summary>Published figures of one deployment. Role-players' alerts are not counted.</summary>
/// <param name="Installation">Name of the installation whose trail was counted: this one or a van.</param>
/// <param name="Id">The deployment's.</param>
/// <param name="Deployment">Name.</param>
/// <param name="Date">From the authority, or the day of the first start, UTC.</param>
/// <param name="DeploymentType">From the authority.</param>
/// <param name="Ended">Whether it has ended; until then the figures are not final.</param>
/// <param name="DurationSeconds">Time in which the engine ran; null until it has ended.</param>
/// <param name="Cameras">Number of cameras in the authority.</param>
/// <param name="WatchlistNumber">People on the watchlist.</param>
/// <param name="Thresholds">By category.</param>
/// <param name="TotalAlerts">Alerts raised. A sighting that joined an alert is not counted.</param>
/// <param name="PositiveAlerts">Alerts that the operator judged viable and nobody found incorrect.</param>
/// <param name="PositiveInterventions">Alerts that the officer in the street confirmed.</param>
/// <param name="IncorrectAlerts">Alerts that the operator rejected or the officer in the street found incorrect.</param>
/// <param name="IncorrectInterventions">Those in which an officer had engaged with the person.</param>
/// <param name="ArrestsOrDisposals">Alerts that ended with an arrest or another disposal.</param>
/// <param name="Arrests">Of these, arrests.</param>
/// <param name="Safeguarded">Alerts that ended with a person safeguarded.</param>
/// <param name="NotEngaged">Positive alerts without a confirmed meeting.</param>
/// <param name="Undecided">Alerts that have not been judged, neither positive nor incorrect.</param>
/// <param name="FacesSeen">Tracklets good enough to be compared, the denominator; null until the deployment has ended.</param>
internal sealed record DeploymentFigures(
    string Installation, string Id, string Deployment, string Date, string DeploymentType, bool Ended, double? DurationSeconds, int Cameras, int WatchlistNumber,
    IReadOnlyList<CategoryThreshold> Thresholds, int TotalAlerts, int PositiveAlerts, int PositiveInterventions, int IncorrectAlerts, int IncorrectInterventions,
    int ArrestsOrDisposals, int Arrests, int Safeguarded, int NotEngaged, int Undecided, long? FacesSeen)
{
    /// <summary>The same counts in the words that forces use.</summary>
    public AlertWords Words => new(PositiveAlerts, IncorrectAlerts, PositiveInterventions, IncorrectInterventions);

    /// <summary>Role-players' passages that were found; null without a health check.</summary>
    public PublishedRate? TrueRecognitionRate { get; init; }

    /// <summary>The same by group; empty without groups.</summary>
    public IReadOnlyList<GroupRecognition> TrueRecognitionByGroup { get; init; } = [];

    /// <summary>Perceived groups of people in false alerts, as far as officers recorded them. Known from the day after the deployment's end.</summary>
    public IReadOnlyList<FalseAlertGroup> FalseAlertGroups { get; init; } = [];

    /// <summary>Thresholds that were lower than in the authority signed before, with the reason; empty if none was.</summary>
    public IReadOnlyList<LoweredFigure> LoweredThresholds { get; init; } = [];

    /// <summary>Incorrect alerts divided by faces seen; null until the deployment has ended, or if nobody passed.</summary>
    public PublishedRate? IncorrectAlertRate => FacesSeen is { } seen ? PublishedRate.From(IncorrectAlerts, seen) : null;
}

/// <summary>Counts in the words that forces use.</summary>
/// <param name="TrueAlerts">Judged viable by the operator, and not found incorrect.</param>
/// <param name="FalseAlerts">Rejected by the operator, or found incorrect in the street.</param>
/// <param name="ConfirmedTrueAlerts">An officer met the person and confirmed who it was.</param>
/// <param name="ConfirmedFalseAlerts">An officer met the person and found that it was somebody else.</param>
internal sealed record AlertWords(int TrueAlerts, int FalseAlerts, int ConfirmedTrueAlerts, int ConfirmedFalseAlerts);

/// <summary>The true recognition rate of a group of role-players.</summary>
/// <param name="Column">Such as sex.</param>
/// <param name="Group">Value in that column.</param>
/// <param name="Rate">Passages found of passages.</param>
internal sealed record GroupRecognition(string Column, string Group, PublishedRate Rate);

/// <summary>People in false alerts who were perceived to be of a group.</summary>
/// <param name="Category">Of the alerts.</param>
/// <param name="Column">Such as sex.</param>
/// <param name="Group">Value in that column.</param>
/// <param name="Count">How many.</param>
/// <param name="OfFacesSeen">Divided by all faces seen; null until they are known.</param>
/// <param name="OfAlerts">Divided by all alerts.</param>
internal sealed record FalseAlertGroup(string Category, string Column, string Group, int Count, PublishedRate? OfFacesSeen, PublishedRate? OfAlerts);

/// <summary>A threshold that was lower than before.</summary>
/// <param name="Category">Whose.</param>
/// <param name="From">In the authority signed before.</param>
/// <param name="To">In this one.</param>
/// <param name="Reason">As signed.</param>
internal sealed record LoweredFigure(string Category, double From, double To, string Reason);

/// <summary>A category's threshold.</summary>
internal sealed record CategoryThreshold(string Category, double Threshold);

/// <summary>A rate with its counts.</summary>
/// <param name="Count">Counted.</param>
/// <param name="Of">Denominator.</param>
/// <param name="Rate">0…1.</param>
/// <param name="Low">Lower bound of the 95 % interval (Clopper–Pearson).</param>
/// <param name="High">Upper bound.</param>
internal sealed record PublishedRate(long Count, long Of, double Rate, double Low, double High)
{
    /// <summary>Null if there is no such rate.</summary>
    public static PublishedRate? From(long count, long total)
    {
        if (total < 1 || count > total)
            return null;
        var proportion = new Proportion(count, total);
        Interval interval = proportion.ClopperPearson();
        return new PublishedRate(count, total, proportion.Rate, interval.Low, interval.High);
    }
}

/// <summary>The published report: the deployments and their totals.</summary>
/// <param name="Format">Always <see cref="CurrentFormat"/>.</param>
/// <param name="From">First day.</param>
/// <param name="To">Last day.</param>
/// <param name="Installations">Whose trails were counted.</param>
/// <param name="Deployments">By date.</param>
/// <param name="Total">Over those that have ended.</param>
internal sealed record TransparencyReport(string Format, DateOnly? From, DateOnly? To, IReadOnlyList<string> Installations, IReadOnlyList<DeploymentFigures> Deployments, TransparencyTotal Total)
{
    public const string CurrentFormat = "lfr-transparency-2";
}

/// <summary>All deployments that have ended, together.</summary>
internal sealed record TransparencyTotal(int Deployments, int TotalAlerts, int PositiveAlerts, int PositiveInterventions, int IncorrectAlerts, int IncorrectInterventions, int ArrestsOrDisposals, long FacesSeen, PublishedRate? IncorrectAlertRate);
