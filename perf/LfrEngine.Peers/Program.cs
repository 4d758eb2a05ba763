namespace LfrEngine.Peers;

/// <summary>Runs the engine and a peer in turn on the same input; the scripts in perf/peers install and build the peer and call this.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args is not ["search", .. string[] options])
        {
            Console.Error.WriteLine("usage: LfrEngine.Peers search OPTIONS      (see perf/peers/search)");
            return 2;
        }
        try
        {
            return SearchComparison.Run(SearchOptions.Parse(options));
        }
        catch (Exception error) when (error is ArgumentException or IOException or InvalidDataException or FormatException or OverflowException)
        {
            Console.Error.WriteLine(error.Message);
            return error is ArgumentException or FormatException or OverflowException ? 2 : 4;
        }
    }
}
