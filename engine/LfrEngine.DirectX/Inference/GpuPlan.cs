using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.DirectX.Decoding;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Search;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Matching;
using LfrEngine.Models;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.DirectX.Inference;

/// <summary>One input shape of a network with its tensors in buffers on the device. What runs the network there is the derived class's.</summary>
/// <remarks>
/// The input is filled there by a shader, or in host memory and uploaded by the run. What comes back: of a detector the anchors that score, of points
/// what is made of them, of the embedder the lengths of the
/// embeddings, which stay for the search. When the device is lost in a run, the run is done again on the new one; an input that lay on the old one
/// is empty then, and nothing is found in it.
/// </remarks>
internal abstract unsafe class GpuPlan : InferencePlan, IDeviceResident
{
    // What comes back of a detector in one copy, 4-byte words: anchors enough for a few faces. More come in a second copy.
    private const int WordsAtOnce = 280;

    // As the detector's own list: more are noise.
    private const int MostPicked = 4096;

    private readonly GpuBuffer<float> input;
    private readonly GpuBuffer<float>[] outputs;
    private GpuProbes? ownProbes;
    // One number of each.
    private GpuBuffer<float>? perImage;
    private GpuBuffer<float>? points;
    private GpuBuffer<int>? five;
    private GpuDevice? fiveOn;
    private GpuBuffer<int>? picked;
    private bool filledOnDevice, clear = true;

    // Where this batch's faces lie; null when they went with their device.
    private GpuDevice? facesOn;
    private bool hasSlots;

    protected GpuPlan(GpuContext context, ModelManifest manifest, InferenceSession session, int batch, int height, int width)
        : base(manifest, session, batch, height, width)
    {
        Context = context;
        input = new GpuBuffer<float>(context, Input.Length);
        outputs = new GpuBuffer<float>[Outputs.Count];
        for (int i = 0; i < outputs.Length; i++)
            outputs[i] = new GpuBuffer<float>(context, Outputs[i].Length);
        context.Register(this);
    }

    public ResidentLayer Layer => ResidentLayer.Plan;

    /// <summary>The device of the input.</summary>
    public GpuContext Context { get; }

    /// <summary>The input on the device.</summary>
    protected GpuBuffer<float> DeviceInput => input;

    /// <summary>The outputs on the device.</summary>
    protected IReadOnlyList<GpuBuffer<float>> DeviceOutputs => outputs;

    /// <summary>The input for a shader to fill, inside <see cref="GpuContext.Use{T}"/>.</summary>
    public ReadWriteBuffer<float> BeginFill(GpuDevice gpu)
    {
        MarkFilled();
        (filledOnDevice, clear) = (true, false);
        return input.On(gpu);
    }

    internal override void FillFaces(ReadOnlySpan<AlignedFace> faces)
    {
        base.FillFaces(faces);
        var slots = new AlignedSlot?[faces.Length];
        for (int i = 0; i < slots.Length; i++)
            slots[i] = faces[i].Slot as AlignedSlot;
        if (Array.TrueForAll(slots, s => s is null))
            return;
        (hasSlots, facesOn) = (true, null);
        try
        {
            Context.Use(gpu =>
            {
                if (Array.Exists(slots, s => s is not null && s.Home != gpu))
                    return;
                // The others, of frames in host memory.
                if (Array.Exists(slots, s => s is null))
                    input.Upload(gpu, Input.Span);
                ReadWriteBuffer<float> batch = BeginFill(gpu);
                gpu.Submit((in ComputeContext list) =>
                {
                    for (int i = 0; i < slots.Length; i++)
                    {
                        if (slots[i] is { } slot)
                            list.For(FaceAligner.CropLength, Placing(slot.On(gpu), batch, i, slot.IsBrowBlank));
                    }
                });
                facesOn = gpu;
            });
        }
        catch (DeviceLostException)
        {
            // As if they lay on another device.
        }
    }

    public override void RunNormalised(int length, Span<float> unit, Span<float> norms)
    {
        GpuProbes probes = ownProbes ??= new GpuProbes(Context, Batch, length);
        // In the run, so that it is done again when the device is lost before they are here.
        fixed (float* start = unit)
        {
            float* to = start;
            Normalise(probes, length, norms, (gpu, count) => probes.Read(gpu, 0, to, count));
        }
    }

    internal override void RunNormalised(Probes probes)
    {
        if (probes.Device is not GpuProbes target || target.Context != Context)
        {
            probes.Device?.Dispose();
            probes.Device = target = new GpuProbes(Context, probes.Most, probes.Length);
        }
        Normalise(target, probes.Length, probes.Norms);
        probes.IsOnDevice = true;
    }

