using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Templates;

/// <summary>What became of one image.</summary>
public enum Acquisition : byte
{
    /// <summary>A template was made.</summary>
    Acquired,

    /// <summary>The file cannot be read or holds no picture.</summary>
    Unreadable,

    /// <summary>No face was found.</summary>
    NoFace,

    /// <summary>A face was found whose landmarks are unusable.</summary>
    NoLandmarks,
}

/// <summary>What is known of one image besides its embedding.</summary>
/// <param name="State">Whether there is a template.</param>
/// <param name="Reason">Why not; empty when there is.</param>
/// <param name="Quality">Of the face; all zero when there is none.</param>
/// <param name="Box">The face, picture pixels.</param>
/// <param name="Cover">How likely parts of it are covered, as the engine judged before it embedded.</param>
public sealed record TemplateOutcome(Acquisition State, string Reason, FaceQuality Quality, FaceBox Box, CoverJudgement Cover = default)
{
    /// <summary>A failure.</summary>
    public static TemplateOutcome Failed(Acquisition state, string reason) => new(state, reason, default, default);
}

/// <summary>Embeddings of a data set in locked memory, one row per image. Its holder disposes it, which wipes.</summary>
/// <remarks>Rows of images that failed stay zero: they score 0 with everything, and no protocol compares them.</remarks>
public sealed unsafe class TemplateSet : IDisposable
{
    private readonly HostBuffer<float> rows;

    /// <summary>Takes room.</summary>
    /// <param name="count">Images.</param>
    /// <param name="length">Elements per embedding.</param>
    public TemplateSet(int count, int length)
    {
        Count = count;
        Length = length;
        Stride = ScoreMatrix.StrideFor(length);
        int padded = (count + ScoreMatrix.RowStep - 1) / ScoreMatrix.RowStep * ScoreMatrix.RowStep;
        if ((long)padded * Stride > int.MaxValue)
            throw new ArgumentException($"{count} templates of {length} elements are too many for one set.", nameof(count));
        rows = BufferPool.Rent<float>(padded * Stride);
        Outcomes = new TemplateOutcome[count];
    }

    /// <summary>Images.</summary>
    public int Count { get; }

    /// <summary>Elements per embedding.</summary>
    public int Length { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>What became of each image.</summary>
    public TemplateOutcome[] Outcomes { get; }

    /// <summary>SHA-256 over the names, labels and contents of all images: the same data give the same, hexadecimal.</summary>
    public string DataSha256 { get; internal set; } = "";

    /// <summary>First row, for kernels; rows are padded to <see cref="ScoreMatrix.RowStep"/>.</summary>
    public float* Pointer => rows.Pointer;

    /// <summary>Whether an image gave a template.</summary>
    public bool IsAcquired(int image) => Outcomes[image].State == Acquisition.Acquired;

    /// <summary>An embedding. Borrowed.</summary>
    public Span<float> this[int image] => rows.Span.Slice(image * Stride, Length);

    /// <summary>Comparison score of two images.</summary>
    public float Score(int a, int b) => ScoreMatrix.Score(Pointer + ((long)a * Stride), Pointer + ((long)b * Stride), Stride);

    /// <inheritdoc/>
    public void Dispose() => rows.Dispose();
}
