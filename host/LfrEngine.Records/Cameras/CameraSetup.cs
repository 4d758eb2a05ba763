namespace LfrEngine.Records.Cameras;

/// <summary>Cameras and their tests.</summary>
internal static class CameraSetup
{
    public static void AddCameras(this IServiceCollection services) => services.AddSingleton<CameraRegister>().AddSingleton<CameraTester>();
}
