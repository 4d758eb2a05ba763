using System.Diagnostics;
using LfrEngine.Frames;
using LfrEngine.Native.Media;
using LfrEngine.Native.Memory;
using LfrEngine.Pipeline;

namespace LfrEngine.Records.Cameras;

/// <summary>Result of a test of a camera, as <c>lfr cameras test</c> prints it. It contains no picture and no face data.</summary>
public sealed record CameraFindings(string Name, bool Live, string Container, string Codec, string PixelFormat, int Width, int Height, double? NominalFramesPerSecond,
    double? MeasuredFramesPerSecond, double TimeToFirstPictureMs, int Frames, double Seconds, long DamagedPackets, StampFindings TimeStamps, PictureFindings Picture,
    FaceFindings Faces, string[] Warnings);

/// <summary>Opens one source with the engine's reader, analyses it for some seconds, and keeps only counts.</summary>
/// <param name="camera">What to open.</param>
/// <param name="models">Borrowed.</param>
/// <param name="length">How long to look.</param>
/// <param name="grid">Long side of the grid on which <c>lfr run</c> will look for faces.</param>
/// <param name="still">Receives the sampled frames, for a picture of the scene; null for none. Borrowed.</param>
internal sealed class CameraCheck(CameraSettings camera, EngineModels models, TimeSpan length, int grid, StillPicture? still = null)
{
    private const double SampleEveryMs = 200;

    // Of a recording whose stamps stand still: more frames than any camera sends in the time.
    private const int MostFramesPerSecond = 120;

    private readonly StampCheck stamps = new(camera.IsLive);
    private readonly PictureCheck picture = new();
    private readonly List<string> warnings = [];
    private FaceCheck? faces;
    private TurnCheck? turn;
    private long firstArrival, searchAgainAt;
    private double sampledAtMs;
    private int sampledFrame;
    private (int Width, int Height) size;

    /// <summary>Runs the check.</summary>
    /// <exception cref="MediaException">It cannot be opened, or sends no picture.</exception>
    /// <exception cref="OperationCanceledException">Stopped before the end.</exception>
    public CameraFindings Run(CancellationToken stopping)
    {
        long opened = Stopwatch.GetTimestamp();
        using ISourceReader reader = camera.Decoder.Open(camera.Source, camera.Options, camera.IsLive, null, stopping);
        using CancellationTokenRegistration interrupt = stopping.UnsafeRegister(static r => ((ISourceReader)r!).Interrupt(), reader);
        double toFirstMs = 0;
        try
        {
            var frame = new FrameLease();
            while (!IsDone())
            {
                stopping.ThrowIfCancellationRequested();
                DecodeResult result = ReadNext(reader, frame);
                if (result != DecodeResult.Frame)
                {
                    stopping.ThrowIfCancellationRequested();
                    break;
                }
                using (frame)
                {
                    if (stamps.Frames == 0)
                    {
                        toFirstMs = Stopwatch.GetElapsedTime(opened).TotalMilliseconds;
                        firstArrival = Stopwatch.GetTimestamp();
                    }
                    Look(frame);
                }
            }
            if (stamps.Frames == 0)
                throw new MediaException(MediaError.ReadError, $"{camera.Name} was opened, but sent no picture.");
            return Judge(reader.GetInfo(), toFirstMs);
        }
        finally
        {
            faces?.Dispose();
            turn?.Dispose();
            StackScrub.Wipe();
        }
    }

    private bool IsDone() => stamps.Frames > 0 && (camera.IsLive
        ? Stopwatch.GetElapsedTime(firstArrival) >= length
        : stamps.StreamMs >= length.TotalMilliseconds || stamps.Frames >= length.TotalSeconds * MostFramesPerSecond);

