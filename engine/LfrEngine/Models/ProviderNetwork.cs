using LfrEngine.Memory;
using Microsoft.ML.OnnxRuntime;

namespace LfrEngine.Models;

/// <summary>A network that one of ONNX Runtime's providers runs on a graphics card, with input and outputs in locked host memory.</summary>
/// <param name="session">Owned.</param>
/// <param name="gate">Held during every call: all sessions of a provider share one device and one queue.</param>
internal sealed class ProviderNetwork(InferenceSession session, Lock gate) : IInferenceNetwork
{
    public InferenceSession Session => session;

    public InferencePlan CreatePlan(ModelManifest manifest, int batch, int height, int width)
    {
        lock (gate)
            return new Plan(manifest, session, gate, batch, height, width);
    }

    public void Dispose()
    {
        lock (gate)
            session.Dispose();
    }

    private sealed class Plan : InferencePlan
    {
        private readonly InferenceSession session;
        private readonly Lock gate;
        private readonly string[] inputNames;
        private readonly OrtValue[] input, output;

        public Plan(ModelManifest manifest, InferenceSession session, Lock gate, int batch, int height, int width)
            : base(manifest, session, batch, height, width)
        {
            (this.session, this.gate, inputNames) = (session, gate, [manifest.Input.Name]);
            input = [Wrap(Input, InputShape)];
            output = [.. Outputs.Select((o, i) => Wrap(o, OutputShapes[i]))];
        }

        // Not with a binding, which would copy the input to the card only once, when it is bound.
        protected override void RunOnce()
        {
            try
            {
                lock (gate)
                {
                    ActivationAllocator.BeginRun();
                    session.Run(Options, inputNames, input, Manifest.Outputs, output);
                    ActivationAllocator.EndRun();
                }
            }
            catch (OnnxRuntimeException e)
            {
                throw Refused(e);
            }
        }

        protected override void Dispose(bool disposing)
        {
            try
            {
                // Over what the provider keeps on the card, which cannot be wiped from here.
                Input.Wipe();
                RunOnce();
            }
            catch (Exception e) when (e is ModelLoadException or InsufficientMemoryException)
            {
                // The card was lost, and its memory with it; or the run was made, beyond the limit of the process.
            }
            foreach (OrtValue value in (OrtValue[])[.. input, .. output])
                value.Dispose();
            base.Dispose(disposing);
        }
    }
}
