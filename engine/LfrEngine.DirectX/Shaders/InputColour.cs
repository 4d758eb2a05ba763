using ComputeSharp;
using LfrEngine.Frames;
using LfrEngine.Models;

namespace LfrEngine.DirectX.Shaders;

/// <summary>From Y′CbCr samples to a network's normalised channels: a shader's constants, and the arithmetic over them. CPU stage: <see cref="ColourKernel"/>.</summary>
internal struct InputColour
{
    public float LumaOffset, LumaScale;
    public float RedFromCr, GreenFromCb, GreenFromCr, BlueFromCb;
    public float Mean0, Mean1, Mean2;
    public float Scale0, Scale1, Scale2;

    /// <summary>1: blue is the first channel; 0: red is.</summary>
    public int BlueFirst;

    /// <summary>The constants for a frame and an input; null leaves values as they are.</summary>
    public static InputColour Of(in FrameView frame, ModelInput? input)
    {
        ColourConversion colour = frame.Colour;
        float[] mean = input?.Mean ?? [0], scale = input?.Scale ?? [1];
        return new InputColour
        {
            LumaOffset = colour.LumaOffset,
            LumaScale = colour.LumaScale,
            RedFromCr = colour.RedFromCr,
            GreenFromCb = colour.GreenFromCb,
            GreenFromCr = colour.GreenFromCr,
            BlueFromCb = colour.BlueFromCb,
            Mean0 = mean[0],
            Mean1 = mean[Math.Min(1, mean.Length - 1)],
            Mean2 = mean[^1],
            Scale0 = scale[0],
            Scale1 = scale[Math.Min(1, scale.Length - 1)],
            Scale2 = scale[^1],
            BlueFirst = input?.Channels == ChannelOrder.Bgr ? 1 : 0,
        };
    }

    /// <summary>One luma sample as a grey input.</summary>
    public static float Grey(float luma, InputColour colour) =>
        (Hlsl.Clamp((luma - colour.LumaOffset) * colour.LumaScale, 0f, 255f) - colour.Mean0) * colour.Scale0;

    /// <summary>One pixel's samples as three channels.</summary>
    public static Float3 Channels(float lumaSample, float cbSample, float crSample, InputColour colour)
    {
        float luma = (lumaSample - colour.LumaOffset) * colour.LumaScale;
        float cb = cbSample - 128f;
        float cr = crSample - 128f;
        float red = Hlsl.Clamp(luma + (cr * colour.RedFromCr), 0f, 255f);
        float green = Hlsl.Clamp(luma + (cb * colour.GreenFromCb) + (cr * colour.GreenFromCr), 0f, 255f);
        float blue = Hlsl.Clamp(luma + (cb * colour.BlueFromCb), 0f, 255f);
        float first = colour.BlueFirst != 0 ? blue : red;
        float last = colour.BlueFirst != 0 ? red : blue;
        return new Float3((first - colour.Mean0) * colour.Scale0, (green - colour.Mean1) * colour.Scale1, (last - colour.Mean2) * colour.Scale2);
    }
}
