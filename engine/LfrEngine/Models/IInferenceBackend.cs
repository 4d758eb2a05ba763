using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>Runs networks, on the processor or with one of ONNX Runtime's execution providers for GPUs.</summary>
public interface IInferenceBackend
{
    /// <summary>Makes a checked, dynamic graph ready to run.</summary>
    /// <param name="graph">ONNX.</param>
    /// <param name="manifest">The network's manifest.</param>
    /// <exception cref="OnnxRuntimeException">The runtime refuses the graph.</exception>
    IInferenceNetwork Load(byte[] graph, ModelManifest manifest);
}

/// <summary>One network on one backend. Thread-safe; its owner disposes it after its plans.</summary>
public interface IInferenceNetwork : IDisposable
{
    /// <summary>The session, for the metadata of inputs and outputs.</summary>
    InferenceSession Session { get; }

    /// <summary>Prepares runs with one input shape. The caller owns the plan.</summary>
    /// <param name="manifest">The network's manifest.</param>
    /// <param name="batch">Images per run.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="width">Pixels.</param>
    /// <exception cref="ModelLoadException">The network does not run at this shape.</exception>
    InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width);
}
