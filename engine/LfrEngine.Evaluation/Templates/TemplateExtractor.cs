using System.Security.Cryptography;
using System.Text;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Watchlists;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Evaluation.Templates;

/// <summary>Makes templates of images with the engine's own code: decode, detect, landmarks, align, embed. If several faces are found, the one nearest the centre is used.</summary>
/// <param name="models">Borrowed.</param>
/// <param name="cache">Templates of earlier runs; null to use none. Borrowed.</param>
public sealed class TemplateExtractor(EngineModels models, TemplateCache? cache)
{
    private const int LargestFileBytes = 256 << 20;

    private int fromCache;

    /// <summary>Number of images whose template came from the cache.</summary>
    public int FromCache => fromCache;

    /// <summary>Makes the templates of a data set on all processors, as for a watchlist: every brow is kept.</summary>
    /// <param name="data">The images.</param>
    /// <param name="progress">Receives the number of images done.</param>
    /// <param name="stopping">Stops the work; templates made so far stay in the cache.</param>
    /// <returns>Owned by the caller.</returns>
    public TemplateSet Extract(FaceDataSet data, Action<int> progress, CancellationToken stopping)
    {
        var templates = new TemplateSet(data.Samples.Count, models.Embedder.Manifest.EmbeddingLength);
        var hashes = new byte[templates.Count][];
        try
        {
            OnAllProcessors(models, templates.Count, (analyzer, i) => (templates.Outcomes[i], hashes[i]) = Make(analyzer, data.Samples[i].Path, templates[i], BrowTreatment.Kept), progress, stopping);
            templates.DataSha256 = HashOf(data, hashes);
            return templates;
        }
        catch
        {
            templates.Dispose();
            throw;
        }
    }

    /// <summary>Makes templates of probes, as for a camera: a covered brow is blanked, which is never done for a watchlist.</summary>
    /// <param name="data">The images.</param>
    /// <param name="listed">Their templates for a watchlist; only those with a covered brow are made again. Borrowed.</param>
    /// <param name="progress">Receives the number of images done.</param>
    /// <param name="stopping">Stops the work; templates made so far stay in the cache.</param>
    /// <returns>Owned by the caller.</returns>
    internal TemplateSet ExtractProbes(FaceDataSet data, TemplateSet listed, Action<int> progress, CancellationToken stopping)
    {
        var probes = new TemplateSet(listed.Count, listed.Length) { DataSha256 = listed.DataSha256 };
        try
        {
            OnAllProcessors(models, probes.Count, (analyzer, i) =>
            {
                probes.Outcomes[i] = listed.Outcomes[i];
                listed[i].CopyTo(probes[i]);
                if (listed.IsAcquired(i) && listed.Outcomes[i].Cover.Parts == FaceCover.Brow)
                    probes.Outcomes[i] = Make(analyzer, data.Samples[i].Path, probes[i], BrowTreatment.BlankIfCovered).Outcome;
            }, progress, stopping);
            return probes;
        }
        catch
        {
            probes.Dispose();
            throw;
        }
    }

    /// <summary>Spreads work over all processors, each with a worker of its own.</summary>
    /// <param name="create">Creates a worker.</param>
    /// <param name="count">Pieces of work.</param>
    /// <param name="work">Does the piece of this number.</param>
    /// <param name="progress">Receives the number of pieces done.</param>
    /// <param name="stopping">Stops the work between two pieces.</param>
    /// <exception cref="DataException">A piece failed.</exception>
    internal static void OnAllProcessors<T>(Func<T> create, int count, Action<T, int> work, Action<int> progress, CancellationToken stopping)
        where T : IDisposable
    {
        int done = 0, next = -1;
        try
        {
            Parallel.For(0, Environment.ProcessorCount, new ParallelOptions { CancellationToken = stopping }, _ =>
            {
                using T worker = create();
                int i;
                while ((i = Interlocked.Increment(ref next)) < count)
                {
                    stopping.ThrowIfCancellationRequested();
                    work(worker, i);
                    progress(Interlocked.Increment(ref done));
                }
            });
        }
        catch (AggregateException e) when (e.InnerExceptions.FirstOrDefault(x => x is not OperationCanceledException) is { } fault)
        {
            throw fault is DataException ? fault : new DataException(fault.Message, fault);
        }
    }

    /// <inheritdoc cref="OnAllProcessors{T}"/>
    internal static void OnAllProcessors(EngineModels models, int count, Action<StillAnalyzer, int> work, Action<int> progress, CancellationToken stopping) =>
        OnAllProcessors(() => new StillAnalyzer(models, StillAnalyzer.StillSettings), count, work, progress, stopping);