    internal override void RunLargest(int output, Span<float> largest)
    {
        MarkFilled();
        perImage ??= new GpuBuffer<float>(Context, Batch);
        fixed (float* start = largest)
        {
            float* told = start;
            int count = largest.Length;
            RunAgain(gpu =>
            {
                Execute(gpu);
                var shader = new LargestShader(outputs[output].On(gpu), perImage.On(gpu), outputs[output].Length / Batch);
                gpu.Submit((in ComputeContext list) => list.For(count, shader));
                perImage.Read(gpu, new Span<float>(told, count));
            });
        }
    }

    /// <summary>Runs a network of points and tells what is made of them; those of the run before are compared with, until the plan is wiped.</summary>
    public PointSums RunPoints(FacePoints kind, in PointGrid grid)
    {
        MarkFilled();
        points ??= new GpuBuffer<float>(Context, (2 * kind.Count) + PointsShader.Told);
        five ??= new GpuBuffer<int>(Context, kind.Five.Length);
        PointGrid at = grid;
        float* told = stackalloc float[PointsShader.Told];
        RunAgain(gpu =>
        {
            Execute(gpu);
            if (fiveOn != gpu)
                five.Upload(gpu, kind.Five);
            fiveOn = gpu;
            var shader = new PointsShader(outputs[0].On(gpu), outputs[^1].On(gpu), five.On(gpu), points.On(gpu), kind.Count, kind.Stride, kind.IsTurned ? 1 : 0,
                at.Origin.X, at.Origin.Y, at.Right.X, at.Right.Y, at.Down.X, at.Down.Y);
            gpu.Submit((in ComputeContext list) => list.For(1, shader));
            points.Read(gpu, new Span<float>(told, PointsShader.Told), 2 * kind.Count);
        });
        var sums = new PointSums(
            new Landmarks5(new PointF(told[4], told[5]), new PointF(told[6], told[7]), new PointF(told[8], told[9]), new PointF(told[10], told[11]), new PointF(told[12], told[13])),
            new FaceBox(told[0], told[1], told[2], told[3]), told[15], told[16], told[14], told[17]);
        new Span<float>(told, PointsShader.Told).Clear();
        return sums;
    }

    internal override void RunAnchors(AnchorTensors anchors, float minimumScore)
    {
        // A score of zero would count: everything must come back.
        if (minimumScore <= 0)
        {
            Run();
            return;
        }
        MarkFilled();
        RunAgain(gpu =>
        {
            Execute(gpu);
            if (!Pick(gpu, anchors, minimumScore))
                ReadOutputs(gpu);
        });
    }

    public override void Halve(InferencePlan fuller, in LetterboxTransform whole, in LetterboxTransform half)
    {
        if (fuller is not GpuPlan { filledOnDevice: true } source)
        {
            base.Halve(fuller, whole, half);
            return;
        }
        (int width, int height, int sourceWidth, int sourceHeight) = (half.GridWidth, half.GridHeight, whole.GridWidth, whole.GridHeight);
        Context.Use(gpu =>
        {
            ReadWriteBuffer<float> from = source.input.On(gpu);
            var shader = new HalveShader(from, sourceWidth, sourceHeight, BeginFill(gpu), width, height);
            gpu.Submit((in ComputeContext list) =>
            {
                list.For(width, height, 3, shader);
                list.Barrier(from);
                source.RecordClear(in list);
            });
            source.CountCleared();
        });
    }

    public override void Wipe()
    {
        (filledOnDevice, hasSlots, facesOn) = (false, false, null);
        try
        {
            if (!clear)
            {
                Context.Use(gpu =>
                {
                    gpu.Submit((in ComputeContext list) => RecordClear(in list));
                    CountCleared();
                });
            }
        }
        catch (DeviceLostException)
        {
            // Gone with the device.
        }
        base.Wipe();
    }

    public virtual void LeaveDevice(GpuDevice? alive) => filledOnDevice = false;

    /// <summary>Runs the network on the device's buffers, the input of which is filled.</summary>
    protected abstract void RunOn(GpuDevice gpu);

    protected override void RunOnce() => RunAgain(gpu =>
    {
        Execute(gpu);
        ReadOutputs(gpu);
    });

    /// <summary>A last run over zeros, for memory that the network keeps for itself and that cannot be cleared in another way.</summary>
    protected void RunOverZeros(GpuDevice gpu)
    {
        Input.Wipe();
        filledOnDevice = false;
        Execute(gpu);
    }

    protected override void Dispose(bool disposing)
    {
        Context.Unregister(this);
        input.Dispose();
        foreach (GpuBuffer<float> output in outputs)
            output.Dispose();
        ownProbes?.Dispose();
        perImage?.Dispose();
        points?.Dispose();
        five?.Dispose();
        picked?.Dispose();
        base.Dispose(disposing);
    }

