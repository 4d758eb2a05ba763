namespace LfrEngine.DirectX;

/// <summary>Something of the GPU path is missing or failed; the message says which step, why, and the way out.</summary>
public class GpuException(string message, Exception? cause = null) : Exception(message, cause);

/// <summary>The device was lost: removed, reset or hung. A new one is in place; what lay on the old one is gone.</summary>
public sealed class DeviceLostException(string message, Exception? cause = null) : GpuException(message, cause);
