using System.Runtime.InteropServices;
using LfrEngine.Evaluation.Templates;
using LfrEngine.Evaluation.Verification;
using TorchSharp;
using static TorchSharp.torch;

namespace LfrEngine.Evaluation.Torch;

/// <summary><c>torch.matmul</c>: on a GPU where libtorch finds one, otherwise on the processor.</summary>
/// <remarks>libtorch uses its own memory: its copies of the templates are overwritten with zeros when the scorer is disposed.</remarks>
public sealed unsafe class TorchPairScorer : IPairScorer
{
    private readonly List<Tensor> blocks = [];
    private readonly Device device;

    /// <summary>Loads libtorch.</summary>
    /// <exception cref="DllNotFoundException">It cannot be loaded.</exception>
    public TorchPairScorer()
    {
        try
        {
            device = cuda.is_available() ? CUDA : CPU;
            // The caller already distributes the tiles over threads.
            set_num_threads(1);
        }
        catch (Exception e) when (e is TypeInitializationException or NotSupportedException)
        {
            throw new DllNotFoundException($"libtorch could not be loaded: {(e.InnerException ?? e).Message.Split('\n')[0]} Choose --engine simd, or see docs/guide/laboratory.md.", e);
        }
    }

    /// <inheritdoc/>
    public string Name => "torch";

    /// <inheritdoc/>
    public string Device => device.type == DeviceType.CUDA ? "cuda" : "cpu";

    /// <inheritdoc/>
    public int BlockRows => device.type == DeviceType.CUDA ? 4096 : 1024;

    // The largest difference seen between MKL's order of summation and ours is 3e-7 at 512 elements.
    /// <inheritdoc/>
    public float Tolerance => 2e-6f;

    /// <inheritdoc/>
    public void Load(TemplateSet templates)
    {
        for (int first = 0; first < templates.Count; first += BlockRows)
        {
            int rows = Math.Min(BlockRows, templates.Count - first);
            Tensor block = zeros(rows, templates.Stride);
            block.bytes = MemoryMarshal.AsBytes(new Span<float>(templates.Pointer + ((long)first * templates.Stride), rows * templates.Stride));
            if (device.type == DeviceType.CUDA)
            {
                using Tensor host = block;
                block = host.to(device);
                host.zero_();
            }
            blocks.Add(block);
        }
    }

    /// <inheritdoc/>
    public void Score(int first, int second, float* scores)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = inference_mode();
        Tensor product = matmul(blocks[first], blocks[second].t()).cpu();
        ReadOnlySpan<float> all = MemoryMarshal.Cast<byte, float>(product.bytes);
        int columns = (int)product.shape[1], rows = (int)product.shape[0];
        for (int row = 0; row < rows; row++)
            all.Slice(row * columns, columns).CopyTo(new Span<float>(scores + ((long)row * BlockRows), columns));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor block in blocks)
        {
            block.zero_();
            block.Dispose();
        }
        blocks.Clear();
    }
}
