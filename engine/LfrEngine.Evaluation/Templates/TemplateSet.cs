using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Quality;

namespace LfrEngine.Evaluation.Templates;

/// <summary>Whether a template could be made of an image.</summary>
public enum Acquisition : byte
{
    /// <summary>A template was made.</summary>
    Acquired,

    /// <summary>The file cannot be read or is not a picture.</summary>
    Unreadable,

    /// <summary>No face was found.</summary>
    NoFace,

    /// <summary>A face was found, but its landmarks are unusable.</summary>
    NoLandmarks,
}

/// <summary>Everything known about one image except its embedding.</summary>
/// <param name="State">Whether there is a template.</param>
/// <param name="Reason">Why there is none; otherwise empty.</param>
/// <param name="Quality">Quality of the face; all zero without a template.</param>
/// <param name="Box">The face, picture pixels.</param>
/// <param name="Cover">Cover of the face, as judged by the engine.</param>
public sealed record TemplateOutcome(Acquisition State, string Reason, FaceQuality Quality, FaceBox Box, CoverJudgement Cover = default)
{
    /// <summary>A failure.</summary>
    public static TemplateOutcome Failed(Acquisition state, string reason) => new(state, reason, default, default);
}

/// <summary>Embeddings of a data set in locked memory, one row per image. The owner disposes it, which wipes.</summary>
/// <remarks>Rows of images without a template are zero; no protocol compares them.</remarks>
public sealed unsafe class TemplateSet : IDisposable
{
    private readonly HostBuffer<float> rows;

    /// <summary>Allocates memory.</summary>
    /// <param name="count">Number of images.</param>
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

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Elements per embedding.</summary>
    public int Length { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int Stride { get; }

    /// <summary>Outcome of each image.</summary>
    public TemplateOutcome[] Outcomes { get; }

    /// <summary>SHA-256 of the names, labels and contents of all images, hexadecimal.</summary>
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