    // A stream that breaks after its first pictures gives a warning; one that sent none cannot be used.
    private DecodeResult ReadNext(ISourceReader reader, FrameLease frame)
    {
        try
        {
            DecodeResult result = reader.Read(frame);
            if (result == DecodeResult.EndOfStream && camera.IsLive)
                warnings.Add($"the stream ended after {Stopwatch.GetElapsedTime(firstArrival).TotalSeconds:0.0} s");
            return result;
        }
        catch (MediaException e) when (stamps.Frames > 0)
        {
            warnings.Add($"the stream broke after {Stopwatch.GetElapsedTime(firstArrival).TotalSeconds:0.0} s: {e.Message}");
            return DecodeResult.EndOfStream;
        }
    }

    private void Look(FrameLease frame)
    {
        stamps.Add(frame.TimestampUs, frame.ArrivalTimestamp);
        (int Width, int Height) now = (frame.View.Width, frame.View.Height);
        if (size != now && size != default)
            warnings.Add($"the picture changed from {size.Width}x{size.Height} to {now.Width}x{now.Height}");
        size = now;
        double atMs = camera.IsLive ? Stopwatch.GetElapsedTime(firstArrival).TotalMilliseconds : stamps.StreamMs;
        // Also limited by count, for stamps that do not advance.
        if (stamps.Frames > 1 && atMs - sampledAtMs < SampleEveryMs && stamps.Frames - sampledFrame < MostFramesPerSecond * SampleEveryMs / 1000)
            return;
        (sampledAtMs, sampledFrame) = (atMs, stamps.Frames);
        picture.Add(frame.View);
        long started = Stopwatch.GetTimestamp();
        // Not so often that a live source has to wait, because lost frames would look like damage.
        if (camera.IsLive && started < searchAgainAt)
            return;
        faces ??= new FaceCheck(models, now.Width, now.Height, grid);
        faces.Add(frame.View);
        still?.Add(frame.View);
        turn ??= new TurnCheck(models);
        turn.Add(frame.View);
        long ended = Stopwatch.GetTimestamp();
        searchAgainAt = ended + (2 * (ended - started));
    }

    private CameraFindings Judge(MediaInfo info, double toFirstMs)
    {
        double? rate = stamps.MeasureRate();
        double? nominal = info.AverageFps > 0 ? info.AverageFps : null;
        StampFindings clock = stamps.Judge();
        PictureFindings light = picture.Judge();
        FaceFindings found = faces!.Judge();
        if (info.Corrupt > 0)
            warnings.Add($"{new Counted(info.Corrupt):damaged packet|damaged packets}: {info.LastDamage}");
        if (info.IsTruncated)
            warnings.Add("the recording is shorter than its index says: it is truncated");
        if (clock.State is not ("good" or "unknown"))
            warnings.Add(clock.Text);
        if (nominal is { } promised && (rate < promised * 0.8 || rate > promised * 1.25))
            warnings.Add($"{rate:0.0} frames per second arrive, {promised:0.##} are announced");
        if (light.Exposure != "good")
            warnings.Add(light.ExposureText);
        if (light.Focus == "blurred")
            warnings.Add(light.FocusText);
        if (turn!.Judge() is > 0 and int degrees)
            warnings.Add($"people are upright only after the picture is turned by {degrees}°: add rotate={(camera.Options.RotateDegrees + (camera.Options.Mirror ? 360 - degrees : degrees)) % 360} to the camera");
        // A single box may be a false detection.
        if (found.Seen >= 3 && found.TooSmall * 2 > found.Seen)
            warnings.Add($"{found.TooSmall} of {found.Seen} faces are too small to be compared: move the camera nearer, zoom in, or choose a stream with more pixels");
        double seconds = camera.IsLive ? Stopwatch.GetElapsedTime(firstArrival).TotalSeconds : stamps.StreamMs / 1000;
        return new CameraFindings(camera.Name, camera.IsLive, info.Container, info.Codec, info.PixelFormat, size.Width, size.Height, nominal, rate, toFirstMs, stamps.Frames, seconds,
            info.Corrupt, clock, light, found, [.. warnings]);
    }
}
