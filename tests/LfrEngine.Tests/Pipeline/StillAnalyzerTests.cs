using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Frames;
using LfrEngine.Tests.Models;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Pipeline;

[Collection(CountsRentedBuffers.Name)]
public sealed class StillAnalyzerTests
{
    [Fact]
    public void Embed_ForAList_IsTheFaceAndItsMirrorImageTogether()
    {
        RepoRoot.RestoredModel("fr_detect.onnx");
        long rentedBefore = BufferPool.OutstandingBlocks;
        var frame = new TestFrame(PixelFormat.I444, 320, 240).Paint((x, y) => (128 + (80 * Math.Sin(x / 17)), 128 + (80 * Math.Cos(y / 13)), 128 + (60 * Math.Sin((x - y) / 19))));
        var face = new FaceCandidate { Box = new FaceBox(100, 60, 220, 200), Score = 0.9f };
        using (EngineModels models = EngineModels.Load(TestModels.Catalog))
        using (var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings))
        using (var embedder = new Embedder(models.Embedder))
        using (StillFace probe = analyzer.Embed(frame.View, face)!)
        using (StillFace template = analyzer.Embed(frame.View, face, forList: true)!)
        {
            Assert.True(probe.Crop.Span.SequenceEqual(template.Crop.Span));
            var mirrored = new float[embedder.Length];
            FaceAligner.Mirror(probe.Crop.Span);
            embedder.Embed([probe.Crop], mirrored, new float[1]);
            var expected = new float[embedder.Length];
            TensorPrimitives.Add<float>(probe.Embedding.Span, mirrored, expected);
            TensorPrimitives.Divide<float>(expected, TensorPrimitives.Norm<float>(expected), expected);

            Assert.True(TensorPrimitives.Dot<float>(probe.Embedding.Span, mirrored) < 0.99f, "A picture whose mirror image is the same proves nothing.");
            Assert.Equal(1, TensorPrimitives.Dot<float>(expected, template.Embedding.Span), 1e-5f);
            Assert.Equal(1, TensorPrimitives.Norm<float>(template.Embedding.Span), 1e-5f);
        }
        Assert.Equal(rentedBefore, BufferPool.OutstandingBlocks);
    }

    [Fact]
    public void Mirror_AnyCrop_SwapsLeftAndRightOfEveryRow()
    {
        float[] crop = [.. Enumerable.Range(0, FaceAligner.CropLength).Select(i => (float)i)];

        FaceAligner.Mirror(crop);

        for (int row = 0; row < FaceAligner.CropLength; row += AlignmentTransform.GridSize)
        {
            for (int column = 0; column < AlignmentTransform.GridSize; column++)
                Assert.Equal(row + AlignmentTransform.GridSize - 1 - column, crop[row + column]);
        }
    }
}
