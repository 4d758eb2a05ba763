using LfrEngine.CApi.Interop;
using LfrEngine.CApi.Runs;
using LfrEngine.Pipeline;

namespace LfrEngine.CApi.Engine;

/// <summary>What a load will hold of the memory that <c>max_memory_bytes</c> limits.</summary>
/// <remarks>
/// Fitted from above to measured peaks (scripts/capi.sh memory; docs/embedding.md): a sum of what grows with cameras, workers, sizes and photos. The peak of one
/// load differs by a sixth from run to run, with what the workers happen to do at the same time; the estimate is for all at once.
/// </remarks>
internal static class MemoryEstimate
{
    private const long MiB = 1 << 20;

    // What a watchlist and alerts need besides photos.
    private const long BaseBytes = 12 * MiB;

    // Tensors, packed weights and activations of each worker's networks, and the blank picture of its warm-up.
    private const long WorkerBytes = 56 * MiB;

    // Crops, pictures and tracks.
    private const long CameraBytes = 6 * MiB;

    // Eleven templates, uncovered and under covers: in float32 twice, in the list and ready for the search, and in 8 bits; and the photo itself.
    private const long PhotoBytes = (512 * 9 * 11) + (24 << 10);

    // The networks of enrolment, whose grid is larger, and of single calls: both stay until builder and engine are destroyed.
    private const long EnrolmentBytes = 126 * MiB;

    // What a decoder keeps of the stream of a usual camera.
    private const int UsualReferences = 4, MostReferences = 16;

    public static long HeldBytes(in LoadData load)
    {
        const int MostCameras = 1000, MostSide = 16384, MostPhotos = 10_000_000;
        Check.Reserved(load.Reserved, "load.reserved");
        Check.Reserved(load.Reserved2, "load.reserved2");
        int cameras = Or(load.Cameras, 1, MostCameras, "load.cameras"), width = Or(load.Width, 1920, MostSide, "load.width"), height = Or(load.Height, 1080, MostSide, "load.height");
        int workers = Or(load.WorkerThreads, Math.Min(Environment.ProcessorCount, RunExports.MostWorkers), RunExports.MostWorkers, "load.worker_threads");
        int usualGrid = new Detection.DetectorSettings().GridLongSide, grid = Or(load.GridLongSide, usualGrid, RunExports.LargestGrid, "load.grid_long_side", RunExports.SmallestGrid);
        long photos = Or(load.Photos, 1000, MostPhotos, "load.photos");
        int references = Or(load.ReferenceFrames, UsualReferences, MostReferences, "load.reference_frames");
        long photoWidth = Or(load.PhotoWidth, 0, MostSide, "load.photo_width"), photoHeight = Or(load.PhotoHeight, 0, MostSide, "load.photo_height");
        if (photoWidth == 0 != (photoHeight == 0))
            throw Check.Bad(photoWidth == 0 ? "load.photo_width is 0, but load.photo_height is given: give both, or neither." : "load.photo_height is 0, but load.photo_width is given: give both, or neither.");
        // Held by the decoder, waiting, and under way (Scheduler.cs); 4:2:0, with the decoder's margins.
        long frame = (3L * RoundUp(width, 64) * RoundUp(height, 32) / 2) + Environment.SystemPageSize, frames = references + 4 + (2 * workers);
        double scale = Math.Max(1, grid / (double)usualGrid * grid / usualGrid);
        // As decoded, and turned upright.
        long enrolment = photoWidth == 0 ? 0 : EnrolmentBytes + (5 * photoWidth * photoHeight / 2);
        return BaseBytes + (long)(workers * WorkerBytes * scale) + (cameras * (CameraBytes + (frames * frame))) + (photos * PhotoBytes) + enrolment;
    }

    private static long RoundUp(int value, int multiple) => (value + multiple - 1) / multiple * (long)multiple;

    private static int Or(int given, int usual, int most, string argument, int least = 1)
    {
        Check.RangeOrZero(given, least, most, argument, usual == 0 ? "none" : $"{usual}");
        return given == 0 ? usual : given;
    }
}
