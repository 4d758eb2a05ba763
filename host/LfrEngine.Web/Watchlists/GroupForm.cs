using LfrEngine.Evaluation.Data;

namespace LfrEngine.Web.Watchlists;

/// <summary>The groups of a role-player as they are filled in.</summary>
public sealed class GroupForm
{
    private readonly Dictionary<string, string> usual = [];

    /// <summary>Columns in other words, in one line.</summary>
    public string Own { get; set; } = "";

    /// <summary>Day of the consent, as in a field of a form.</summary>
    public string ConsentOn { get; set; } = "";

    /// <summary>Value of a usual column; empty if none.</summary>
    public string this[string column]
    {
        get => usual.GetValueOrDefault(column, "");
        set => usual[column] = value;
    }

    /// <summary>A form that holds what is recorded.</summary>
    internal static GroupForm Of(IReadOnlyDictionary<string, string> groups, string consentOn)
    {
        var form = new GroupForm { ConsentOn = consentOn, Own = PersonGroups.Write(groups.Where(g => !PersonGroups.Usual.Contains(g.Key)).ToDictionary()) };
        foreach ((string column, string group) in groups.Where(g => PersonGroups.Usual.Contains(g.Key)))
            form[column] = group;
        return form;
    }

    /// <summary>What was filled in; null if the line of other columns cannot be read.</summary>
    internal IReadOnlyDictionary<string, string>? Read() =>
        PersonGroups.TryRead($"{PersonGroups.Write(usual.Where(u => u.Value.Length > 0).ToDictionary())}; {Own}", out IReadOnlyDictionary<string, string> groups) ? groups : null;
}
