using System.Globalization;
using System.Runtime.InteropServices;
using LfrEngine.Memory;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>ONNX Runtime on an NVIDIA card on Linux, with CUDA.</summary>
/// <remarks>
/// A network has a stream of its own on the card, and a plan has device memory of its own for input and outputs. The runtime records the kernels of a plan once, as a CUDA graph
/// that reads and writes that memory; a run is then four things in the stream: copy the input up, launch the graph, copy the outputs down, clear both. The host's side of the copies
/// is the plan's locked memory, registered with the driver, so that the driver needs no buffers of its own on the way.
/// What the provider keeps for the layers between cannot be reached from here; a run over zeros overwrites it when a plan ends. TF32 is off: the card computes in float32 as the processor does.
/// </remarks>
public sealed unsafe partial class CudaBackend : IInferenceBackend
{
    // A graph is recorded under the plan's number; with this one nothing is recorded.
    private const int NotRecorded = -1;

    // Until here the provider warms up and records; then it replays.
    private const int RunsUntilRecorded = 3;

    private static int plans;

    private CudaBackend(string device) => Device = device;

    /// <summary>Name of the card.</summary>
    public string Device { get; }

    /// <summary>Chooses the library for this process and finds the card: the first that CUDA lists, which <c>CUDA_VISIBLE_DEVICES</c> decides.</summary>
    /// <param name="cache">Where the library is restored to.</param>
    /// <exception cref="ModelLoadException">The library is not restored, or there is no card, driver, CUDA 13 or cuDNN 9 that it can use.</exception>
    public static CudaBackend Open(PackageCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        RuntimeLibrary.Cuda.Select(cache);
        try
        {
            // A thread that waits for the card sleeps: its processor has other cameras to serve. Must come before anything else is asked of the card.
            Check(SetDeviceFlags(ScheduleBlockingSync), "cudaSetDeviceFlags");
            using SessionOptions options = OptionsOn(0);
            byte* name = stackalloc byte[DeviceNameBytes];
            // The name is the first field of cudaDeviceProp; the buffer is larger than any version of it.
            Check(GetDeviceProperties(name, 0), "cudaGetDeviceProperties");
            return new CudaBackend(Marshal.PtrToStringUTF8((nint)name) ?? "NVIDIA");
        }
        catch (Exception e) when (e is OnnxRuntimeException or DllNotFoundException or EntryPointNotFoundException or CudaException)
        {
            throw new ModelLoadException(
                "CUDA cannot be used. It needs an NVIDIA card with its driver (580 or newer), CUDA 13 (cudart, cublas, curand) and cuDNN 9, where the system's loader finds them, for example by LD_LIBRARY_PATH. "
                + $"Use --inference cpu without them. The reason given: {(e is DllNotFoundException ? $"{Runtime} was not found." : e.Message.ReplaceLineEndings(" "))}", e);
        }
    }

    /// <inheritdoc/>
    public IInferenceNetwork Load(byte[] graph, ModelManifest manifest)
    {
        nint stream;
        Check(StreamCreate(&stream, StreamNonBlocking), "cudaStreamCreateWithFlags");
        try
        {
            using SessionOptions options = OptionsOn(stream);
            return new Network(new InferenceSession(graph, options), stream);
        }
        catch
        {
            _ = StreamDestroy(stream);
            throw;
        }
    }

