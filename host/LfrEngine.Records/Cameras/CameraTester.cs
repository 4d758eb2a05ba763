using LfrEngine.Detection;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Configuration;
using LfrEngine.Records.Security;

namespace LfrEngine.Records.Cameras;

/// <summary>Tests cameras for the console, one at a time: what <c>lfr cameras test</c> says, and a still picture in which people are pixelated.</summary>
internal sealed class CameraTester(Installation installation, CameraRegister cameras, ModelCatalog catalog, Journal journal) : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim turn = new(1);

    /// <summary>Opens a camera and looks at it for some seconds. The test is recorded in the audit trail.</summary>
    /// <param name="actor">Who.</param>
    /// <param name="camera">It need not be saved.</param>
    /// <param name="stopping">Ends the test.</param>
    /// <exception cref="CameraRefusedException">It cannot be opened, or sends no picture.</exception>
    public async Task<CameraTest> TestAsync(Actor actor, CameraConfig camera, CancellationToken stopping)
    {
        CameraSettings settings = cameras.SettingsOf(camera);
        await turn.WaitAsync(stopping);
        try
        {
            await journal.NoteAsync(actor, "camera.tested", $"camera/{camera.Name}", new { Camera = camera.Name }, stopping);
            return await Task.Run(() => Test(settings, stopping), stopping);
        }
        catch (Exception e) when (e is MediaException or ModelLoadException)
        {
            // An address may contain a password.
            throw new CameraRefusedException([e.Message.Replace(settings.Source, camera.Name, StringComparison.Ordinal).Replace(camera.Source, camera.Name, StringComparison.Ordinal)]);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private CameraTest Test(CameraSettings settings, CancellationToken stopping)
    {
        using EngineModels models = EngineModels.Load(catalog, installation.Detector, embedder: installation.Embedder);
        using var still = new StillPicture(models);
        CameraFindings findings = new CameraCheck(settings, models, Length, new DetectorSettings().GridLongSide, still).Run(stopping);
        HostBuffer<byte> jpeg = still.Take(out int sizeBytes);
        return new CameraTest(findings, jpeg, sizeBytes);
    }
}

/// <summary>Result of a test.</summary>
/// <param name="Findings">In words and numbers.</param>
/// <param name="Jpeg">The still picture, for the caller to dispose.</param>
/// <param name="SizeBytes">Of the picture, at the start of the buffer.</param>
public sealed record CameraTest(CameraFindings Findings, HostBuffer<byte> Jpeg, int SizeBytes) : IDisposable
{
    public void Dispose() => Jpeg.Dispose();
}
