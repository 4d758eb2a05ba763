using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace LfrEngine.Programs;

/// <summary><c>commands-page</c> of every program: prints its part of docs/commands.md. Hidden; a test compares it with the file.</summary>
internal static partial class CommandsPage
{
    public const string Name = "commands-page";

    public static Command Create(RootCommand root, string program)
    {
        var command = new Command(Name, "Print all commands and their options as Markdown (for docs/commands.md).") { Hidden = true };
        command.SetAction(_ =>
        {
            Console.Out.Write(Text(root, program));
            return ExitCode.Success;
        });
        return command;
    }

    private static string Text(RootCommand root, string program)
    {
        var page = new StringBuilder();
        page.Append($"## {program}\n\n{root.Description}\n");
        foreach (Command command in root.Subcommands)
            Add(page, command, $"{program} {command.Name}");
        return page.ToString();
    }

    private static void Add(StringBuilder page, Command command, string name)
    {
        if (command.Hidden)
            return;
        page.Append($"\n### {name}\n\n{Cell(command.Description)}\n");
        if (command.Action is not null)
        {
            page.Append($"\n```text\n{name}{string.Concat(command.Arguments.Select(a => " " + Shown(a)))}{(command.Options.Any(o => !o.Hidden) ? " [options]" : "")}\n```\n");
            string[] rows =
            [
                .. command.Arguments.Select(a => Row(a.Name, a.Description, a.Arity.MinimumNumberOfValues == 0 ? "none" : "required")),
                .. command.Options.Where(o => !o.Hidden).OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => Row(string.Join("`, `", [o.Name, .. o.Aliases.Order(StringComparer.Ordinal)]), o.Description, Default(o))),
            ];
            if (rows.Length > 0)
                page.Append("\n| | | default |\n|---|---|---|\n").AppendJoin("", rows);
        }
        foreach (Command inner in command.Subcommands)
            Add(page, inner, $"{name} {inner.Name}");
    }

    // A description says its default where that is not a value.
    private static string Row(string names, string? description, string standard) =>
        DefaultInWords().Match(description ?? "") is { Success: true } words
            ? $"| `{names}` | {Cell($"{words.Groups["what"].Value}.{words.Groups["more"].Value}")} | {Cell(words.Groups["standard"].Value)} |\n"
            : $"| `{names}` | {Cell(description)} | {standard} |\n";

    private static string Default(Option option) =>
        option.Required ? "required"
        : option.ValueType == typeof(bool) ? "off"
        : option.HasDefaultValue ? option.GetDefaultValue() switch
        {
            Array { Length: 0 } => "none",
            Array values => $"`{string.Join(' ', values.Cast<object>().Select(Value))}`",
            { } value => $"`{Value(value)}`",
            null => "none",
        }
        : "none";

    private static string Value(object value) => value is Enum ? value.ToString()!.ToLowerInvariant() : Convert.ToString(value, CultureInfo.InvariantCulture)!;

    [GeneratedRegex(@"^(?<what>.*?)[;.] [Dd]efault: (?<standard>.+?)\.(?<more> .+)?$")]
    private static partial Regex DefaultInWords();

    private static string Shown(Argument argument) =>
        (argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name) + (argument.Arity.MaximumNumberOfValues > 1 ? " …" : "");

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
