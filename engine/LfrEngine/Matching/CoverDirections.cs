using System.Runtime.Intrinsics;
using LfrEngine.Memory;
using LfrEngine.Watchlists;

namespace LfrEngine.Matching;

/// <summary>The directions in which the embeddings of a list's photos move when a cover is drawn on them, and how much of each is removed from an embedding (nuisance attribute projection).</summary>
/// <remarks>
/// <para>
/// Let d be a covered template minus the template of its photo, P the number of such pairs, λᵢ and vᵢ the largest eigenvalues and eigenvectors of
/// Σ d·dᵀ / (P + P₀), and τ a fortieth of the mean of ‖d‖². Then x becomes x − Σ λᵢ / (λᵢ + τ) · (x·vᵢ) · vᵢ, scaled to unit length. P₀ reduces what
/// few pairs remove, because with one photo the effect of a mask cannot be separated from the person's looks. On half of the people of LFW, lower face,
/// removing 16 directions partly finds as many people as removing all 512 partly, and more than removing 16, or 8, completely.
/// </para>
/// <para>
/// Double precision, with a fixed order of summation: the same list gives the same bits on every processor. Uses at most 2048 pairs, evenly
/// spread over the list, and 30 rounds of subspace iteration on 32 columns.
/// </para>
/// </remarks>
internal sealed unsafe class CoverDirections : IDisposable
{
    private const int Most = 16, Columns = 32, Rounds = 30, MostPairs = 2048;
    private const double TrustedPairs = 400, MoveShare = 40;

    // A column shorter than this share of the longest is rounding error.
    private const double Vanished = 1e-20;

    private readonly HostBuffer<double> directions;
    private readonly double[] shares = new double[Most];

    /// <summary>Learns the directions from a list.</summary>
    /// <param name="templates">Covered templates follow the template of their photo. Borrowed for the call.</param>
    /// <param name="embeddings">float32 [N, length]. Borrowed for the call.</param>
    /// <param name="length">D.</param>
    /// <param name="identities">Number of people.</param>
    /// <param name="cover">Cover of the templates to learn from; at least one template has it.</param>
    public CoverDirections(ReadOnlySpan<WatchlistTemplate> templates, ReadOnlySpan<float> embeddings, int length, int identities, FaceCover cover)
    {
        Length = length;
        Stride = StrideOf(length);
        directions = BufferPool.Rent<double>(Most * Stride);
        using HostBuffer<double> moves = Moves(templates, embeddings, identities, cover, out int pairs, out double squares);
        if (pairs == 0 || squares == 0)
            return;
        using HostBuffer<double> basis = BufferPool.Rent<double>(Columns * Stride);
        using HostBuffer<double> moved = BufferPool.Rent<double>(Columns * Stride);
        ulong state = 0;
        foreach (ref double value in basis.Span)
            value = NextRandom(ref state);
        Orthonormalise(basis.Pointer);
        for (int round = 0; round < Rounds; round++)
        {
            moved.Span.Clear();
            for (int pair = 0; pair < pairs; pair++)
                AddProduct(moves.Pointer + ((long)pair * Stride), basis.Pointer, moved.Pointer);
            moved.Span.CopyTo(basis.Span);
            Orthonormalise(basis.Pointer);
        }
        Choose(moves.Pointer, pairs, squares / pairs / MoveShare, basis.Pointer);
    }

    /// <summary>D.</summary>
    public int Length { get; }

    /// <summary>Elements of a vector in double precision; those after D are zero.</summary>
    public int Stride { get; }

    /// <summary>Number of directions in use.</summary>
    public int Count { get; private set; }

    /// <summary>D rounded up to whole SIMD vectors.</summary>
    public static int StrideOf(int length) => (length + Vector512<double>.Count - 1) / Vector512<double>.Count * Vector512<double>.Count;

    /// <summary>Removes the directions from a vector and scales it to unit length; a zero vector is unchanged.</summary>
    /// <param name="vector">double [<see cref="Stride"/>], zero from D on. Changed in place.</param>
    public void Project(double* vector)
    {
        for (int i = 0; i < Count; i++)
        {
            double* direction = directions.Pointer + ((long)i * Stride);
            AddScaled(vector, direction, -shares[i] * Dot(vector, direction, Stride), Stride);
        }
        Normalise(vector, Stride);
    }

    /// <summary>Scales a vector to unit length; one of length 0 or NaN is unchanged.</summary>
    public static void Normalise(double* vector, int stride)
    {
        double norm = Math.Sqrt(Dot(vector, vector, stride));
        if (!(norm > 0))
            return;
        for (int i = 0; i < stride; i += Vector512<double>.Count)
            (Vector512.Load(vector + i) / Vector512.Create(norm)).Store(vector + i);
    }

