using LfrEngine.CApi.Interop;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Engine;

/// <summary>The networks, and the analyzer for single calls.</summary>
/// <param name="models">Owned.</param>
/// <param name="log">Written to until the handle is destroyed.</param>
/// <param name="limit">Disposed with the engine.</param>
internal sealed class EngineObject(EngineModels models, EngineLog log, MemoryLimit limit) : HandleObject
{
    private readonly object stills = new();
    private StillAnalyzer? analyzer;

    public override HandleKind Kind => HandleKind.Engine;

    public EngineModels Models { get; } = models;

    public EngineLog Log { get; } = log;

    public ModelManifest Embedder => Models.Embedder.Manifest;

    /// <summary>The threshold in the embedder's manifest; 0 if none was measured.</summary>
    public float DefaultThreshold => Array.Find(Embedder.Thresholds, t => t.Name == "default")?.Value ?? 0;

    /// <summary>Lends the analyzer for single calls, to one thread at a time, because its buffers are shared.</summary>
    public Loan Borrow()
    {
        Monitor.Enter(stills);
        try
        {
            return new Loan(this, analyzer ??= BufferPool.Complete(() => new StillAnalyzer(Models, StillAnalyzer.StillSettings)));
        }
        catch
        {
            Monitor.Exit(stills);
            throw;
        }
    }

    /// <summary>The faces of a picture, largest first. Borrowed until the next call.</summary>
    public ReadOnlySpan<FaceCandidate> Find(StillAnalyzer still, in FrameView view) => FaceVerifier.Knows(Models.Detector.Manifest)
        ? still.DetectJudged(view, FaceVerifier.MinimumEvidence)
        : still.Detect(view);

    public override void Close() => Log.Close();

    protected override void Free()
    {
        analyzer?.Dispose();
        Models.Dispose();
        limit.Dispose();
    }

    /// <summary>Wipes the analyzer and returns it.</summary>
    public readonly ref struct Loan(EngineObject engine, StillAnalyzer analyzer)
    {
        public StillAnalyzer Analyzer { get; } = analyzer;

        public void Dispose()
        {
            Analyzer.Wipe();
            Monitor.Exit(engine.stills);
        }
    }
}