    private void Normalise(GpuProbes to, int length, Span<float> norms, Action<GpuDevice, int>? then = null)
    {
        MarkFilled();
        perImage ??= new GpuBuffer<float>(Context, Batch);
        fixed (float* start = norms)
        {
            float* told = start;
            int count = norms.Length;
            RunAgain(gpu =>
            {
                new Span<float>(told, count).Clear();
                if (hasSlots && facesOn != gpu)
                    return;
                Execute(gpu);
                var shader = new NormaliseShader(outputs[0].On(gpu), to.BeginFill(gpu), perImage.On(gpu), length, to.Stride, SmallestNorm);
                gpu.Submit((in ComputeContext list) => list.For(count, shader));
                perImage.Read(gpu, new Span<float>(told, count));
                then?.Invoke(gpu, count);
            });
        }
    }

    private PlaceShader Placing(ReadWriteBuffer<float> face, ReadWriteBuffer<float> batch, int place, bool blank)
    {
        const int Plane = FaceAligner.CropLength / 3;
        ModelInput format = Manifest.Input;
        return new PlaceShader(face, batch, place * FaceAligner.CropLength, Plane, blank ? BrowBlank.Rows * AlignmentTransform.GridSize : 0,
            BrowBlank.ToneOf(0, format), BrowBlank.ToneOf(1, format), BrowBlank.ToneOf(2, format));
    }

    private void Execute(GpuDevice gpu)
    {
        clear = false;
        // Not filled by a shader on this device: what the host has, which after a loss is nothing.
        if (!filledOnDevice)
            input.Upload(gpu, Input.Span);
        RunOn(gpu);
    }

    private void ReadOutputs(GpuDevice gpu)
    {
        for (int i = 0; i < outputs.Length; i++)
            outputs[i].Read(gpu, Outputs[i].Span);
    }

    // Into the outputs in host memory, which are zero, and a zero does not score. False: there are too many.
    private bool Pick(GpuDevice gpu, AnchorTensors anchors, float minimumScore)
    {
        int[] widths = anchors.Widths;
        int score = anchors.ScoreOutput, row = 2 + widths.Sum() - widths[score], count = outputs[score].Length / widths[score], most = Math.Min(count, MostPicked);
        int[] others = [.. Enumerable.Range(0, widths.Length).Where(i => i != score)];
        picked ??= new GpuBuffer<int>(Context, Math.Max(WordsAtOnce, 1 + (most * row)));
        ReadWriteBuffer<int> target = picked.On(gpu);
        ReadWriteBuffer<float> scores = outputs[score].On(gpu);
        // A network without key points has nothing in third place: any buffer does, of width zero.
        var shader = new PickShader(scores, outputs[others[0]].On(gpu), outputs[others[^1]].On(gpu), target,
            widths[score], anchors.ScoreElement, widths[others[0]], others.Length > 1 ? widths[others[1]] : 0, most, minimumScore);
        gpu.Submit((in ComputeContext list) =>
        {
            list.Clear(target);
            list.Barrier(target);
            list.For(count, shader);
        });
        using Memory.HostBuffer<int> words = Memory.BufferPool.Rent<int>(picked.Length);
        picked.Read(gpu, words.Span[..WordsAtOnce]);
        int total = words.Span[0];
        if (total > most)
            return false;
        int end = 1 + (total * row);
        if (end > WordsAtOnce)
            picked.Read(gpu, words.Span[WordsAtOnce..end], WordsAtOnce);
        for (int at = 1; at < end;)
        {
            int anchor = words.Span[at++];
            Outputs[score].Span[(anchor * widths[score]) + anchors.ScoreElement] = BitConverter.Int32BitsToSingle(words.Span[at++]);
            foreach (int output in others)
            {
                for (int i = 0; i < widths[output]; i++)
                    Outputs[output].Span[(anchor * widths[output]) + i] = BitConverter.Int32BitsToSingle(words.Span[at++]);
            }
        }
        return true;
    }

    private void RecordClear(in ComputeContext list)
    {
        input.RecordClear(in list);
        foreach (GpuBuffer<float> output in outputs)
            output.RecordClear(in list);
        ownProbes?.RecordClear(in list);
        perImage?.RecordClear(in list);
        points?.RecordClear(in list);
        picked?.RecordClear(in list);
    }

    private void CountCleared()
    {
        clear = true;
        input.CountCleared();
        foreach (GpuBuffer<float> output in outputs)
            output.CountCleared();
        ownProbes?.CountCleared();
        perImage?.CountCleared();
        points?.CountCleared();
        picked?.CountCleared();
    }

    private void RunAgain(Action<GpuDevice> work)
    {
        try
        {
            Context.UseAgain(work);
        }
        catch (OnnxRuntimeException e)
        {
            Wipe();
            throw Refused(e);
        }
        catch
        {
            Wipe();
            throw;
        }
    }
}
