using System.ComponentModel;
using System.Diagnostics;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Hardening;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;

namespace LfrEngine.Records.Watchlists;

/// <summary>Decodes and judges photos in a sandboxed child process (<c>lfr vet</c>): a photo that crashes or blocks it is refused, and this program is not affected.</summary>
/// <param name="log">Log for events of the child.</param>
/// <param name="detector">Id or manifest.</param>
/// <param name="embedder">Id or manifest.</param>
/// <param name="sealedFaces">Whether the photos are face pictures of a watchlist (<see cref="SealedFaceEnroller"/>).</param>
/// <remarks>Thread-safe; one photo at a time. The child starts with the first photo and lives until this is disposed or a photo has killed it.</remarks>
internal sealed partial class PhotoVetter(ILogger<PhotoVetter> log, string detector = EngineModels.DefaultDetector, string embedder = EngineModels.DefaultEmbedder, bool sealedFaces = false) : IDisposable
{
    /// <summary>Option of <c>lfr vet</c> for face pictures of a watchlist.</summary>
    public const string SealedFaces = "--sealed-faces";

    /// <summary>Message if the child cannot be sandboxed.</summary>
    public const string NotShutIn = "This system cannot sandbox the process that decodes photos: a malicious photo could do anything that this user may do.";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(180);

    private readonly SemaphoreSlim turn = new(1);
    private readonly Lazy<ModelManifest> manifest = new(() => ModelCatalog.Default.Find(embedder, ModelTask.Embed));
    private Process? child;

    /// <summary>Time limit of the child for one photo: 30 s. Tests of the whole program set a shorter one with <c>LFR_TEST_PHOTO_SECONDS</c>.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("LFR_TEST_PHOTO_SECONDS"), out int seconds) && seconds is > 0 and < 30 ? seconds : 30);

    /// <summary>The model that makes the templates.</summary>
    public ModelManifest Embedder => manifest.Value;

    /// <summary>The child's process id; null while there is none.</summary>
    public int? ChildId => child is { HasExited: false } alive ? alive.Id : null;

    /// <summary>Judges one photo.</summary>
    /// <param name="photo">A picture file. Borrowed until the task ends.</param>
    /// <param name="face">A point in the face to enrol; null if the photo shows one person.</param>
    /// <param name="stopping">Ends the child, because nothing else stops a decoder.</param>
    /// <returns>Owned by the caller.</returns>
    /// <exception cref="CommandFailure">The child cannot be started: a model or a library is missing.</exception>
    public async Task<VettedPhoto> VetAsync(HostBuffer<byte> photo, PhotoPoint? face = null, CancellationToken stopping = default)
    {
        await turn.WaitAsync(stopping);
        try
        {
            return await Task.Run(() => Vet(photo, face, stopping), CancellationToken.None);
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose()
    {
        End();
        turn.Dispose();
    }

    private VettedPhoto Vet(HostBuffer<byte> photo, PhotoPoint? face, CancellationToken stopping)
    {
        if (photo.Length is 0 or > WatchlistEnroller.MaximumPhotoBytes)
            return Rejected(photo.Length == 0 ? "the file is empty" : $"the file is larger than {WatchlistEnroller.MaximumPhotoBytes >> 20} MiB");
        if (ChildId is null)
            Start(stopping);
        Process asked = child!;
        bool late = false;
        try
        {
#pragma warning disable RS0030 // Kill throws nothing.
            using var timer = new Timer(_ =>
            {
                late = true;
                Kill(asked);
            }, null, Patience, Timeout.InfiniteTimeSpan);
#pragma warning restore RS0030
            using CancellationTokenRegistration stop = stopping.Register(() => Kill(asked));
            VetChannel.WriteRequest(asked.StandardInput.BaseStream, photo.Span, face);
            return VetChannel.ReadAnswer(asked.StandardOutput.BaseStream, Embedder.EmbeddingLength);
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            End();
            stopping.ThrowIfCancellationRequested();
            LogRefused(log, late ? "blocked" : "crashed");
            return Rejected(late ? $"decoding took longer than {Patience.TotalSeconds:0} s: the photo may be damaged or malicious" : "decoding crashed the decoder: the photo may be damaged or malicious");
        }
    }

    private static VettedPhoto Rejected(string reason) => new(PhotoVerdict.Rejected, [reason], 0);

    private void Start(CancellationToken stopping)
    {
        End();
        ProcessStartInfo start = Program();
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        // As set by ./lfr: freed heap is overwritten, and dumps are disabled.
        start.Environment["GLIBC_TUNABLES"] = ProcessHardening.Tunables;
        start.Environment["DOTNET_EnableDiagnostics"] = start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        string said = "";
        bool late = false;
        try
        {
            child = ChildProgram.Start(start);
        }
        catch (Win32Exception e)
        {
            throw new CommandFailure(ExitCode.Environment, $"The process that decodes photos cannot be started: {e.Message}", e);
        }
        child.ErrorDataReceived += (_, line) => said = line.Data is { Length: > 0 } text ? text : said;
        child.BeginErrorReadLine();
        Process started = child;
#pragma warning disable RS0030 // As above.
        using var timer = new Timer(_ => { late = true; Kill(started); }, null, StartPatience, Timeout.InfiniteTimeSpan);
#pragma warning restore RS0030
        using CancellationTokenRegistration stop = stopping.Register(() => Kill(started));
        int ready = started.StandardOutput.BaseStream.ReadByte();
        if (ready is not (VetChannel.Ready or VetChannel.ReadyOpen))
        {
            started.WaitForExit();
            // The child has reported what is missing, or which model it does not know.
            int ended = started.ExitCode;
            bool explains = ended is ExitCode.Environment or ExitCode.Usage && said.Length > 0;
            End();
            stopping.ThrowIfCancellationRequested();
            throw new CommandFailure(explains ? ended : ExitCode.Environment, explains ? said : late
                ? $"The process that decodes photos was not ready within {StartPatience.TotalSeconds:0} s: this machine is too busy. Try again later."
                : $"The process that decodes photos ended during its start (exit code {ended}). {said}");
        }
        if (ready == VetChannel.ReadyOpen)
            LogOpen(log);
    }

    // Called from a timer, possibly after the end.
    private static void Kill(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception)
        {
            // It has ended on its own.
        }
    }

    // Starts this program again, directly or with the runtime.
    private ProcessStartInfo Program()
    {
        string[] arguments = ["vet", "--detector", detector, "--embedder", embedder, .. sealedFaces ? [SealedFaces] : Array.Empty<string>()];
        string? running = Environment.ProcessPath;
        if (Path.GetFileNameWithoutExtension(running) == "lfr")
            return new ProcessStartInfo(running!, arguments);
        string runtime = Path.GetFileNameWithoutExtension(running) == "dotnet" ? running! : Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";
        return new ProcessStartInfo(runtime, [Path.Combine(AppContext.BaseDirectory, "lfr.dll"), .. arguments]);
    }

    private void End()
    {
        if (child is null)
            return;
        ChildProgram.End(child);
        child = null;
    }

    [LoggerMessage(LogLevel.Warning, "A photo {What} the decoder's process. The photo was refused and the process is restarted.")]
    private static partial void LogRefused(ILogger log, string what);

    [LoggerMessage(LogLevel.Warning, NotShutIn)]
    private static partial void LogOpen(ILogger log);
}
