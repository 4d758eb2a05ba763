namespace LfrEngine.CApi.Interop;

/// <summary>Runs the body of an exported function. No exception crosses into C: it becomes a status, with its message in <see cref="Answer"/>.</summary>
/// <remarks>Each call allocates a delegate. Functions that are called per frame or in loops have their own try and catch instead.</remarks>
internal static class Call
{
    public static int Run(Action body) => Run(() =>
    {
        body();
        return (int)Status.Ok;
    });

    public static int Run(Func<int> body)
    {
        using var uncancelled = new Uncancelled();
        try
        {
            return body();
        }
        catch (Exception e)
        {
            return Answer.To(e);
        }
    }

    /// <summary>Runs a body with the object of a handle, which is kept for the time of the call.</summary>
    public static int On<T>(nint handle, HandleKind kind, Action<T> body)
        where T : HandleObject => Run(() =>
    {
        using Use<T> use = Handles.Take<T>(handle, kind);
        body(use.Object);
    });

    /// <inheritdoc cref="On{T}(nint, HandleKind, Action{T})"/>
    public static int On<T>(nint handle, HandleKind kind, Func<T, int> body)
        where T : HandleObject => Run(() =>
    {
        using Use<T> use = Handles.Take<T>(handle, kind);
        return body(use.Object);
    });
}
