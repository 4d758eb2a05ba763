namespace LfrEngine.Records.Retention;

/// <summary>Retention: the policy, its clock, and who keeps it.</summary>
internal static class RetentionSetup
{
    /// <summary>Registers the services.</summary>
    public static void AddRetention(this IServiceCollection services) =>
        services.AddSingleton<RetentionPolicy>().AddSingleton<RetentionClock>().AddHostedService<RetentionService>();
}
