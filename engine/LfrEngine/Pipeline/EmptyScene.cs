using LfrEngine.Detection;
using LfrEngine.Frames;
using LfrEngine.Memory;

namespace LfrEngine.Pipeline;

/// <summary>What one camera sees when nobody is there, learnt on a small grid, and what differs from it: so that people are pixelated whom no detector has found.</summary>
/// <remarks>
/// Each cell keeps a colour of the empty scene and one that may replace it, with how long that one has been seen: it gains time when it is seen and still, loses it when
/// something else is, and is replaced when it has none left, or when the scene is seen again. So the colour that a cell has most of the time is learnt, also in a busy street. A cell counts as still only
/// while its neighbours are still too: a living head, three cells across or more, always moves some of them, and so does not become scene by standing there.
///
/// A scene that is not known is learnt in <see cref="LearnMs"/>; what is then added to it is taken for scene only after <see cref="AbsorbMs"/>, because in a
/// known scene what stands still is more often a person than a new sign. Until it is learnt a cell counts as different.
///
/// Contains means of about twelve by twelve pixels of a 1080p frame, in locked memory, wiped when disposed. Used by one thread at a time.
/// </remarks>
internal sealed unsafe class EmptyScene : IDisposable
{
    /// <summary>Cells across: four pixels of a live picture.</summary>
    public const int Columns = 160;

    /// <summary>How long a cell must be still until its first colour is taken for the scene.</summary>
    public const int LearnMs = 60_000;

    /// <summary>How long something new must stand still until it is taken for the scene: longer than people wait for a bus or a friend without moving their head.</summary>
    public const int AbsorbMs = 600_000;

    // Sums of the differences of luma and both chroma, 0…255 each. A cell of video noise differs by about 1 and of strong compression by about 4.
    private const float StillTolerance = 6, SceneTolerance = 10;

    // A gap in the stream is no time that anybody has seen.
    private const int LongestStepMs = 1000;

    // Where most of the picture differs for this long, the camera was moved or the light was switched: it learns anew.
    private const float MovedShare = 0.7f;
    private const int MovedMs = 5000;

    private const int LightRange = 60;

    // How far movement spreads, and the margin of what is pixelated, cells.
    private const int Reach = 2;

    // Gaps of up to twice as many times the reach are closed: twelve cells, 48 pixels of a live picture.
    private const int Gap = 3;

    private readonly PlaneResampler resampler = new();
    private HostBuffer<float>? colours;
    private HostBuffer<int>? numbers;
    private HostBuffer<byte>? marks;
    private int rows, cells;
    private long lastUs = -1;
    private int differsMs;

    /// <summary>Share of the cells whose scene is known, 0…1.</summary>
    public float Known { get; private set; }

    /// <summary>Share of the cells that differed in the latest frame, unknown ones included.</summary>
    public float Different { get; private set; }

    // Three planes each: luma and both chroma of this frame, of the scene, and of what may replace it.
    private float* Now => colours!.Pointer;

    private float* Scene => Now + (3 * cells);

    private float* Next => Scene + (3 * cells);

    // How long Next has been seen, milliseconds.
    private int* Seen => numbers!.Pointer;

    // Of a cell to pixelate: to the nearest one that is not; at most that in its component; and cells still to visit.
    private int* Depth => Seen + cells;

    private int* Widest => Depth + cells;

    private int* Stack => Widest + cells;

    private byte* IsKnown => marks!.Pointer;

    private byte* Moved => IsKnown + cells;

    private byte* Differs => Moved + cells;

    private byte* Mask => Differs + cells;

