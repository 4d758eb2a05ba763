namespace LfrEngine.Records.FieldCheck;

/// <summary>The health check in the field.</summary>
internal static class FieldCheckSetup
{
    public static void AddFieldCheck(this IServiceCollection services) => services.AddSingleton<FieldCheckService>();
}
