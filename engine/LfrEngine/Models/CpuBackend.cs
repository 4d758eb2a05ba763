using LfrEngine.Memory;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>ONNX Runtime on the processor: the default.</summary>
internal sealed partial class CpuBackend : IInferenceBackend
{
    // The official builds of ONNX Runtime report to Microsoft and write a device id into the temporary folder unless this is set in the
    // environment before the library initialises (its Privacy.md). The runtime's own variables do not reach native code on Unix.
    static CpuBackend()
    {
        if (OperatingSystem.IsWindows())
            Environment.SetEnvironmentVariable("ORT_DISABLE_TELEMETRY", "1");
        else
            _ = SetNativeVariable("ORT_DISABLE_TELEMETRY", "1", 1);
    }

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = System.Runtime.InteropServices.StringMarshalling.Utf8)]
    private static partial int SetNativeVariable(string name, string value, int overwrite);

    private CpuBackend()
    {
    }

    /// <summary>The only instance; it has no state.</summary>
    public static CpuBackend Default { get; } = new();

    public IInferenceNetwork Load(byte[] graph, ModelManifest manifest) => new Network(CreateSession(graph));

    /// <summary>Options that every session of this engine shares: one thread per run, which is ours, and activations from wiped memory.</summary>
    public static SessionOptions CreateOptions()
    {
        ActivationAllocator.Register();
        var options = new SessionOptions
        {
            // One thread per run, and it is ours: parallelism comes from cameras and stages, and activations stay off stacks of other threads.
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
            EnableMemoryPattern = true,
        };
        options.AddSessionConfigEntry("session.use_env_allocators", "1");
        // For what the runtime computes while it loads a graph. Otherwise it affects only the runtime's own threads, of which there are none: the
        // threads that run networks are ours, and they see no subnormals because the weights have none (OnnxRewrites).
        options.AddSessionConfigEntry("session.set_denormal_as_zero", "1");
        return options;
    }

    internal static InferenceSession CreateSession(byte[] graph)
    {
        using SessionOptions options = CreateOptions();
        ActivationAllocator.BeginRun();
        var session = new InferenceSession(graph, options);
        try
        {
            ActivationAllocator.EndRun();
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    private sealed class Network(InferenceSession session) : IInferenceNetwork
    {
        public InferenceSession Session { get; } = session;

        public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width) => new Plan(manifest, Session, batch, height, width);

        public void Dispose() => Session.Dispose();
    }

    /// <summary>Bound to the plan's own buffers, so that a run copies nothing.</summary>
    private sealed class Plan : InferencePlan
    {
        private readonly InferenceSession session;
        private readonly List<IDisposable> bound = [];
        private readonly OrtIoBinding binding;

        public Plan(ModelManifest manifest, InferenceSession session, int batch, int height, int width)
            : base(manifest, session, batch, height, width)
        {
            this.session = session;
            binding = session.CreateIoBinding();
            try
            {
                binding.BindInput(manifest.Input.Name, Held(Input, InputShape));
                for (int i = 0; i < Outputs.Count; i++)
                    binding.BindOutput(manifest.Outputs[i], Held(Outputs[i], OutputShapes[i]));
            }
            catch (OnnxRuntimeException e)
            {
                Dispose();
                throw Refused(e);
            }
        }

        // Runs on the calling thread. ActivationAllocator wipes the activations; the caller wipes the stack when it is done (StackScrub).
        protected override void RunOnce()
        {
            ActivationAllocator.BeginRun();
            session.RunWithBinding(Options, binding);
            ActivationAllocator.EndRun();
        }

        protected override void Dispose(bool disposing)
        {
            binding.Dispose();
            foreach (IDisposable value in bound)
                value.Dispose();
            bound.Clear();
            base.Dispose(disposing);
        }

        private OrtValue Held(HostBuffer<float> buffer, long[] shape)
        {
            OrtValue value = Wrap(buffer, shape);
            bound.Add(value);
            return value;
        }
    }
}