    /// <summary>Compares a frame with the scene, and learns from it.</summary>
    /// <param name="frame">Borrowed.</param>
    /// <param name="timestampUs">Stream time.</param>
    public void Look(in FrameView frame, long timestampUs)
    {
        int height = Math.Clamp((int)Math.Round((double)frame.Height * Columns / frame.Width), 1, 4 * Columns);
        if (colours is null || height != rows)
            Begin(height);
        int stepMs = lastUs < 0 ? 0 : (int)Math.Clamp((timestampUs - lastUs) / 1000, 0, LongestStepMs);
        lastUs = timestampUs;
        RegionSampler.Resample(frame, new FaceBox(0, 0, frame.Width, frame.Height), Columns, rows, resampler, Now);

        float light = Light();
        for (int i = 0; i < cells; i++)
        {
            bool isDifferent = IsKnown[i] == 0 || Distance(Scene, i, light) > SceneTolerance;
            Moved[i] = isDifferent && Distance(Next, i, 0) <= StillTolerance ? (byte)0 : isDifferent ? (byte)1 : Differs[i];
            Differs[i] = (byte)(isDifferent ? 1 : 0);
        }
        Spread(Moved, Mask);
        int known = 0, differs = 0, differsOfKnown = 0;
        for (int i = 0; i < cells; i++)
        {
            if (Differs[i] == 0)
            {
                // The scene follows slow changes of the light. What hid it is gone.
                Approach(Scene, Now, i, 1 / 64f);
                Approach(Next, Now, i, 1);
                Seen[i] = 0;
            }
            else if (Moved[i] == 0)
            {
                Approach(Next, Now, i, 1 / 16f);
                Seen[i] += Mask[i] == 0 ? stepMs : 0;
            }
            else if ((Seen[i] -= stepMs) <= 0)
            {
                Seen[i] = 0;
                Approach(Next, Now, i, 1);
            }
            if (Differs[i] != 0 && Seen[i] >= (IsKnown[i] == 0 ? LearnMs : AbsorbMs))
            {
                Approach(Scene, Next, i, 1);
                (IsKnown[i], Differs[i], Seen[i]) = (1, 0, 0);
            }
            known += IsKnown[i];
            differs += Differs[i];
            differsOfKnown += IsKnown[i] & Differs[i];
        }
        (Known, Different) = ((float)known / cells, (float)differs / cells);
        differsMs = differsOfKnown > MovedShare * cells ? differsMs + stepMs : 0;
        if (differsMs >= MovedMs)
        {
            new Span<byte>(IsKnown, cells).Clear();
            new Span<int>(Seen, cells).Clear();
            new Span<byte>(Differs, cells).Fill(1);
            (Known, Different, differsMs) = (0, 1, 0);
        }
    }

