using ComputeSharp;
using LfrEngine.Alignment;
using LfrEngine.Cover;
using LfrEngine.DirectX.Devices;
using LfrEngine.DirectX.Shaders;
using LfrEngine.Frames;
using LfrEngine.Models;
using LfrEngine.Quality;

namespace LfrEngine.DirectX.Decoding;

/// <summary>One aligned face on the device, with what was measured of it behind it. Thirteen numbers come back when somebody asks.</summary>
internal sealed unsafe class AlignedSlot(FrameStore store, ModelInput input) : KeptRegion(store.Context, store.Faces, FaceAligner.CropLength, FaceSums.Length), IAlignedSlot
{
    private (CropSums Sums, CoverJudgement Cover)? told;

    /// <summary>The device on which it was aligned; null if that was lost before.</summary>
    public GpuDevice? Home { get; private set; }

    public CropSums Sums => Tell().Sums;

    public CoverJudgement Cover => Tell().Cover;

    public bool IsBrowBlank { get; set; }

    /// <summary>Aligns and measures in one list.</summary>
    public void Fill(GpuDevice gpu, Func<ReadWriteBuffer<float>, AlignShader> aligning)
    {
        Home = gpu;
        ReadWriteBuffer<float> face = On(gpu), weights = store.CoverWeightsOn(gpu);
        AlignShader align = aligning(face);
        FaceColour colour = FaceColour.Of(input);
        gpu.Submit((in ComputeContext list) =>
        {
            list.For(AlignmentTransform.GridSize, AlignmentTransform.GridSize, align);
            list.Barrier(face);
            list.For(FaceSums.Parts, new FacePartsShader(face, colour));
            list.Barrier(face);
            list.For(CoverWeights.Default.Hidden, new CoverUnitsShader(face, weights, CoverWeights.Default.Hidden));
            list.Barrier(face);
            list.For(FaceSums.Told, new FaceSumsShader(face, weights, CoverWeights.Default.Hidden));
        });
    }

    private (CropSums Sums, CoverJudgement Cover) Tell()
    {
        if (told is { } known)
            return known;
        float* sums = stackalloc float[FaceSums.Told];
        Read(sums, FaceSums.FirstTold, FaceSums.Told);
        // Texture was summed about mid-grey: nothing is lost in float32 by taking one large number from another.
        double sum = sums[0], squares = sums[1];
        var texture = new TextureSums(
            sum + (FaceSums.Middle * CropSums.Pixels), squares + (2 * FaceSums.Middle * sum) + (FaceSums.Middle * FaceSums.Middle * CropSums.Pixels), sums[2], (int)sums[3]);
        told = known = (CropSums.Of(texture, [sums[4], sums[5], sums[6]], [sums[7], sums[8], sums[9]], input), new CoverJudgement(sums[10], sums[11], sums[12]));
        new Span<float>(sums, FaceSums.Told).Clear();
        return known;
    }
}
