using System.Text;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace LfrEngine.Programs;

/// <summary>A standard stream for text. Control characters in names from outside reach no terminal: they are shown as <see cref="Shown"/> writes them.</summary>
/// <param name="inner">The stream.</param>
internal sealed class ShownWriter(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    // Each call is one write to the stream, so that a line arrives whole.
    public override void Write(char value) => inner.Write(Shown.Text(value.ToString()));

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer) => inner.Write(Shown.Text(buffer.ToString()));

    public override void Write(string? value) => inner.Write(Shown.Text(value ?? ""));

    public override void WriteLine(string? value) => inner.WriteLine(Shown.Text(value ?? ""));

    public override void Flush() => inner.Flush();
}

/// <summary>Tables and coloured lines: the library's own escape sequences pass, those in their texts do not.</summary>
internal sealed class ShownRendering : IRenderHook
{
    /// <summary>A console on a standard stream.</summary>
    /// <param name="standard"><see cref="Console.Out"/> or <see cref="Console.Error"/>: what it is decides on colours.</param>
    /// <param name="inner">The same stream without <see cref="ShownWriter"/>, which would break the library's sequences.</param>
    public static IAnsiConsole On(TextWriter standard, TextWriter inner)
    {
        Capabilities able = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(standard) }).Profile.Capabilities;
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(inner),
            Ansi = able.Ansi ? AnsiSupport.Yes : AnsiSupport.No,
            ColorSystem = (ColorSystemSupport)able.ColorSystem,
            Interactive = able.Interactive ? InteractionSupport.Yes : InteractionSupport.No,
        });
        console.Pipeline.Attach(new ShownRendering());
        return console;
    }

    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) => renderables.Select(Safe);

    /// <summary>What is drawn again and again does not pass the hook: wrap it.</summary>
    public static IRenderable Safe(IRenderable inner) => inner is ControlCode ? inner : new SafeRenderable(inner);

    private sealed class SafeRenderable(IRenderable inner) : IRenderable
    {
        public Measurement Measure(RenderOptions options, int maxWidth) => inner.Measure(options, maxWidth);

        public IEnumerable<Segment> Render(RenderOptions options, int maxWidth) =>
            inner.Render(options, maxWidth).Select(s => s.IsControlCode || s.IsLineBreak ? s : new Segment(Shown.Text(s.Text), s.Style));
    }
}
