using System.CommandLine;
using System.Text;

namespace LfrEngine.Programs;

/// <summary><c>commands-page</c> of every program: prints its part of docs/commands.md. Hidden; a test compares it with the file.</summary>
internal static class CommandsPage
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
                .. command.Arguments.Select(a => $"| `{a.Name}` | {Cell(a.Description)} |\n"),
                .. command.Options.Where(o => !o.Hidden).OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => $"| `{string.Join("`, `", [o.Name, .. o.Aliases.Order(StringComparer.Ordinal)])}`{(o.Required ? " (required)" : "")} | {Cell(o.Description)} |\n"),
            ];
            if (rows.Length > 0)
                page.Append("\n| | |\n|---|---|\n").AppendJoin("", rows);
        }
        foreach (Command inner in command.Subcommands)
            Add(page, inner, $"{name} {inner.Name}");
    }

    private static string Shown(Argument argument) =>
        (argument.Arity.MinimumNumberOfValues == 0 ? $"[{argument.Name}]" : argument.Name) + (argument.Arity.MaximumNumberOfValues > 1 ? " …" : "");

    private static string Cell(string? text) => (text ?? "").Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