    /// <summary>Embeds the face nearest the centre of a picture.</summary>
    /// <returns>Owned by the caller; null if no face was found, or its landmarks are unusable.</returns>
    internal static StillFace? EmbedCentral(StillAnalyzer analyzer, in FrameView view)
    {
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        return faces.IsEmpty ? null : analyzer.Embed(view, NearestToCentre(faces, view));
    }

    /// <summary>The face nearest the centre of a picture. LFW's pictures are centred on the named person.</summary>
    /// <param name="faces">At least one.</param>
    /// <param name="view">Borrowed.</param>
    public static FaceCandidate NearestToCentre(ReadOnlySpan<FaceCandidate> faces, in FrameView view)
    {
        int best = 0;
        float nearest = float.MaxValue;
        for (int i = 0; i < faces.Length; i++)
        {
            FaceBox box = faces[i].Box;
            float x = ((box.Left + box.Right) / 2) - (view.Width / 2f), y = ((box.Top + box.Bottom) / 2) - (view.Height / 2f);
            if ((x * x) + (y * y) < nearest)
                (best, nearest) = (i, (x * x) + (y * y));
        }
        return faces[best];
    }

    private (TemplateOutcome Outcome, byte[] Hash) Make(StillAnalyzer analyzer, string path, Span<float> embedding, BrowTreatment brow)
    {
        using HostBuffer<byte>? file = ReadFile(path, out string problem);
        if (file is null)
            return (TemplateOutcome.Failed(Acquisition.Unreadable, problem), []);
        byte[] hash = SHA256.HashData(file.Span);
        // One image, two templates.
        byte[] key = brow == BrowTreatment.Kept ? hash : SHA256.HashData([.. hash, .. Encoding.UTF8.GetBytes($"{brow}")]);
        if (cache?.TryGet(key, embedding) is { } known)
        {
            Interlocked.Increment(ref fromCache);
            return (known, hash);
        }
        TemplateOutcome made = Embed(analyzer, file, embedding, brow);
        cache?.Add(key, made, embedding);
        return (made, hash);
    }

    private static TemplateOutcome Embed(StillAnalyzer analyzer, HostBuffer<byte> file, Span<float> embedding, BrowTreatment brow)
    {
        try
        {
            using MediaFrame picture = MediaReader.ReadPicture(file.Span);
            return Embed(analyzer, FrameLease.ViewOf(picture), embedding, brow);
        }
        catch (MediaException e)
        {
            return TemplateOutcome.Failed(Acquisition.Unreadable, e.Message);
        }
    }

    /// <summary>Makes the template of one picture.</summary>
    /// <param name="analyzer">Used for the call.</param>
    /// <param name="view">Borrowed.</param>
    /// <param name="embedding">Receives the embedding, if there is one. Borrowed.</param>
    /// <param name="brow">What is done with the area above the brow.</param>
    public static TemplateOutcome Embed(StillAnalyzer analyzer, in FrameView view, Span<float> embedding, BrowTreatment brow = BrowTreatment.Kept)
    {
        ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
        if (faces.IsEmpty)
            return TemplateOutcome.Failed(Acquisition.NoFace, "no face found");
        using StillFace? face = analyzer.Embed(view, NearestToCentre(faces, view), brow: brow);
        if (face is null)
            return TemplateOutcome.Failed(Acquisition.NoLandmarks, "no usable landmarks");
        face.Embedding.Span.CopyTo(embedding);
        return new TemplateOutcome(Acquisition.Acquired, "", face.Quality, face.Box, face.Cover);
    }

    /// <summary>Reads a file into locked memory.</summary>
    /// <param name="path">The file.</param>
    /// <param name="problem">Why it cannot be read; otherwise empty.</param>
    /// <returns>Owned by the caller; null if it cannot be read.</returns>
    internal static HostBuffer<byte>? ReadFile(string path, out string problem)
    {
        HostBuffer<byte>? file = null;
        try
        {
            using SafeFileHandle handle = InputFile.Open(path);
            long length = RandomAccess.GetLength(handle);
            problem = length == 0 ? "the file is empty" : length > LargestFileBytes ? $"the file is larger than {LargestFileBytes >> 20} MiB" : "";
            if (problem.Length > 0)
                return null;
            file = BufferPool.Rent<byte>((int)length);
            FileBytes.ReadExactly(handle, file.Span, 0);
            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            problem = $"cannot be read: {FileTrouble.Words(e)}";
            return null;
        }
    }

    private static string HashOf(FaceDataSet data, byte[][] hashes)
    {
        using IncrementalHash all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int i = 0; i < hashes.Length; i++)
        {
            Sample sample = data.Samples[i];
            all.AppendData(Encoding.UTF8.GetBytes(string.Join('\0', [sample.Name, sample.Subject, sample.Session, .. sample.Groups]) + "\n"));
            all.AppendData(hashes[i]);
        }
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
