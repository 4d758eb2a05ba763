namespace LfrEngine.Models;

/// <summary>Order of a network's colour channels.</summary>
public enum ChannelOrder
{
    /// <summary>Red first.</summary>
    Rgb,

    /// <summary>Blue first.</summary>
    Bgr,

    /// <summary>One luma channel.</summary>
    Grey,
}

/// <summary>Input format of a network: NCHW float32, channel = (value − mean) · scale, value 0…255.</summary>
/// <param name="Name">Name of the graph's input.</param>
/// <param name="Channels">Order of the channels.</param>
/// <param name="Mean">One per channel, in the network's order, 0…255.</param>
/// <param name="Scale">One per channel, in the network's order.</param>
public sealed record ModelInput(string Name, ChannelOrder Channels, float[] Mean, float[] Scale)
{
    /// <summary>3, or 1 for grey.</summary>
    public int ChannelCount => Channels == ChannelOrder.Grey ? 1 : 3;
}