    /// <summary>Pixelates in a picture of the frame that was looked at last what differs from the scene, with a margin. The larger what differs, the coarser.</summary>
    /// <param name="picture">The whole frame.</param>
    public void Pixelate(Picture picture)
    {
        Close();
        FillHoles();
        float perCell = (float)picture.Width / Columns, widest = 2 * MeasureComponents() * perCell;
        // Coarser ones last, where they meet.
        for (int cell = Picture.SmallestCell, finer = 0; widest > finer * Picture.CellsAcross; (finer, cell) = (cell, cell + (cell / 2)))
        {
            for (int y = 0; y < picture.Height; y += cell)
            {
                for (int x = 0; x < picture.Width; x += cell)
                {
                    var block = new FaceBox(x, y, Math.Min(picture.Width, x + cell), Math.Min(picture.Height, y + cell));
                    if (HoldsWider(block, perCell, finer * Picture.CellsAcross))
                        picture.Pixelate(block, cell);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        colours?.Dispose();
        numbers?.Dispose();
        marks?.Dispose();
        (colours, numbers, marks, rows) = (null, null, null, 0);
        resampler.Dispose();
    }

    private void Begin(int height)
    {
        Dispose();
        (rows, cells, lastUs, differsMs) = (height, height * Columns, -1, 0);
        colours = BufferPool.Rent<float>(9 * cells);
        numbers = BufferPool.Rent<int>(4 * cells);
        marks = BufferPool.Rent<byte>(4 * cells);
    }

    private float Distance(float* than, int cell, float light)
    {
        float* now = Now;
        int u = cell + cells, v = u + cells;
        return Math.Abs(now[cell] - light - than[cell]) + Math.Abs(now[u] - than[u]) + Math.Abs(now[v] - than[v]);
    }

    private void Approach(float* what, float* target, int cell, float share)
    {
        for (int i = cell; i < 3 * cells; i += cells)
            what[i] += share * (target[i] - what[i]);
    }

    // How much lighter than the scene most of the picture is: cameras change their exposure when a white van stops before them.
    private float Light()
    {
        Span<int> counts = stackalloc int[(2 * LightRange) + 1];
        counts.Clear();
        int known = 0;
        for (int i = 0; i < cells; i++)
        {
            if (IsKnown[i] == 0)
                continue;
            known++;
            counts[(int)Math.Clamp(MathF.Round(Now[i] - Scene[i]), -LightRange, LightRange) + LightRange]++;
        }
        int below = 0, median = 0;
        while (median < counts.Length - 1 && (below += counts[median]) <= known / 2)
            median++;
        return known == 0 ? 0 : median - LightRange;
    }

    // Marks everything within reach of what is marked.
    private void Spread(byte* from, byte* to)
    {
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < Columns; x++)
            {
                byte any = 0;
                for (int near = Math.Max(0, y - Reach); near <= Math.Min(rows - 1, y + Reach); near++)
                    any |= from[(near * Columns) + x];
                to[(y * Columns) + x] = any;
            }
            // In place: a column that was set because of its left neighbour must not set the next.
            byte* row = to + (y * Columns);
            int since = int.MaxValue / 2;
            for (int x = 0; x < Columns; x++)
            {
                since = row[x] == 1 ? 0 : since + 1;
                if (row[x] == 0 && since <= Reach)
                    row[x] = 2;
            }
            since = int.MaxValue / 2;
            for (int x = Columns - 1; x >= 0; x--)
            {
                since = row[x] == 1 ? 0 : since + 1;
                if (row[x] == 0 && since <= Reach)
                    row[x] = 2;
            }
            for (int x = 0; x < Columns; x++)
                row[x] = (byte)(row[x] == 0 ? 0 : 1);
        }
    }

    // A margin, and the gaps between what differs: a face whose cheek has the colour of the wall behind it.
    private void Close()
    {
        Spread(Differs, Mask);
        for (int i = 1; i < Gap; i++)
        {
            new Span<byte>(Mask, cells).CopyTo(new Span<byte>(Moved, cells));
            Spread(Moved, Mask);
        }
        for (int i = 0; i < cells; i++)
            Moved[i] = (byte)(1 - Mask[i]);
        for (int i = 1; i < Gap; i++)
        {
            Spread(Moved, Mask);
            new Span<byte>(Mask, cells).CopyTo(new Span<byte>(Moved, cells));
        }
        for (int i = 0; i < cells; i++)
            Mask[i] = (byte)(1 - Moved[i]);
    }

    // What is enclosed: a face before a wall of its own colour. Everything outside is reached from the edge of the picture.
    private void FillHoles()
    {
        int count = 0;
        void Visit(int cell)
        {
            if (Mask[cell] != 0)
                return;
            Mask[cell] = 2;
            Stack[count++] = cell;
        }
        for (int x = 0; x < Columns; x++)
        {
            Visit(x);
            Visit(((rows - 1) * Columns) + x);
        }
        for (int y = 0; y < rows; y++)
        {
            Visit(y * Columns);
            Visit((y * Columns) + Columns - 1);
        }
        while (count > 0)
        {
            int cell = Stack[--count], x = cell % Columns;
            if (x > 0)
                Visit(cell - 1);
            if (x < Columns - 1)
                Visit(cell + 1);
            if (cell >= Columns)
                Visit(cell - Columns);
            if (cell < cells - Columns)
                Visit(cell + Columns);
        }
        for (int i = 0; i < cells; i++)
            Mask[i] = (byte)(Mask[i] == 2 ? 0 : 1);
    }

    // Sets Widest of every marked cell. Returns the largest.
    private int MeasureComponents()
    {
        int At(int x, int y) => x < 0 || y < 0 || x >= Columns || y >= rows ? 0 : Depth[(y * Columns) + x];
        for (int y = 0; y < rows; y++)
        {
            for (int x = 0; x < Columns; x++)
                Depth[(y * Columns) + x] = Mask[(y * Columns) + x] == 0 ? 0 : 1 + Math.Min(Math.Min(At(x - 1, y), At(x - 1, y - 1)), Math.Min(At(x, y - 1), At(x + 1, y - 1)));
        }
        for (int y = rows - 1; y >= 0; y--)
        {
            for (int x = Columns - 1; x >= 0; x--)
            {
                ref int depth = ref Depth[(y * Columns) + x];
                depth = Math.Min(depth, 1 + Math.Min(Math.Min(At(x + 1, y), At(x + 1, y + 1)), Math.Min(At(x, y + 1), At(x - 1, y + 1))));
            }
        }
        int largest = 0;
        new Span<int>(Widest, cells).Clear();
        for (int i = 0; i < cells; i++)
        {
            if (Mask[i] == 0 || Widest[i] != 0)
                continue;
            // Visited cells stay on the stack, so that they can be visited again with the result.
            int count = 0, next = 0, widest = 0;
            Stack[count++] = i;
            Widest[i] = 1;
            for (; next < count; next++)
            {
                int cell = Stack[next], x = cell % Columns;
                widest = Math.Max(widest, Depth[cell]);
                if (x > 0)
                    count = Join(cell - 1, count);
                if (x < Columns - 1)
                    count = Join(cell + 1, count);
                if (cell >= Columns)
                    count = Join(cell - Columns, count);
                if (cell < cells - Columns)
                    count = Join(cell + Columns, count);
            }
            for (int member = 0; member < count; member++)
                Widest[Stack[member]] = widest;
            largest = Math.Max(largest, widest);
        }
        return largest;
    }

    private int Join(int cell, int count)
    {
        if (Mask[cell] == 0 || Widest[cell] != 0)
            return count;
        Widest[cell] = 1;
        Stack[count] = cell;
        return count + 1;
    }

    private bool HoldsWider(in FaceBox block, float perCell, int than)
    {
        int right = Math.Min(Columns - 1, (int)((block.Right - 1) / perCell)), bottom = Math.Min(rows - 1, (int)((block.Bottom - 1) / perCell));
        for (int y = Math.Min(rows - 1, (int)(block.Top / perCell)); y <= bottom; y++)
        {
            for (int x = Math.Min(Columns - 1, (int)(block.Left / perCell)); x <= right; x++)
            {
                if (2 * Widest[(y * Columns) + x] * perCell > than)
                    return true;
            }
        }
        return false;
    }
}
