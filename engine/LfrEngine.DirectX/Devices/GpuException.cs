namespace LfrEngine.DirectX.Devices;

/// <summary>Something of the GPU path is missing or failed; the message says which step, why, and what to do.</summary>
public class GpuException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The device was lost: removed, reset or hung. It has been replaced; the content of the old one is lost.</summary>
public sealed class DeviceLostException(string message, Exception? cause = null) : GpuException(message, cause);
