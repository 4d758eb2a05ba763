using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Inference;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Frames;
using LfrEngine.Models;

namespace LfrEngine.DirectX.Decoding;

/// <summary>One frame on the device. Disposing clears it there and gives its buffer back.</summary>
internal sealed unsafe class GpuFrame(FrameStore store, GpuDevice home, GpuBuffer<uint> bytes, FrameLayout layout) : IFrameSurface, IDisposable
{
    private bool disposed;

    public void FillLetterbox(in FrameView frame, in LetterboxTransform transform, ModelInput input, InferencePlan plan) =>
        Letterbox(frame, transform, input, OnThisDevice(plan).BeginFill);

    public void FillRegion(in FrameView frame, in FaceBox region, int size, ModelInput input, InferencePlan plan, int place, bool transposed) =>
        Region(frame, region, size, input, OnThisDevice(plan).BeginFill, place, transposed);

    public void FillAligned(in FrameView frame, in AlignmentTransform transform, int size, ModelInput input, InferencePlan plan)
    {
        GpuPlan target = OnThisDevice(plan);
        FrameView view = frame;
        AlignmentTransform placed = transform;
        Cut(gpu =>
        {
            AlignShader shader = Aligning(gpu, view, placed, size, input, target.BeginFill(gpu));
            gpu.Submit((in ComputeContext list) => list.For(size, size, shader));
        });
    }

    public PointSums RunPoints(InferencePlan plan, FacePoints points, in PointGrid grid) => OnThisDevice(plan).RunPoints(points, grid);

    /// <summary>The whole frame into a tensor on the device.</summary>
    public void Letterbox(in FrameView frame, in LetterboxTransform transform, ModelInput input, Func<GpuDevice, ReadWriteBuffer<float>> destination)
    {
        var whole = new FaceBox(0, 0, transform.ImageWidth / transform.Scale, transform.ImageHeight / transform.Scale);
        LetterboxTransform grid = transform;
        FrameView view = frame;
        Cut(gpu =>
        {
            ResampleShader shader = Resampling(gpu, view, whole, grid.GridWidth, grid.GridHeight, grid.ImageWidth, grid.ImageHeight, ResampleShader.Channels, input, destination(gpu));
            gpu.Submit((in ComputeContext list) => list.For(grid.GridWidth, grid.GridHeight, shader));
        });
    }

    /// <summary>A region into a tensor on the device.</summary>
    public void Region(in FrameView frame, in FaceBox region, int size, ModelInput input, Func<GpuDevice, ReadWriteBuffer<float>> destination, int place = 0, bool transposed = false)
    {
        FrameView view = frame;
        FaceBox box = region;
        int mode = input.Channels == ChannelOrder.Grey ? ResampleShader.Grey : ResampleShader.Channels;
        Cut(gpu =>
        {
            ResampleShader shader = Resampling(gpu, view, box, size, size, size, size, mode, input, destination(gpu), place * input.ChannelCount * size * size, transposed);
            gpu.Submit((in ComputeContext list) => list.For(size, size, shader));
        });
    }

    public IAlignedSlot Align(in FrameView frame, in AlignmentTransform transform, ModelInput input)
    {
        FrameView view = frame;
        AlignmentTransform placed = transform;
        var slot = new AlignedSlot(store, input);
        try
        {
            Cut(gpu => slot.Fill(gpu, to => Aligning(gpu, view, placed, AlignmentTransform.GridSize, input, to)));
            return slot;
        }
        catch
        {
            slot.Dispose();
            throw;
        }
    }

    public void Resample(in FrameView frame, in FaceBox region, int width, int height, float* planes)
    {
        FrameView view = frame;
        FaceBox box = region;
        Bring(3 * width * height, planes, (gpu, patch) =>
        {
            ResampleShader shader = Resampling(gpu, view, box, width, height, width, height, ResampleShader.Raw, null, patch.On(gpu));
            gpu.Submit((in ComputeContext list) => list.For(width, height, shader));
        });
    }

    public IKeptRegion Keep(in FrameView frame, in FaceBox region, int width, int height)
    {
        FrameView view = frame;
        FaceBox box = region;
        var kept = new KeptRegion(store.Context, store.Regions, 3 * width * height);
        try
        {
            Cut(gpu =>
            {
                ResampleShader shader = Resampling(gpu, view, box, width, height, width, height, ResampleShader.Raw, null, kept.On(gpu));
                gpu.Submit((in ComputeContext list) => list.For(width, height, shader));
            });
            return kept;
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    /// <summary>Clears the frame on its device. Safe to call twice.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        store.Release(bytes);
    }

    private GpuPlan OnThisDevice(InferencePlan plan) =>
        plan is GpuPlan target && target.Context == store.Context
            ? target
            : throw new InvalidOperationException("A frame on the GPU needs networks on the same GPU: run with --inference directml, or decode in software.");

    // On another device than the frame was made on there is nothing to cut: the destination stays empty.
    private void Cut(Action<GpuDevice> work)
    {
        try
        {
            store.Context.Use(gpu =>
            {
                if (gpu == home)
                    work(gpu);
            });
        }
        catch (DeviceLostException)
        {
            // As above, from now on.
        }
    }

    private void Bring(int length, float* to, Action<GpuDevice, GpuBuffer<float>> work)
    {
        new Span<float>(to, length).Clear();
        Cut(gpu =>
        {
            GpuBuffer<float> patch = store.Patch(length);
            work(gpu, patch);
            patch.Read(gpu, new Span<float>(to, length));
            gpu.Clear(patch);
        });
    }

    private ResampleShader Resampling(GpuDevice gpu, in FrameView view, in FaceBox region, int gridWidth, int gridHeight, int imageWidth, int imageHeight, int mode, ModelInput? input,
        ReadWriteBuffer<float> destination, int first = 0, bool transposed = false)
    {
        float stepX = region.Width / imageWidth, stepY = region.Height / imageHeight;
        return new ResampleShader(
            bytes.On(gpu), destination, first,
            region.Left, region.Top, stepX, stepY,
            (region.Left * view.ChromaScaleX) + view.ChromaOffsetX, (region.Top * view.ChromaScaleY) + view.ChromaOffsetY, stepX * view.ChromaScaleX, stepY * view.ChromaScaleY,
            gridWidth, gridHeight, imageWidth, imageHeight, mode, transposed ? 1 : 0, Planes(view), InputColour.Of(view, input));
    }

    private AlignShader Aligning(GpuDevice gpu, in FrameView view, in AlignmentTransform transform, int size, ModelInput input, ReadWriteBuffer<float> destination)
    {
        PointF origin = transform.ToFrame(new PointF(0, 0)), right = transform.ToFrame(new PointF(1, 0)), down = transform.ToFrame(new PointF(0, 1));
        return new AlignShader(
            bytes.On(gpu), destination, size,
            origin.X, origin.Y, right.X, right.Y, down.X, down.Y, view.ChromaScaleX, view.ChromaScaleY, view.ChromaOffsetX, view.ChromaOffsetY,
            FaceAligner.SamplesPerSide(1, transform), FaceAligner.SamplesPerSide(view.ChromaScaleX, transform), Planes(view), InputColour.Of(view, input));
    }

    private FramePlanes Planes(in FrameView view) => new()
    {
        LumaPitch = layout.LumaPitch,
        Width = view.Width,
        Height = view.Height,
        FirstU = layout.FirstU,
        FirstV = layout.FirstV,
        ChromaPitch = layout.ChromaPitch,
        ChromaStep = layout.ChromaStep,
        ChromaWidth = view.ChromaWidth,
        ChromaHeight = view.ChromaHeight,
    };
}
