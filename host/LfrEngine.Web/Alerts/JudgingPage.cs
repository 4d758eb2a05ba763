using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using Microsoft.AspNetCore.Components;

namespace LfrEngine.Web.Alerts;

/// <summary>Base of the screens on which operators judge: how many alerts wait, what is announced of new ones, and the keys.</summary>
public abstract class JudgingPage : AlertPage
{
    [Inject]
    private protected AlertNames Names { get; set; } = null!;

    [Inject]
    private protected AlertSounds Sounds { get; set; } = null!;

    /// <summary>The decisions of the open alert, as shown.</summary>
    private protected DecisionBar? Bar { get; set; }

    /// <summary>Read out by screen readers.</summary>
    protected string Announcement { get; private set; } = "";

    /// <summary>Alerts of each state.</summary>
    protected IReadOnlyDictionary<AlertState, int> Counts { get; private set; } = new Dictionary<AlertState, int>();

    /// <summary>Alerts that wait for a judgement.</summary>
    protected int Waiting => Counts.GetValueOrDefault(AlertState.Raised);

    /// <summary>Whether the latest decision can be undone from here.</summary>
    protected virtual bool CanUndo => MayTakeBack;

    /// <summary>A key was pressed outside of any field.</summary>
    protected Task KeyAsync(string key) => key switch
    {
        "j" => StepAsync(1),
        "k" => StepAsync(-1),
        "v" => AskAsync(AlertState.Viable),
        "r" => AskAsync(AlertState.Rejected),
        "u" when CanUndo => TakeBackAsync(),
        "s" => Sounds.SwitchAsync(),
        _ => Task.CompletedTask,
    };

    /// <inheritdoc/>
    protected override async Task RefreshAsync()
    {
        await base.RefreshAsync();
        Counts = await Service.CountAsync(Actor.Of(User));
    }

    // Several alerts at once make one announcement. The bell sounds, as on every page.
    /// <inheritdoc/>
    protected override async Task OnNewsAsync(IReadOnlyList<AuditEntry> news)
    {
        var raised = news.Where(e => e.Action == AlertActions.Raised).Select(e => AlertActions.AlertOf(e.Subject)).ToHashSet();
        AlertSummary? told = raised.Count == 0 ? null : (await Service.ListAsync(Actor.Of(User), new AlertFilter { States = [AlertState.Raised] })).Where(a => raised.Contains(a.Id)).OrderByDescending(a => a.Vulnerable).FirstOrDefault();
        if (told is null)
            return;
        Announcement = $"{T[told.Vulnerable ? "NewVulnerable" : "NewAlert", Names.Of(told.Category), told.Camera, Names.OfLikeness(told)]} {T["Waiting", Waiting]}";
        if (Detail is null && Shown.Any(a => a.Id == told.Id))
            await SelectAsync(told.Id);
    }

    /// <summary>Shows another page of the list.</summary>
    /// <returns>False where there is none.</returns>
    protected virtual Task<bool> TurnAsync(int pages) => Task.FromResult(false);

    private Task AskAsync(AlertState to) => Bar?.AskAsync(to) ?? Task.CompletedTask;

    private async Task StepAsync(int by)
    {
        int at = -1;
        for (int i = 0; i < Shown.Count; i++)
            at = Shown[i].Id == Detail?.Alert.Id ? i : at;
        int next = at < 0 ? 0 : at + by;
        if ((next >= Shown.Count || next < 0) && await TurnAsync(Math.Sign(by)))
            next = by > 0 ? 0 : Shown.Count - 1;
        if (next >= 0 && next < Shown.Count)
            await SelectAsync(Shown[next].Id);
    }
}
