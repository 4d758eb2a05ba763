using System.Text;
using LfrEngine.Native.Files;
using Spectre.Console;

namespace LfrEngine.Programs;

/// <summary>Standard output and standard error of the process. A full disk, a closed descriptor, reader or terminal does not end a command.</summary>
internal static class StandardScreen
{
    // Lines of JSON are written to a pipe or a file in one piece.
    private const int LongestPiece = 64 * 1024;

    // A file or pipe has no width, so lines are not wrapped.
    private const int Unwrapped = 1000;

    // Why something was not shown on standard output; null while all was.
    private static string? lostOutput;
    private static bool hasProduct, noted;
    private static TextWriter errorInner = TextWriter.Null;

    /// <summary>Standard output for binary data.</summary>
    public static Stream Output { get; private set; } = Stream.Null;

    /// <summary>Replaces the streams of <see cref="Console"/>, before anything is shown.</summary>
    public static void Attach()
    {
        Output = new ScreenStream(OperatingSystem.IsLinux() ? StandardStream.Open(1) : Console.OpenStandardOutput(), OutputLost);
        var error = new ScreenStream(OperatingSystem.IsLinux() ? StandardStream.Open(2) : Console.OpenStandardError(), _ => { });
        // No byte order mark in a pipe.
        Encoding encoding = Console.OutputEncoding is UTF8Encoding ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) : Console.OutputEncoding;
        TextWriter outInner = Writer(Output, encoding);
        errorInner = Writer(error, encoding);
        Console.SetOut(new ShownWriter(outInner));
        Console.SetError(new ShownWriter(errorInner));
        AnsiConsole.Console = ShownRendering.On(Console.Out, outInner);
        if (Console.IsOutputRedirected)
            AnsiConsole.Profile.Width = Unwrapped;
    }

    /// <summary>Call it if the command does more than print, such as a run or a file. Then a lost screen is reported once and does not affect the exit code.</summary>
    public static void HasProduct()
    {
        hasProduct = true;
        Note();
    }

    /// <summary>The exit code of a finished command: if it only prints and that failed, it is a failure.</summary>
    /// <exception cref="CommandFailure">The command only prints, and standard output was lost.</exception>
    public static int Judge(int code) => code == ExitCode.Success && lostOutput is { } why && !hasProduct
        ? throw new CommandFailure(ExitCode.Output, $"Standard output cannot be written: {why}")
        : code;

    /// <summary>One sentence on standard error, in red where it is a terminal.</summary>
    public static void Complain(string sentence)
    {
        IAnsiConsole error = ErrorConsole();
        if (Console.IsErrorRedirected)
            error.Profile.Width = Unwrapped;
        error.MarkupLineInterpolated($"[red]{Shown.Text(sentence)}[/]");
    }

    /// <summary>Standard error for tables, bars and colours.</summary>
    public static IAnsiConsole ErrorConsole() => ShownRendering.On(Console.Error, errorInner);

    private static TextWriter Writer(Stream stream, Encoding encoding) => TextWriter.Synchronized(new StreamWriter(stream, encoding, LongestPiece) { AutoFlush = true });

    private static void OutputLost(string why)
    {
        Interlocked.CompareExchange(ref lostOutput, why, null);
        Note();
    }

    private static void Note()
    {
        if (hasProduct && lostOutput is { } why && !Interlocked.Exchange(ref noted, true))
            Console.Error.WriteLine($"Standard output cannot be written: {why} The command continues without it.");
    }
}
