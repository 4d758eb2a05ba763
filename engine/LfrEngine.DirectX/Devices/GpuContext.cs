using ComputeSharp;

namespace LfrEngine.DirectX.Devices;

/// <summary>The GPU for the life of the program: holds the current device, lends it to one piece of work at a time, and replaces it when it is lost.</summary>
/// <remarks>
/// One at a time, because there is one command queue: the work of a camera waits for that of another on the GPU anyway. Thread-safe. What lives on the
/// device registers here, because a lost device can only be replaced when everything on it has been released.
/// </remarks>
public sealed class GpuContext : IDisposable
{
    // A driver that is being updated or resets is back within seconds.
    private const int RebuildAttempts = 20, RebuildPauseMs = 500;

    private readonly Lock gate = new();
    private readonly HashSet<IDeviceResident> residents = [];
    private readonly (long Luid, string Name)? chosen;
    private GpuDevice? device;
    private bool disposed;

    private GpuContext((long Luid, string Name)? chosen)
    {
        this.chosen = chosen;
        device = new GpuDevice(OpenDevice());
    }

    /// <summary>Whether this build has the GPU path, or was built with stand-ins for its packages.</summary>
    public static bool IsBuilt =>
#if LFR_STAND_INS
        false;
#else
        true;
#endif

    /// <summary>Display name of the adapter.</summary>
    public string AdapterName => Use(d => d.Graphics.Name);

    /// <summary>Whether it is a GPU, and not the software device that Windows falls back to.</summary>
    public bool IsHardware => Use(d => d.Graphics.IsHardwareAccelerated);

    /// <summary>Times the device was lost and replaced.</summary>
    public int Losses { get; private set; }

    /// <summary>The graphics adapters of this Windows machine, each with the index by which it can be chosen.</summary>
    /// <exception cref="GpuException">There is no DXGI.</exception>
    public static IReadOnlyList<string> ListAdapters() => [.. GpuAdapter.List().Select(a => $"{a.Index}: {a.Name}")];

    /// <summary>Opens a device. Everything that is given this context uses it: networks, search and decoding.</summary>
    /// <param name="adapter">Its index or a part of its name (<c>lfr doctor</c>); null for the fastest GPU, or without one the software device of Windows.</param>
    /// <exception cref="GpuException">This build has no GPU path, or the machine no Direct3D 12 or no such GPU.</exception>
    public static GpuContext Open(string? adapter = null)
    {
        if (!IsBuilt)
            throw new GpuException("This build has no GPU path: it was built without ComputeSharp, Silk.NET and FFmpeg.AutoGen. Build it with them on Windows (docs/windows.md); on Windows --inference directml works without them.");
        try
        {
            GpuAdapter? meant = adapter is null ? null : GpuAdapter.Choose(GpuAdapter.List(), adapter);
            return new GpuContext(meant is null ? null : (meant.Luid, meant.Name));
        }
        catch (Exception e) when (e is not GpuException)
        {
            throw new GpuException($"No Direct3D 12 device can be opened: {e.Message} Update the graphics driver, or run without the GPU.", e);
        }
    }

    /// <summary>Opens what this build has, stand-ins included: for tests of what does not need Direct3D.</summary>
    /// <param name="chosen">Which of them; null for the default.</param>
    internal static GpuContext OpenAny((long Luid, string Name)? chosen = null) => new(chosen);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            DropDevice(clearing: true);
        }
    }

    /// <summary>Does work on the device, alone.</summary>
    /// <exception cref="DeviceLostException">The device was lost in it; there is a new one. The caller decides what to do again.</exception>
    internal T Use<T>(Func<GpuDevice, T> work)
    {
        lock (gate)
        {
            GpuDevice used = device ?? Replace("it could not be replaced immediately");
            try
            {
                return work(used);
            }
            catch (Exception e) when (used.IsLost)
            {
                string why = used.LossReason;
                // Work inside work may have replaced it already.
                if (device == used)
                {
                    Losses++;
                    Replace(why);
                }
                throw new DeviceLostException($"The GPU was lost: {why}. It is in use again.", e);
            }
        }
    }

    /// <inheritdoc cref="Use{T}"/>
    internal void Use(Action<GpuDevice> work) => Use(d =>
    {
        work(d);
        return true;
    });

    /// <summary><see cref="Use(Action{GpuDevice})"/>, and once more if the device is lost in it.</summary>
    internal void UseAgain(Action<GpuDevice> work)
    {
        try
        {
            Use(work);
        }
        catch (DeviceLostException)
        {
            Use(work);
        }
    }

    internal void Register(IDeviceResident resident)
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            residents.Add(resident);
        }
    }

    internal void Unregister(IDeviceResident resident)
    {
        lock (gate)
            residents.Remove(resident);
    }

    // By its name where the LUID is unknown: a driver that was updated has given the same GPU another.
    private GraphicsDevice OpenDevice()
    {
        if (chosen is not { } wanted)
            return GraphicsDevice.GetDefault();
        return GraphicsDevice.QueryDevices(d => LuidOf(d) == wanted.Luid).FirstOrDefault()
            ?? GraphicsDevice.QueryDevices(d => d.Name == wanted.Name).FirstOrDefault()
            ?? throw new GpuException($"{wanted.Name} does not run Direct3D 12 with shader model 6.");
    }

    private static long LuidOf(in GraphicsDeviceInfo device)
    {
        Luid luid = device.Luid;
        return System.Runtime.CompilerServices.Unsafe.As<Luid, long>(ref luid);
    }

    private void DropDevice(bool clearing)
    {
        foreach (IDeviceResident resident in residents.OrderBy(r => r.Layer))
            resident.LeaveDevice(clearing ? device : null);
        device?.Dispose();
        device = null;
    }

    private GpuDevice Replace(string why)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        DropDevice(clearing: false);
        using var pause = new ManualResetEvent(false);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return device = new GpuDevice(OpenDevice());
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                if (attempt == RebuildAttempts)
                    throw new GpuException($"The GPU was lost ({why}) and has not come back in {RebuildAttempts * RebuildPauseMs / 1000} s: {e.Message}", e);
                pause.WaitOne(RebuildPauseMs);
            }
        }
    }
}

/// <summary>Something on the device that must be released before the device can be replaced.</summary>
internal interface IDeviceResident
{
    /// <summary>Lower layers go first.</summary>
    ResidentLayer Layer { get; }

    /// <summary>Lets go of everything on the device; it is taken again at the next use. Called alone.</summary>
    /// <param name="alive">The device, to clear memory on; null when it is lost.</param>
    void LeaveDevice(GpuDevice? alive);
}

/// <summary>Order of disposal: bindings use sessions and buffers, sessions use the device.</summary>
internal enum ResidentLayer
{
    /// <summary>Bindings over buffers, of a session.</summary>
    Plan,

    /// <summary>A session.</summary>
    Network,

    /// <summary>Memory.</summary>
    Buffer,
}
