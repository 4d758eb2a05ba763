using System.Diagnostics;
using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Matching;
using LfrEngine.Memory;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>One input shape of a network with its input and outputs in locked memory. Used by one thread at a time.</summary>
public abstract unsafe class InferencePlan : IDisposable
{
    private readonly HostBuffer<float>[] outputs;
    private long filledAt;

    /// <summary>Allocates memory for input and outputs.</summary>
    /// <param name="manifest">Names of the tensors.</param>
    /// <param name="session">Runs once on zeros to find the shapes of the outputs; no biometric data is involved.</param>
    /// <param name="batch">Images per run.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="options">Of every run; null for none. The plan owns them.</param>
    /// <exception cref="ModelLoadException">The network does not run at this shape.</exception>
    /// <exception cref="InsufficientMemoryException">The limit of the process is too low for it.</exception>
    protected InferencePlan(ModelManifest manifest, InferenceSession session, int batch, int height, int width, RunOptions? options = null)
    {
        Options = options ?? new RunOptions();
        Batch = batch;
        Manifest = manifest;
        InputShape = [batch, manifest.Input.ChannelCount, height, width];
        Input = BufferPool.Rent<float>(Length(InputShape));
        outputs = new HostBuffer<float>[manifest.Outputs.Length];
        OutputShapes = new long[outputs.Length][];
        try
        {
            using OrtValue input = Wrap(Input, InputShape);
            ActivationAllocator.BeginRun();
            using IDisposableReadOnlyCollection<OrtValue> probe = session.Run(Options, [manifest.Input.Name], [input], manifest.Outputs);
            ActivationAllocator.EndRun();
            for (int i = 0; i < outputs.Length; i++)
            {
                OutputShapes[i] = probe[i].GetTensorTypeAndShape().Shape;
                outputs[i] = BufferPool.Rent<float>(Length(OutputShapes[i]));
            }
        }
        catch (OnnxRuntimeException e)
        {
            ReturnBuffers();
            throw Refused(e);
        }
        catch
        {
            ReturnBuffers();
            throw;
        }
    }

    /// <summary>Images per run.</summary>
    public int Batch { get; }

    /// <summary>float32 NCHW in host memory; filled before a run, owned by the plan.</summary>
    public HostBuffer<float> Input { get; }

    /// <summary>float32 tensors in the order of the manifest's outputs, batch first; valid until the next run.</summary>
    public IReadOnlyList<HostBuffer<float>> Outputs => outputs;

    /// <summary>What the network is.</summary>
    protected ModelManifest Manifest { get; }

    /// <summary>NCHW.</summary>
    protected long[] InputShape { get; }

    /// <summary>Of each output, batch first.</summary>
    protected long[][] OutputShapes { get; }

    /// <summary>Of every run.</summary>
    protected RunOptions Options { get; }

    /// <summary>Fills the input with aligned faces, one after the other.</summary>
    /// <param name="faces">No more than <see cref="Batch"/>. Borrowed until the run.</param>
    internal virtual void FillFaces(ReadOnlySpan<AlignedFace> faces)
    {
        for (int i = 0; i < faces.Length; i++)
            faces[i].Memory.CopyTo(Input.Span.Slice(i * FaceAligner.CropLength, FaceAligner.CropLength));
    }

    /// <summary>Runs the network. If that fails, input and outputs are wiped.</summary>
    public void Run()
    {
        MarkFilled();
        try
        {
            RunOnce();
        }
        catch
        {
            Wipe();
            throw;
        }
    }

    /// <summary>Runs a detector. Of anchors that score less than a minimum, the outputs may stay zero.</summary>
    /// <param name="anchors">How the outputs are made of anchors.</param>
    /// <param name="minimumScore">Inclusive.</param>
    internal virtual void RunAnchors(AnchorTensors anchors, float minimumScore) => Run();

