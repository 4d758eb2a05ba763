namespace LfrEngine.Records.Retention;

/// <summary>Registers retention: the policy, its clock and its service.</summary>
internal static class RetentionSetup
{
    public static void AddRetention(this IServiceCollection services) =>
        services.AddSingleton<RetentionPolicy>().AddSingleton<RetentionClock>().AddHostedService<RetentionService>();
}