    /// <summary>Adds a multiple of one vector to another.</summary>
    public static void AddScaled(double* sum, double* vector, double factor, int stride)
    {
        for (int i = 0; i < stride; i += Vector512<double>.Count)
            (Vector512.Load(sum + i) + (Vector512.Create(factor) * Vector512.Load(vector + i))).Store(sum + i);
    }

    public void Dispose() => directions.Dispose();

    private static double Dot(double* a, double* b, int stride)
    {
        // Eight sums on every processor, so that the result is always the same.
        Vector512<double> sums = default;
        for (int i = 0; i < stride; i += Vector512<double>.Count)
            sums += Vector512.Load(a + i) * Vector512.Load(b + i);
        double sum = 0;
        for (int i = 0; i < Vector512<double>.Count; i++)
            sum += sums[i];
        return sum;
    }

    private HostBuffer<double> Moves(ReadOnlySpan<WatchlistTemplate> templates, ReadOnlySpan<float> embeddings, int identities, FaceCover cover, out int pairs, out double squares)
    {
        long all = 0;
        foreach (ref readonly WatchlistTemplate template in templates)
            all += template.Cover == cover ? 1 : 0;
        long taken = Math.Min(all, MostPairs);
        HostBuffer<double> moves = BufferPool.Rent<double>((int)taken * Stride);
        var photos = new int[identities];
        long seen = 0;
        pairs = 0;
        squares = 0;
        for (int t = 0; t < templates.Length; t++)
        {
            if (templates[t].Cover == FaceCover.None)
                photos[templates[t].IdentityIndex] = t;
            if (templates[t].Cover != cover || (seen + 1) * taken / all == seen++ * taken / all)
                continue;
            double* move = moves.Pointer + ((long)pairs * Stride);
            int photo = photos[templates[t].IdentityIndex];
            for (int i = 0; i < Length; i++)
                move[i] = (double)embeddings[(t * Length) + i] - embeddings[(photo * Length) + i];
            // For unit vectors it is at most 4. Rows that are not unit vectors or contain NaN are skipped.
            double square = Dot(move, move, Stride);
            if (!(square <= 5))
            {
                new Span<double>(move, Stride).Clear();
                continue;
            }
            squares += square;
            pairs++;
        }
        return moves;
    }

    /// <summary>moved += move · (moveᵀ · basis), all [Stride, Columns].</summary>
    private void AddProduct(double* move, double* basis, double* moved)
    {
        Coordinates(move, basis, out Vector512<double> a, out Vector512<double> b, out Vector512<double> c, out Vector512<double> d);
        for (int i = 0; i < Length; i++)
        {
            double* row = moved + ((long)i * Columns);
            Vector512<double> factor = Vector512.Create(move[i]);
            (Vector512.Load(row) + (a * factor)).Store(row);
            (Vector512.Load(row + 8) + (b * factor)).Store(row + 8);
            (Vector512.Load(row + 16) + (c * factor)).Store(row + 16);
            (Vector512.Load(row + 24) + (d * factor)).Store(row + 24);
        }
    }