    private static SessionOptions OptionsOn(nint stream)
    {
        var provider = new Dictionary<string, string>
        {
            ["use_tf32"] = "0",
            // Without trying them out: the same kernels in every process, so the same bits.
            ["cudnn_conv_algo_search"] = "HEURISTIC",
            ["enable_cuda_graph"] = "1",
        };
        if (stream != 0)
        {
            provider["has_user_compute_stream"] = "1";
            provider["user_compute_stream"] = stream.ToString(CultureInfo.InvariantCulture);
        }
        SessionOptions options = CpuBackend.CreateOptions();
        try
        {
            using var cuda = new OrtCUDAProviderOptions();
            cuda.UpdateOptions(provider);
            options.AppendExecutionProvider_CUDA(cuda);
            options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1");
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    private static RunOptions RunOptionsFor(int graph)
    {
        var options = new RunOptions();
        options.AddRunConfigEntry("gpu_graph_id", graph.ToString(CultureInfo.InvariantCulture));
        // The plan waits for the stream itself, after its own copies.
        if (graph != NotRecorded)
            options.AddRunConfigEntry("disable_synchronize_execution_providers", "1");
        return options;
    }

    private static void Check(int status, string what)
    {
        if (status != 0)
            throw new CudaException($"{what} failed: {Marshal.PtrToStringUTF8(GetErrorString(status))} ({status}).");
    }

    private sealed class Network(InferenceSession session, nint stream) : IInferenceNetwork
    {
        // One stream, so one run of a network at a time; the networks run beside one another.
        private readonly Lock gate = new();

        public InferenceSession Session => session;

        public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width)
        {
            lock (gate)
                return new Plan(manifest, session, stream, gate, batch, height, width);
        }

        public void Dispose()
        {
            lock (gate)
            {
                session.Dispose();
                _ = StreamDestroy(stream);
            }
        }
    }

    private sealed class Plan : InferencePlan
    {
        private readonly InferenceSession session;
        private readonly nint stream;
        private readonly Lock gate;
        private readonly RunOptions recorded = RunOptionsFor(Interlocked.Increment(ref plans));
        private readonly List<Tensor> tensors = [];
        private readonly OrtIoBinding binding;

        public Plan(ModelManifest manifest, InferenceSession session, nint stream, Lock gate, int batch, int height, int width)
            : base(manifest, session, batch, height, width, RunOptionsFor(NotRecorded))
        {
            (this.session, this.stream, this.gate) = (session, stream, gate);
            binding = session.CreateIoBinding();
            try
            {
                tensors.Add(new Tensor(Input, InputShape));
                binding.BindInput(manifest.Input.Name, tensors[0].Value);
                for (int i = 0; i < Outputs.Count; i++)
                {
                    tensors.Add(new Tensor(Outputs[i], OutputShapes[i]));
                    binding.BindOutput(manifest.Outputs[i], tensors[^1].Value);
                }
                for (int i = 0; i < RunsUntilRecorded; i++)
                    RunOnce();
            }
            catch (OnnxRuntimeException e)
            {
                Dispose();
                throw Refused(e);
            }
            catch (ModelLoadException)
            {
                Dispose();
                throw;
            }
        }

        protected override void RunOnce()
        {
            lock (gate)
            {
                int ended;
                try
                {
                    tensors[0].Upload(stream);
                    session.RunWithBinding(recorded, binding);
                    for (int i = 1; i < tensors.Count; i++)
                        tensors[i].Download(stream);
                }
                catch (OnnxRuntimeException e)
                {
                    throw Refused(e);
                }
                finally
                {
                    // Also after a run that failed: a face is on the card by then.
                    foreach (Tensor tensor in tensors)
                        tensor.Clear(stream);
                    ended = StreamSynchronize(stream);
                }
                Check(ended, "cudaStreamSynchronize");
            }
            foreach (Tensor tensor in tensors)
                DeviceMemory.CountWiped((long)tensor.Bytes);
        }

        protected override void Dispose(bool disposing)
        {
            try
            {
                Input.Wipe();
                if (tensors.Count == Outputs.Count + 1)
                    RunOnce();
            }
            catch (ModelLoadException)
            {
                // The card was lost, and its memory with it.
                foreach (Tensor tensor in tensors)
                    DeviceMemory.CountLost();
            }
            binding.Dispose();
            foreach (Tensor tensor in tensors)
                tensor.Dispose();
            recorded.Dispose();
            base.Dispose(disposing);
        }
    }

    /// <summary>A tensor on the card and its counterpart in the plan's locked memory, which the plan owns.</summary>
    private sealed class Tensor : IDisposable
    {
        private readonly void* host;
        private readonly bool isRegistered;
        private readonly OrtMemoryInfo place;
        private void* device;

        public Tensor(HostBuffer<float> buffer, long[] shape)
        {
            host = buffer.Pointer;
            Bytes = (nuint)buffer.Length * sizeof(float);
            void* allocated;
            Check(Allocate(&allocated, Bytes), "cudaMalloc");
            device = allocated;
            DeviceMemory.CountTaken();
            // A block has pages of its own. Where the driver cannot register them it copies through buffers of its own: slower, and not ours to wipe.
            isRegistered = HostRegister(host, Bytes, 0) == 0;
            if (!isRegistered)
                _ = GetLastError();
            place = new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);
            Value = OrtValue.CreateTensorValueWithData(place, Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float, shape, (nint)device, (long)Bytes);
        }

        public OrtValue Value { get; }

        public nuint Bytes { get; }

        public void Upload(nint stream) => Check(CopyAsync(device, host, Bytes, HostToDevice, stream), "cudaMemcpyAsync");

        public void Download(nint stream) => Check(CopyAsync(host, device, Bytes, DeviceToHost, stream), "cudaMemcpyAsync");

        // What fails here fails in the synchronisation that follows, too.
        public void Clear(nint stream) => _ = SetAsync(device, 0, Bytes, stream);

        public void Dispose()
        {
            if (device == null)
                return;
            Value.Dispose();
            place.Dispose();
            if (isRegistered)
                _ = HostUnregister(host);
            _ = Free(device);
            device = null;
            DeviceMemory.CountReturned();
        }
    }