    /// <summary>Runs the network and tells the largest value of one output for each image.</summary>
    /// <param name="output">Index of the output.</param>
    /// <param name="largest">One per image. Borrowed.</param>
    internal virtual void RunLargest(int output, Span<float> largest)
    {
        Run();
        int length = outputs[output].Length / Batch;
        for (int image = 0; image < largest.Length; image++)
        {
            float best = float.NegativeInfinity;
            foreach (float value in outputs[output].Span.Slice(image * length, length))
                best = Math.Max(best, value);
            largest[image] = best;
        }
    }

    /// <summary>Runs an embedder and normalises each row of its first output to unit length.</summary>
    /// <param name="length">Elements per row.</param>
    /// <param name="unit">float32 [rows, length]. Borrowed.</param>
    /// <param name="norms">Length of each row before. Borrowed; its length is the number of rows used.</param>
    public virtual void RunNormalised(int length, Span<float> unit, Span<float> norms)
    {
        Run();
        for (int i = 0; i < norms.Length; i++)
        {
            ReadOnlySpan<float> raw = outputs[0].Span.Slice(i * length, length);
            float norm = norms[i] = TensorPrimitives.Norm(raw);
            TensorPrimitives.Divide(raw, Math.Max(norm, SmallestNorm), unit.Slice(i * length, length));
        }
    }

    /// <summary>As <see cref="RunNormalised(int, Span{float}, Span{float})"/>; on a device the rows stay there.</summary>
    /// <param name="probes">With room for this batch; receives rows and lengths.</param>
    internal virtual void RunNormalised(Probes probes) => RunNormalised(probes.Length, probes.HostRows, probes.Norms);

    /// <summary>A row with a smaller length is nearly zero, and normalising it would only amplify noise.</summary>
    public const float SmallestNorm = 1e-12f;

    /// <summary>Fills this plan's input with another's at half the scale, as <see cref="Letterbox.Halve"/> does.</summary>
    /// <param name="fuller">Filled, of the same network. Its input may be wiped by this.</param>
    /// <param name="whole">How it was filled.</param>
    /// <param name="half">The same frame at half the scale.</param>
    public virtual void Halve(InferencePlan fuller, in LetterboxTransform whole, in LetterboxTransform half) =>
        Letterbox.Halve(fuller.Input.Pointer, whole, Input.Pointer, half);

    /// <summary>Wipes input and outputs. Call it as soon as the outputs have been read.</summary>
    public virtual void Wipe()
    {
        Input.Wipe();
        foreach (HostBuffer<float> output in outputs)
            output.Wipe();
        if (filledAt != 0)
            ErasureClock.Tensor.Add(Stopwatch.GetElapsedTime(filledAt));
        filledAt = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Runs the network on the input and writes the outputs to <see cref="Outputs"/>.</summary>
    protected abstract void RunOnce();

    /// <summary>Starts timing the life of the tensors' content.</summary>
    protected void MarkFilled()
    {
        if (filledAt == 0)
            filledAt = Stopwatch.GetTimestamp();
    }

    /// <summary>Wipes and releases everything.</summary>
    protected virtual void Dispose(bool disposing) => ReturnBuffers();

    /// <summary>The runtime did not accept the shape.</summary>
    protected ModelLoadException Refused(OnnxRuntimeException cause) =>
        new($"The model \"{Manifest.Id}\" does not run at [{string.Join(", ", InputShape)}]: {cause.Message}", cause);

    /// <summary>A tensor over a buffer of this plan.</summary>
    protected static OrtValue Wrap(HostBuffer<float> buffer, long[] shape) =>
        OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float,
            shape, (nint)buffer.Pointer, (long)buffer.Length * sizeof(float));

    private void ReturnBuffers()
    {
        foreach (HostBuffer<float>? output in outputs)
            output?.Dispose();
        Input.Dispose();
        Options.Dispose();
    }

    private static int Length(long[] shape) => checked((int)shape.Aggregate(1L, (a, b) => a * b));
}
