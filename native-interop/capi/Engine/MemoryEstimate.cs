using LfrEngine.CApi.Interop;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Engine;

/// <summary>What a load will hold of the memory that <c>max_memory_bytes</c> limits.</summary>
/// <remarks>Fitted from above to measured peaks (scripts/capi.sh memory; docs/embedding.md): a sum of what grows with cameras, workers, sizes and photos.</remarks>
internal static class MemoryEstimate
{
    private const long MiB = 1 << 20;

    // The packed networks, and what a watchlist and alerts need besides photos.
    private const long NetworkBytes = 56 * MiB;

    // Tensors and activations, and the blank picture of the warm-up.
    private const long WorkerBytes = 24 * MiB;

    // Crops, pictures and tracks.
    private const long CameraBytes = 6 * MiB;

    // float32 and 8 bits, four times: uncovered and under three covers; and the photo itself.
    private const long PhotoBytes = (512 * 5 * 4) + (48 << 10);

    public static long HeldBytes(in LoadData load)
    {
        const int MostCameras = 1000, MostSide = 16384, MostWorkers = 1024, MostGrid = 4096, MostPhotos = 10_000_000;
        Check.Reserved(load.Reserved, "load.reserved");
        int cameras = Or(load.Cameras, 1, MostCameras, "load.cameras"), width = Or(load.Width, 1920, MostSide, "load.width"), height = Or(load.Height, 1080, MostSide, "load.height");
        int workers = Or(load.WorkerThreads, Math.Min(Environment.ProcessorCount, MostWorkers), MostWorkers, "load.worker_threads");
        int usualGrid = new Detection.DetectorSettings().GridLongSide, grid = Or(load.GridLongSide, usualGrid, MostGrid, "load.grid_long_side");
        long photos = Or(load.Photos, 1000, MostPhotos, "load.photos");
        // Held by the decoder, waiting, and under way; 4:2:0.
        long frame = 3L * width * height / 2, frames = 24 + workers;
        long scale = Math.Max(1, (long)Math.Ceiling(grid / (double)usualGrid * grid / usualGrid));
        return NetworkBytes + (workers * WorkerBytes * scale) + (cameras * (CameraBytes + (frames * frame))) + (photos * PhotoBytes);
    }

    private static int Or(int given, int usual, int most, string argument)
    {
        Check.Range(given, 0, most, argument);
        return given == 0 ? usual : given;
    }
}
