using System.Globalization;

namespace LfrEngine.Peers;

/// <summary>What to compare.</summary>
internal sealed record SearchOptions
{
    /// <summary>The program built from perf/peers/faiss_flat.cpp.</summary>
    public string Peer { get; init; } = "build/faiss_flat";

    /// <summary>Folder for the vectors, 2 GB for a million; removed afterwards.</summary>
    public string Work { get; init; } = "build/peers";

    /// <summary>Gallery sizes.</summary>
    public IReadOnlyList<int> Rows { get; init; } = [20_000, 100_000, 1_000_000];

    /// <summary>Probes per search.</summary>
    public IReadOnlyList<int> Probes { get; init; } = [1, 64];

    /// <summary>Threads that either side may use.</summary>
    public IReadOnlyList<int> Threads { get; init; } = [1, 2];

    /// <summary>k.</summary>
    public int Candidates { get; init; } = 10;

    /// <summary>Turns of each side.</summary>
    public int Turns { get; init; } = 9;

    /// <summary>Where the numbers go as JSON, too.</summary>
    public string? Json { get; init; }

    public static SearchOptions Parse(ReadOnlySpan<string> args)
    {
        var options = new SearchOptions();
        for (int i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length)
                throw new ArgumentException($"{args[i]} needs a value.");
            string value = args[i + 1];
            options = args[i] switch
            {
                "--peer" => options with { Peer = value },
                "--work" => options with { Work = value },
                "--rows" => options with { Rows = Numbers(value, 1, 1_000_000) },
                "--probes" => options with { Probes = Numbers(value, 1, 256) },
                "--threads" => options with { Threads = Numbers(value, 1, 1024) },
                "--candidates" => options with { Candidates = Numbers(value, 1, 1000)[0] },
                "--turns" => options with { Turns = Numbers(value, 1, 1000)[0] },
                "--json" => options with { Json = value },
                _ => throw new ArgumentException($"Unknown option {args[i]}. Options: --peer, --work, --rows, --probes, --threads, --candidates, --turns and --json."),
            };
        }
        return options;
    }

    private static int[] Numbers(string list, int least, int most)
    {
        int[] numbers = [.. list.Split(',').Select(n => int.Parse(n, NumberStyles.None, CultureInfo.InvariantCulture))];
        foreach (int number in numbers)
        {
            if (number < least || number > most)
                throw new ArgumentException($"{number} is outside {least}…{most}.");
        }
        return numbers;
    }
}
