using Google.Protobuf;
using LfrEngine.Models;
using LfrEngine.Models.Onnx;
using LfrEngine.Pipeline;

namespace LfrEngine.Perf;

/// <summary>Writes the graphs as the engine runs them, so that other runtimes can run the same: perf/peers/pipeline.</summary>
internal static class GraphExport
{
    /// <summary>Writes each default model as <c>ID.onnx</c>, and the detector once more as <c>detector-640x384.onnx</c> in float32, with its size and the shapes of its outputs stated: OpenCV 4.6 reads no others.</summary>
    public static void Write(string folder)
    {
        ModelCatalog catalog = ModelCatalog.Default;
        foreach ((string id, ModelTask task) in new[] { (EngineModels.DefaultDetector, ModelTask.Detect), (EngineModels.DefaultLandmarks, ModelTask.Landmarks), (EngineModels.DefaultEmbedder, ModelTask.Embed) })
        {
            ModelManifest manifest = catalog.Find(id, task);
            File.WriteAllBytes(Path.Combine(folder, $"{id}.onnx"), OnnxModel.ReadEdited(catalog, manifest));
            // OpenCV does not know the runtime's own 8-bit operators.
            if (task == ModelTask.Detect)
                File.WriteAllBytes(Path.Combine(folder, "detector-640x384.onnx"), Fix(OnnxModel.ReadEdited(catalog, manifest with { Int8 = null }), 384, 640));
        }
    }

    private static byte[] Fix(byte[] graph, int height, int width)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(graph);
        ValueInfoProto input = model.Graph.Input.First(i => model.Graph.Initializer.All(t => t.Name != i.Name));
        long[] shape = [1, 3, height, width];
        for (int i = 0; i < shape.Length; i++)
            input.Type.TensorType.Shape.Dim[i] = new TensorShapeProto.Types.Dimension { DimValue = shape[i] };
        foreach (ValueInfoProto output in model.Graph.Output)
            output.Type.TensorType.Shape ??= new TensorShapeProto();
        return model.ToByteArray();
    }
}
