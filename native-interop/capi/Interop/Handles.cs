namespace LfrEngine.CApi.Interop;

/// <summary><c>lfr_handle_kind</c> of lfr_engine.h.</summary>
internal enum HandleKind
{
    Any = 0,
    Engine = 1,
    Builder = 2,
    Watchlist = 3,
    Run = 4,
    Camera = 5,
    Alert = 6,
    Template = 7,
}

/// <summary>The object behind a handle. Its users are counted: the handle, calls in progress, and other objects that need it. The last one frees it.</summary>
internal abstract class HandleObject
{
    private int users = 1;

    public abstract HandleKind Kind { get; }

    /// <summary>Adds a user. The caller ensures that there already is one.</summary>
    public void Enter() => Interlocked.Increment(ref users);

    public void Leave()
    {
        if (Interlocked.Decrement(ref users) == 0)
            Free();
    }

    /// <summary>Called when the handle is destroyed: ends the waits of other threads, which may still be in a call.</summary>
    public virtual void Close()
    {
    }

    /// <summary>Wipes and frees; called once.</summary>
    protected abstract void Free();
}

/// <summary>Keeps an object for the time of a call.</summary>
internal readonly ref struct Use<T>(T held)
    where T : HandleObject
{
    public T Object { get; } = held;

    public void Dispose() => Object.Leave();
}

/// <summary>
/// The open handles. A handle is not an address: the low half contains a slot and a kind, the high half how often the slot was used before. So every
/// wrong handle is recognised, and a destroyed one is never mistaken for a later one in the same slot.
/// </summary>
internal static class Handles
{
    private const int KindBits = 4;
    private const int MostSlots = 1 << 20;

    private static readonly Lock Gate = new();
    private static readonly List<Slot> Slots = [];
    private static readonly Queue<int> FreeSlots = new();
    private static readonly long[] Open = new long[8];

    /// <summary>Opens a handle, which is the object's first user.</summary>
    public static nint Add(HandleObject added)
    {
        lock (Gate)
        {
            if (!FreeSlots.TryDequeue(out int index))
            {
                if (Slots.Count == MostSlots)
                    throw new StatusException(Status.OutOfMemory, $"{MostSlots} handles are open: destroy those that are no longer used.");
                index = Slots.Count;
                Slots.Add(new Slot(1, null));
            }
            Slots[index] = Slots[index] with { Object = added };
            Open[(int)added.Kind]++;
            return Encode(index, Slots[index].Generation, added.Kind);
        }
    }

    /// <summary>The object behind a handle, kept for as long as the result.</summary>
    /// <exception cref="StatusException">It is NULL, destroyed or of another type.</exception>
    public static Use<T> Take<T>(nint handle, HandleKind kind)
        where T : HandleObject
    {
        lock (Gate)
        {
            HandleObject found = Find(handle, kind, out _);
            found.Enter();
            return new Use<T>((T)found);
        }
    }

    /// <summary>Destroys a handle. The object is freed when its last user has left.</summary>
    public static void Destroy(nint handle, HandleKind kind)
    {
        HandleObject found;
        lock (Gate)
        {
            found = Find(handle, kind, out int index);
            uint next = Slots[index].Generation + 1;
            Slots[index] = new Slot(next == 0 ? 1 : next, null);
            FreeSlots.Enqueue(index);
            Open[(int)kind]--;
        }
        try
        {
            found.Close();
        }
        finally
        {
            found.Leave();
        }
    }

    public static long Count(HandleKind kind)
    {
        lock (Gate)
            return kind == HandleKind.Any ? Open.Sum() : Open[(int)kind];
    }

    private static nint Encode(int index, uint generation, HandleKind kind) => (nint)(((ulong)generation << 32) | ((ulong)(uint)(index + 1) << KindBits) | (uint)kind);

    private static HandleObject Find(nint handle, HandleKind kind, out int index)
    {
        string name = NameOf(kind);
        index = (int)(((ulong)handle & uint.MaxValue) >> KindBits) - 1;
        if (handle == 0)
            throw new StatusException(Status.BadHandle, $"The {name} is NULL.");
        var given = (HandleKind)((uint)handle & ((1 << KindBits) - 1));
        if (given is < HandleKind.Engine or > HandleKind.Template || (uint)index >= (uint)Slots.Count)
            throw new StatusException(Status.BadHandle, $"The {name} is not a handle of this library.");
        if (given != kind)
            throw new StatusException(Status.BadHandle, $"The {name} is a handle of another type: {NameOf(given)}.");
        Slot slot = Slots[index];
        if (slot.Object is not { } found || slot.Generation != (uint)((ulong)handle >> 32) || found.Kind != kind)
            throw new StatusException(Status.BadHandle, $"The {name} was destroyed.");
        return found;
    }

    private static string NameOf(HandleKind kind) => kind switch
    {
        HandleKind.Engine => "engine",
        HandleKind.Builder => "builder",
        HandleKind.Watchlist => "watchlist",
        HandleKind.Run => "run",
        HandleKind.Camera => "camera",
        HandleKind.Alert => "alert",
        _ => "template",
    };

    private readonly record struct Slot(uint Generation, HandleObject? Object);
}
