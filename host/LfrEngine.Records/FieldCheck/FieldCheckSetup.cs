using LfrEngine.Records.Transparency;

namespace LfrEngine.Records.FieldCheck;

/// <summary>The health check in the field, and what of it is published.</summary>
internal static class FieldCheckSetup
{
    public static void AddFieldCheck(this IServiceCollection services) => services.AddSingleton<FieldCheckService>().AddSingleton<LateFigures>().AddHostedService(s => s.GetRequiredService<LateFigures>());
}
