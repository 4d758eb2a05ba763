using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace LfrEngine.Programs;

/// <summary>What each option takes. A value that is something else is refused in one sentence that says what is wanted and what was given.</summary>
/// <remarks>The library would name .NET types, parse <c>0,48</c> as 48 and accept <c>nan</c>.</remarks>
internal static class OptionRules
{
    private const string DateForm = "yyyy-MM-dd";

    private static readonly ConditionalWeakTable<Symbol, NumberRange> Ranges = [];
    private static readonly ConditionalWeakTable<Symbol, string[]> Choices = [];

    /// <summary>Limits a number; the limits are included.</summary>
    public static Option<T> From<T>(this Option<T> option, double least, double most = double.PositiveInfinity) => Limit(option, new NumberRange(least, most, IsAbove: false));

    /// <summary>Limits a number that must be larger than <paramref name="limit"/>.</summary>
    public static Option<T> Above<T>(this Option<T> option, double limit, double most = double.PositiveInfinity) => Limit(option, new NumberRange(limit, most, IsAbove: true));

    /// <summary>Limits a text to a few words.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params string[] words)
    {
        Choices.Add(option, words);
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>Makes every option and argument refuse a value of another kind.</summary>
    /// <param name="command">The command with its sub-commands.</param>
    public static void Apply(Command command)
    {
        foreach (Option option in command.Options)
        {
            option.Validators.Add(result =>
            {
                if (Fault(result) is { } fault)
                    result.AddError(fault);
            });
        }
        foreach (Command below in command.Subcommands)
            Apply(below);
    }

    /// <summary>What is wrong with a value; null if nothing.</summary>
    public static string? Fault(SymbolResult? result) => result switch
    {
        OptionResult { Option.Arity.MaximumNumberOfValues: 1, Tokens.Count: > 1 } repeated => $"{repeated.Option.Name} is given {repeated.Tokens.Count} times. Give it once.",
        OptionResult option => Fault(option.Option, option.Option.ValueType, option.Tokens),
        ArgumentResult argument => Fault(argument.Argument, argument.Argument.ValueType, argument.Tokens),
        _ => null,
    };

    private static string? Fault(Symbol symbol, Type type, IReadOnlyList<Token> given)
    {
        Type one = type.IsArray ? type.GetElementType()! : type;
        one = Nullable.GetUnderlyingType(one) ?? one;
        (Func<string, bool> fits, string wanted) = Rule(symbol, one);
        return given.Select(t => t.Value).FirstOrDefault(t => !fits(t)) is { } wrong ? $"{symbol.Name} takes {wanted}, not \"{Shown.Name(wrong)}\"." : null;
    }

    private static (Func<string, bool> Fits, string Wanted) Rule(Symbol symbol, Type type)
    {
        NumberRange range = Ranges.TryGetValue(symbol, out NumberRange? own) ? own : NumberRange.Any;
        if (type == typeof(float) || type == typeof(double))
            return (t => double.TryParse(t, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && double.IsFinite(value) && range.Contains(value), range == NumberRange.Any || range.IsAbove ? $"a number such as 0.48{range.Words}" : $"a number{range.Words}");
        if (type == typeof(int) || type == typeof(long) || type == typeof(ulong))
        {
            (Int128 least, Int128 most) = type == typeof(int) ? (int.MinValue, int.MaxValue) : type == typeof(long) ? (long.MinValue, long.MaxValue) : ((Int128)ulong.MinValue, ulong.MaxValue);
            // Without limits of its own it has those of its kind.
            string limits = range == NumberRange.Any ? $" from {least} to {most}" : range.Words;
            return (t => Int128.TryParse(t, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out Int128 value) && value >= least && value <= most && range.Contains((double)value), $"a whole number{limits}");
        }
        if (type == typeof(DateOnly))
            return (t => DateOnly.TryParseExact(t, DateForm, CultureInfo.InvariantCulture, DateTimeStyles.None, out _), "a date such as 2026-01-31");
        if (type.IsEnum)
            return (t => Enum.GetNames(type).Contains(t, StringComparer.OrdinalIgnoreCase), Either([.. Enum.GetNames(type).Select(n => n.ToLowerInvariant())]));
        if (Choices.TryGetValue(symbol, out string[]? words))
            return (t => words.Contains(t, StringComparer.Ordinal), Either(words));
        if (type == typeof(FileInfo) || type == typeof(DirectoryInfo))
            return (t => t.Length > 0, $"the path of a {(type == typeof(FileInfo) ? "file" : "folder")}");
        return (_ => true, "a text");
    }

    private static string Either(string[] words) => words.Length == 1 ? words[0] : $"{string.Join(", ", words[..^1])} or {words[^1]}";

    private static Option<T> Limit<T>(Option<T> option, NumberRange range)
    {
        Ranges.Add(option, range);
        // Help and docs/commands.md show it.
        string words = range.Words.TrimStart(' ', ',');
        option.Description += $" {char.ToUpperInvariant(words[0])}{words[1..]}.";
        return option;
    }
}

/// <summary>Limits of a number.</summary>
/// <param name="Least">Smallest value, or the value that it must exceed.</param>
/// <param name="Most">Largest value.</param>
/// <param name="IsAbove">Whether <paramref name="Least"/> itself is excluded.</param>
internal sealed record NumberRange(double Least, double Most, bool IsAbove)
{
    public static NumberRange Any { get; } = new(double.NegativeInfinity, double.PositiveInfinity, IsAbove: false);

    /// <summary>To follow the kind of number, such as " from 0 to 1024".</summary>
    public string Words =>
        this == Any ? ""
        : IsAbove ? string.Create(CultureInfo.InvariantCulture, $", above {Least}{(double.IsFinite(Most) ? $" and at most {Most}" : "")}")
        : double.IsFinite(Most) ? string.Create(CultureInfo.InvariantCulture, $" from {Least} to {Most}")
        : string.Create(CultureInfo.InvariantCulture, $", {Least} or more");

    public bool Contains(double value) => (IsAbove ? value > Least : value >= Least) && value <= Most;
}