    /// <summary>A call to CUDA failed.</summary>
    private sealed class CudaException(string message) : ModelLoadException(message);

    private const int DeviceNameBytes = 8192;
    private const uint ScheduleBlockingSync = 4, StreamNonBlocking = 1;
    private const int HostToDevice = 1, DeviceToHost = 2;
    private const string Runtime = "libcudart.so.13";

    [LibraryImport(Runtime, EntryPoint = "cudaSetDeviceFlags")]
    private static partial int SetDeviceFlags(uint flags);

    [LibraryImport(Runtime, EntryPoint = "cudaGetDeviceProperties")]
    private static partial int GetDeviceProperties(byte* properties, int device);

    [LibraryImport(Runtime, EntryPoint = "cudaStreamCreateWithFlags")]
    private static partial int StreamCreate(nint* stream, uint flags);

    [LibraryImport(Runtime, EntryPoint = "cudaStreamDestroy")]
    private static partial int StreamDestroy(nint stream);

    [LibraryImport(Runtime, EntryPoint = "cudaStreamSynchronize")]
    private static partial int StreamSynchronize(nint stream);

    [LibraryImport(Runtime, EntryPoint = "cudaMalloc")]
    private static partial int Allocate(void** address, nuint bytes);

    [LibraryImport(Runtime, EntryPoint = "cudaFree")]
    private static partial int Free(void* address);

    [LibraryImport(Runtime, EntryPoint = "cudaHostRegister")]
    private static partial int HostRegister(void* address, nuint bytes, uint flags);

    [LibraryImport(Runtime, EntryPoint = "cudaHostUnregister")]
    private static partial int HostUnregister(void* address);

    [LibraryImport(Runtime, EntryPoint = "cudaMemcpyAsync")]
    private static partial int CopyAsync(void* to, void* from, nuint bytes, int kind, nint stream);

    [LibraryImport(Runtime, EntryPoint = "cudaMemsetAsync")]
    private static partial int SetAsync(void* address, int value, nuint bytes, nint stream);

    [LibraryImport(Runtime, EntryPoint = "cudaGetLastError")]
    private static partial int GetLastError();

    [LibraryImport(Runtime, EntryPoint = "cudaGetErrorString")]
    private static partial nint GetErrorString(int status);
}
