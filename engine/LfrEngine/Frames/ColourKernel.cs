using System.Numerics;
using LfrEngine.Models;

namespace LfrEngine.Frames;

/// <summary>Turns resampled Y′, Cb, Cr values into normalised network input, in place.</summary>
internal static unsafe class ColourKernel
{
    /// <summary>Converts <paramref name="count"/> samples. Planes 0, 1, 2 hold Y′, Cb, Cr on entry and the network's channels on return.</summary>
    /// <param name="plane0">float32, 0…255 on entry.</param>
    /// <param name="plane1">float32, 0…255 on entry.</param>
    /// <param name="plane2">float32, 0…255 on entry.</param>
    /// <param name="count">Samples.</param>
    /// <param name="colour">Matrix and range of the stream.</param>
    /// <param name="input">Channel order, mean and scale of the network: channel = (value − mean) · scale, value clamped to 0…255.</param>
    /// <remarks>Lanes of <see cref="Vector{T}"/>; the remainder runs through <see cref="ConvertScalar"/>, which is the reference.</remarks>
    public static void Convert(float* plane0, float* plane1, float* plane2, int count, in ColourConversion colour, ModelInput input)
    {
        int i = 0;
        if (Vector.IsHardwareAccelerated)
        {
            var lumaOffset = new Vector<float>(colour.LumaOffset);
            var lumaScale = new Vector<float>(colour.LumaScale);
            var redFromCr = new Vector<float>(colour.RedFromCr);
            var greenFromCb = new Vector<float>(colour.GreenFromCb);
            var greenFromCr = new Vector<float>(colour.GreenFromCr);
            var blueFromCb = new Vector<float>(colour.BlueFromCb);
            var middle = new Vector<float>(128f);
            var top = new Vector<float>(255f);
            var mean0 = new Vector<float>(input.Mean[0]);
            var mean1 = new Vector<float>(input.Mean[1]);
            var mean2 = new Vector<float>(input.Mean[2]);
            var scale0 = new Vector<float>(input.Scale[0]);
            var scale1 = new Vector<float>(input.Scale[1]);
            var scale2 = new Vector<float>(input.Scale[2]);
            bool bgr = input.Channels == ChannelOrder.Bgr;
            for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
            {
                Vector<float> luma = (Vector.Load(plane0 + i) - lumaOffset) * lumaScale;
                Vector<float> cb = Vector.Load(plane1 + i) - middle;
                Vector<float> cr = Vector.Load(plane2 + i) - middle;
                Vector<float> red = Vector.Clamp(luma + (cr * redFromCr), Vector<float>.Zero, top);
                Vector<float> green = Vector.Clamp(luma + (cb * greenFromCb) + (cr * greenFromCr), Vector<float>.Zero, top);
                Vector<float> blue = Vector.Clamp(luma + (cb * blueFromCb), Vector<float>.Zero, top);
                (Vector<float> first, Vector<float> last) = bgr ? (blue, red) : (red, blue);
                ((first - mean0) * scale0).Store(plane0 + i);
                ((green - mean1) * scale1).Store(plane1 + i);
                ((last - mean2) * scale2).Store(plane2 + i);
            }
        }
        ConvertScalar(plane0 + i, plane1 + i, plane2 + i, count - i, colour, input);
    }

    /// <summary>Turns resampled Y′ into full-range grey, normalised, in place.</summary>
    /// <param name="plane">float32, 0…255 on entry.</param>
    /// <param name="count">Samples.</param>
    /// <param name="colour">Matrix and range of the stream.</param>
    /// <param name="input">Mean and scale of the network's one channel.</param>
    public static void ConvertGrey(float* plane, int count, in ColourConversion colour, ModelInput input)
    {
        float mean = input.Mean[0], scale = input.Scale[0];
        for (int i = 0; i < count; i++)
            plane[i] = (Math.Clamp((plane[i] - colour.LumaOffset) * colour.LumaScale, 0f, 255f) - mean) * scale;
    }

    /// <summary>The scalar reference of <see cref="Convert"/>.</summary>
    public static void ConvertScalar(float* plane0, float* plane1, float* plane2, int count, in ColourConversion colour, ModelInput input)
    {
        bool bgr = input.Channels == ChannelOrder.Bgr;
        for (int i = 0; i < count; i++)
        {
            float luma = (plane0[i] - colour.LumaOffset) * colour.LumaScale;
            float cb = plane1[i] - 128f, cr = plane2[i] - 128f;
            float red = Math.Clamp(luma + (cr * colour.RedFromCr), 0f, 255f);
            float green = Math.Clamp(luma + (cb * colour.GreenFromCb) + (cr * colour.GreenFromCr), 0f, 255f);
            float blue = Math.Clamp(luma + (cb * colour.BlueFromCb), 0f, 255f);
            plane0[i] = ((bgr ? blue : red) - input.Mean[0]) * input.Scale[0];
            plane1[i] = (green - input.Mean[1]) * input.Scale[1];
            plane2[i] = ((bgr ? red : blue) - input.Mean[2]) * input.Scale[2];
        }
    }
}
