using System.Collections.Concurrent;
using System.Numerics.Tensors;
using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Evaluation.Verification;

/// <summary>Runs a pair list through the engine's own code path: decode, detect, landmarks, align, embed, compare.</summary>
public sealed class PairVerifier(EngineModels models, string imageFolder)
{
    /// <summary>Images that could not be compared, with the reason.</summary>
    public ConcurrentDictionary<string, string> Failures { get; } = [];

    /// <summary>Compares all pairs. Each image is embedded once; where several faces are found, the one nearest the centre counts.</summary>
    /// <param name="pairs">The list.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="stopping">Ends the work.</param>
    /// <returns>A score per pair; −1 where an image failed.</returns>
    public float[] Compare(IReadOnlyList<ImagePair> pairs, Action<int> progress, CancellationToken stopping)
    {
        string[] images = [.. pairs.SelectMany(p => new[] { p.First, p.Second }).Distinct()];
        var index = images.Select((image, i) => (image, i)).ToDictionary(e => e.image, e => e.i);
        int length = models.Embedder.Manifest.EmbeddingLength;
        using HostBuffer<float> embeddings = BufferPool.Rent<float>(images.Length * length);
        bool[] acquired = EmbedAll(images, embeddings, progress, stopping);
        var scores = new float[pairs.Count];
        for (int i = 0; i < scores.Length; i++)
        {
            int a = index[pairs[i].First], b = index[pairs[i].Second];
            scores[i] = acquired[a] && acquired[b]
                ? TensorPrimitives.Dot<float>(embeddings.Span.Slice(a * length, length), embeddings.Span.Slice(b * length, length))
                : -1;
        }
        return scores;
    }

    /// <summary>Embeds images on all processors.</summary>
    /// <param name="images">Paths relative to the image folder.</param>
    /// <param name="embeddings">float32 [images, embedding length]; rows of images that failed stay zero. Borrowed.</param>
    /// <param name="progress">Told the number of images done.</param>
    /// <param name="stopping">Ends the work.</param>
    /// <returns>Whether each image gave an embedding.</returns>
    public bool[] EmbedAll(string[] images, HostBuffer<float> embeddings, Action<int> progress, CancellationToken stopping)
    {
        int length = models.Embedder.Manifest.EmbeddingLength;
        var acquired = new bool[images.Length];
        int done = 0, next = -1;
        Parallel.For(0, Environment.ProcessorCount, new ParallelOptions { CancellationToken = stopping }, _ =>
        {
            using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
            int i;
            while ((i = Interlocked.Increment(ref next)) < images.Length)
            {
                stopping.ThrowIfCancellationRequested();
                acquired[i] = TryEmbed(analyzer, images[i], embeddings.Span.Slice(i * length, length));
                progress(Interlocked.Increment(ref done));
            }
        });
        return acquired;
    }

    private bool TryEmbed(StillAnalyzer analyzer, string image, Span<float> embedding)
    {
        try
        {
            using MediaReader reader = MediaReader.Open(Path.Combine(imageFolder, image));
            if (reader.Read(out MediaFrame? picture) != DecodeResult.Frame)
                return Fail(image, "no picture in the file");
            using (picture)
            {
                FrameView view = FrameLease.ViewOf(picture!);
                ReadOnlySpan<FaceCandidate> faces = analyzer.Detect(view);
                if (faces.IsEmpty)
                    return Fail(image, "no face found");
                using StillFace? face = analyzer.Embed(view, NearestToCentre(faces, view));
                if (face is null)
                    return Fail(image, "no usable landmarks");
                face.Embedding.Span.CopyTo(embedding);
                return true;
            }
        }
        catch (MediaException e)
        {
            return Fail(image, e.Message);
        }
    }

    private bool Fail(string image, string reason)
    {
        Failures[image] = reason;
        return false;
    }

    private static FaceCandidate NearestToCentre(ReadOnlySpan<FaceCandidate> faces, in FrameView view)
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
}
