using System.Diagnostics;
using LfrEngine.Memory;
using LfrEngine.Models;

namespace LfrEngine.Embeddings;

/// <summary>Embeds the shots of all cameras on threads of its own, in batches closed by size or by deadline.</summary>
/// <remarks>
/// A camera waits for its own shots only. Results do not depend on how shots were batched, so a recording gives the same scores whatever runs beside it.
/// </remarks>
public sealed class EmbeddingBatcher : IDisposable
{
    private readonly OnnxModel model;
    private readonly long waitTicks;
    private readonly Queue<Request> waiting = new();
    private readonly Thread[] workers;
    private bool stopping;

    /// <summary>Starts the workers.</summary>
    /// <param name="model">The embedder; borrowed until <see cref="Dispose"/>.</param>
    /// <param name="workerCount">Threads, 1 or more.</param>
    /// <param name="deadline">How long a batch that is not full waits for shots of other cameras; zero takes what is there.</param>
    public EmbeddingBatcher(OnnxModel model, int workerCount, TimeSpan deadline)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workerCount, 1);
        this.model = model;
        waitTicks = (long)(deadline.TotalSeconds * Stopwatch.Frequency);
        // The first embedder is made here, so that a wrong model fails at start and not in a thread.
        new Embedder(model).Dispose();
        workers = new Thread[workerCount];
        for (int i = 0; i < workerCount; i++)
        {
            workers[i] = new Thread(Work) { IsBackground = true, Name = $"embed {i}" };
            workers[i].Start();
        }
    }

    /// <summary>Elements of an embedding.</summary>
    public int Length => model.Manifest.EmbeddingLength;

    /// <summary>Embeds faces and waits for the result.</summary>
    /// <param name="crops">Each float32 [3, 112, 112]. Borrowed.</param>
    /// <param name="embeddings">float32 [crops, Length], unit length. Borrowed.</param>
    /// <param name="norms">float32 [crops]. Borrowed.</param>
    public void Embed(IReadOnlyList<HostBuffer<float>> crops, HostBuffer<float> embeddings, HostBuffer<float> norms)
    {
        if (crops.Count == 0)
            return;
        // Checked here: what does not fit or is gone is this asker's mistake, and must not reach the batch that others share.
        foreach (HostBuffer<float> crop in crops)
        {
            if (crop.Span.Length != Alignment.FaceAligner.CropLength)
                throw new ArgumentException($"A crop has {crop.Length} elements, not {Alignment.FaceAligner.CropLength}.", nameof(crops));
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(embeddings.Span.Length, crops.Count * Length, nameof(embeddings));
        ArgumentOutOfRangeException.ThrowIfLessThan(norms.Span.Length, crops.Count, nameof(norms));
        var request = new Request(crops, embeddings, norms);
        lock (waiting)
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            waiting.Enqueue(request);
            Monitor.PulseAll(waiting);
        }
        lock (request)
        {
            while (request.Left > 0)
                Monitor.Wait(request);
        }
        if (request.Failure is not null)
            throw new InvalidOperationException("The embedder failed.", request.Failure);
    }

    /// <summary>Stops the workers; nobody may be waiting.</summary>
    public void Dispose()
    {
        lock (waiting)
        {
            stopping = true;
            Monitor.PulseAll(waiting);
        }
        foreach (Thread worker in workers)
            worker.Join();
    }

    private void Work()
    {
        using var embedder = new Embedder(model);
        using HostBuffer<float> results = BufferPool.Rent<float>(Embedder.MaximumBatch * Length);
        var crops = new HostBuffer<float>[Embedder.MaximumBatch];
        var places = new (Request Request, int Index)[Embedder.MaximumBatch];
        Span<float> norms = stackalloc float[Embedder.MaximumBatch];
        while (Gather(crops, places) is var count && count > 0)
        {
            Exception? failure = null;
            try
            {
                embedder.Embed(crops.AsSpan(0, count), results.Span, norms);
                for (int i = 0; i < count; i++)
                {
                    (Request request, int index) = places[i];
                    results.Span.Slice(i * Length, Length).CopyTo(request.Embeddings.Span.Slice(index * Length, Length));
                    request.Norms.Span[index] = norms[i];
                }
            }
            catch (Exception e) when (e is Microsoft.ML.OnnxRuntime.OnnxRuntimeException or ModelLoadException or ObjectDisposedException)
            {
                // The cameras whose shots these were learn of it; the worker serves the others.
                failure = e;
            }
            results.Wipe();
            norms.Clear();
            for (int i = 0; i < count; i++)
            {
                Request request = places[i].Request;
                lock (request)
                {
                    request.Left--;
                    request.Failure ??= failure;
                    Monitor.PulseAll(request);
                }
            }
        }
    }

    // Fills one batch from the queue; a request may span batches. 0 means stop.
    private int Gather(HostBuffer<float>[] crops, (Request Request, int Index)[] places)
    {
        int count = 0;
        lock (waiting)
        {
            while (waiting.Count == 0)
            {
                if (stopping)
                    return 0;
                Monitor.Wait(waiting);
            }
            long closing = Stopwatch.GetTimestamp() + waitTicks;
            while (true)
            {
                while (count < crops.Length && waiting.TryPeek(out Request? request))
                {
                    crops[count] = request.Crops[request.Taken];
                    places[count++] = (request, request.Taken++);
                    if (request.Taken == request.Crops.Count)
                        waiting.Dequeue();
                }
                long left = closing - Stopwatch.GetTimestamp();
                if (count == crops.Length || left <= 0 || stopping)
                    return count;
                Monitor.Wait(waiting, TimeSpan.FromSeconds((double)left / Stopwatch.Frequency));
            }
        }
    }

    private sealed class Request(IReadOnlyList<HostBuffer<float>> crops, HostBuffer<float> embeddings, HostBuffer<float> norms)
    {
        public IReadOnlyList<HostBuffer<float>> Crops { get; } = crops;

        public HostBuffer<float> Embeddings { get; } = embeddings;

        public HostBuffer<float> Norms { get; } = norms;

        public int Taken { get; set; }

        public int Left { get; set; } = crops.Count;

        public Exception? Failure { get; set; }
    }
}