    private void Coordinates(double* move, double* basis, out Vector512<double> a, out Vector512<double> b, out Vector512<double> c, out Vector512<double> d)
    {
        Vector512<double> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int i = 0; i < Length; i++)
        {
            double* row = basis + ((long)i * Columns);
            Vector512<double> factor = Vector512.Create(move[i]);
            s0 += Vector512.Load(row) * factor;
            s1 += Vector512.Load(row + 8) * factor;
            s2 += Vector512.Load(row + 16) * factor;
            s3 += Vector512.Load(row + 24) * factor;
        }
        (a, b, c, d) = (s0, s1, s2, s3);
    }

    /// <summary>Gram–Schmidt, repeated once for accuracy. Columns that depend on earlier ones become zero.</summary>
    private void Orthonormalise(double* basis)
    {
        double longest = 0;
        for (int column = 0; column < Columns; column++)
        {
            for (int again = 0; again < 2; again++)
            {
                for (int before = 0; before < column; before++)
                {
                    double shared = 0;
                    for (int i = 0; i < Length; i++)
                        shared += basis[(i * Columns) + before] * basis[(i * Columns) + column];
                    for (int i = 0; i < Length; i++)
                        basis[(i * Columns) + column] -= shared * basis[(i * Columns) + before];
                }
            }
            double squares = 0;
            for (int i = 0; i < Length; i++)
                squares += basis[(i * Columns) + column] * basis[(i * Columns) + column];
            longest = Math.Max(longest, squares);
            double factor = squares > longest * Vanished ? 1 / Math.Sqrt(squares) : 0;
            for (int i = 0; i < Length; i++)
                basis[(i * Columns) + column] *= factor;
        }
    }

    /// <summary>Finds the eigenvectors within the basis, largest eigenvalue first (Rayleigh–Ritz).</summary>
    private void Choose(double* moves, int pairs, double floor, double* basis)
    {
        using HostBuffer<double> scatter = BufferPool.Rent<double>(Columns * Columns);
        using HostBuffer<double> turns = BufferPool.Rent<double>(Columns * Columns);
        double* at = stackalloc double[Columns];
        for (int pair = 0; pair < pairs; pair++)
        {
            Coordinates(moves + ((long)pair * Stride), basis, out Vector512<double> a, out Vector512<double> b, out Vector512<double> c, out Vector512<double> d);
            a.Store(at);
            b.Store(at + 8);
            c.Store(at + 16);
            d.Store(at + 24);
            for (int i = 0; i < Columns; i++)
            {
                for (int j = 0; j < Columns; j++)
                    scatter.Pointer[(i * Columns) + j] += at[i] * at[j];
            }
        }
        new Span<double>(at, Columns).Clear();
        Diagonalise(scatter.Pointer, turns.Pointer);
        Span<int> order = stackalloc int[Columns];
        for (int i = 0; i < Columns; i++)
            order[i] = i;
        for (int i = 1; i < Columns; i++)
        {
            for (int j = i; j > 0 && scatter.Pointer[order[j] * (Columns + 1)] > scatter.Pointer[order[j - 1] * (Columns + 1)]; j--)
                (order[j], order[j - 1]) = (order[j - 1], order[j]);
        }
        double largest = scatter.Pointer[order[0] * (Columns + 1)];
        for (int k = 0; k < Most; k++)
        {
            double sum = scatter.Pointer[order[k] * (Columns + 1)];
            if (!(sum > largest * Vanished))
                break;
            double* direction = directions.Pointer + ((long)k * Stride);
            for (int i = 0; i < Length; i++)
            {
                for (int j = 0; j < Columns; j++)
                    direction[i] += basis[(i * Columns) + j] * turns.Pointer[(j * Columns) + order[k]];
            }
            Normalise(direction, Stride);
            double variance = sum / (pairs + TrustedPairs);
            shares[k] = variance / (variance + floor);
            Count = k + 1;
        }
    }

    /// <summary>Jacobi rotations: leaves the eigenvalues on the diagonal and the eigenvectors in the columns of <paramref name="turns"/>.</summary>
    private static void Diagonalise(double* matrix, double* turns)
    {
        const int Sweeps = 30;
        for (int i = 0; i < Columns; i++)
            turns[i * (Columns + 1)] = 1;
        for (int sweep = 0; sweep < Sweeps; sweep++)
        {
            for (int p = 0; p < Columns; p++)
            {
                for (int q = p + 1; q < Columns; q++)
                {
                    double off = matrix[(p * Columns) + q];
                    if (off == 0)
                        continue;
                    double theta = (matrix[q * (Columns + 1)] - matrix[p * (Columns + 1)]) / (2 * off);
                    double tangent = Math.CopySign(1, theta) / (Math.Abs(theta) + Math.Sqrt((theta * theta) + 1));
                    double cosine = 1 / Math.Sqrt((tangent * tangent) + 1), sine = tangent * cosine;
                    for (int i = 0; i < Columns; i++)
                        Turn(ref matrix[(i * Columns) + p], ref matrix[(i * Columns) + q], cosine, sine);
                    for (int i = 0; i < Columns; i++)
                    {
                        Turn(ref matrix[(p * Columns) + i], ref matrix[(q * Columns) + i], cosine, sine);
                        Turn(ref turns[(i * Columns) + p], ref turns[(i * Columns) + q], cosine, sine);
                    }
                    matrix[(p * Columns) + q] = matrix[(q * Columns) + p] = 0;
                }
            }
        }
    }

    private static void Turn(ref double x, ref double y, double cosine, double sine) => (x, y) = ((cosine * x) - (sine * y), (sine * x) + (cosine * y));

    // The start may be anything that is always the same and not orthogonal to the directions (splitmix64).
    private static double NextRandom(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        ulong z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) * (2.0 / ulong.MaxValue)) - 1;
    }
}
