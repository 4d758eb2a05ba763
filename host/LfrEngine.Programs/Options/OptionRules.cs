using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace LfrEngine.Programs;

/// <summary>Numbers on the command line: with a decimal point, finite, independent of the locale.</summary>
/// <remarks>The library would parse <c>0,48</c> as 48 and accept <c>nan</c>.</remarks>
internal static class NumberOptions
{
    private static readonly Type[] Fractions = [typeof(float), typeof(double)];
    private static readonly Type[] Whole = [typeof(int), typeof(long), typeof(ulong)];

    /// <summary>Makes every numeric option refuse other text.</summary>
    /// <param name="command">The command with its sub-commands.</param>
    public static void BeStrict(Command command)
    {
        foreach (Option option in command.Options.Where(o => Fractions.Contains(NumberOf(o))))
        {
            option.Validators.Add(result =>
            {
                if (Fault(result) is { } fault)
                    result.AddError(fault);
            });
        }
        foreach (Command below in command.Subcommands)
            BeStrict(below);
    }

    /// <summary>What is wrong with a number; null if nothing, or if the option is not numeric.</summary>
    public static string? Fault(SymbolResult? result)
    {
        if (result is not OptionResult { Option: { } option } given || NumberOf(option) is not { } type)
            return null;
        bool whole = Whole.Contains(type);
        return given.Tokens.Select(t => t.Value).FirstOrDefault(t => !IsNumber(t, whole)) is { } wrong
            ? $"{option.Name} takes a {(whole ? "whole number" : "number such as 0.48")}, not \"{wrong}\"."
            : null;
    }

    private static bool IsNumber(string text, bool whole) => whole
        ? Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value);

    private static Type? NumberOf(Option option)
    {
        Type type = option.ValueType.IsArray ? option.ValueType.GetElementType()! : option.ValueType;
        type = Nullable.GetUnderlyingType(type) ?? type;
        return Fractions.Contains(type) || Whole.Contains(type) ? type : null;
    }
}
