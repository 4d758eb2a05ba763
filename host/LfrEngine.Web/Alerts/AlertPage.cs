using System.Security.Claims;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Deployments;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Web.Texts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Alerts;

/// <summary>Base of the operator's screens and the officer's phone: a live list of alerts, the selected alert, and decisions about it.</summary>
public abstract class AlertPage : ComponentBase, IAsyncDisposable
{
    /// <summary>Alerts on one page of the list.</summary>
    protected const int PageSize = 25;

    private readonly CancellationTokenSource leaving = new();
    private Task following = Task.CompletedTask;

    [Inject]
    private protected AlertService Service { get; set; } = null!;

    [Inject]
    private protected DeploymentRunner Runner { get; set; } = null!;

    [Inject]
    protected AlertFeed Feed { get; set; } = null!;

    [Inject]
    protected RefusalWords Words { get; set; } = null!;

    [Inject]
    protected IStringLocalizer<AlertTexts> T { get; set; } = null!;

    [Inject]
    protected TimeProvider Time { get; set; } = null!;

    [CascadingParameter]
    protected Task<AuthenticationState> Authentication { get; set; } = null!;

    /// <summary>The alert that a link asks for.</summary>
    [SupplyParameterFromQuery(Name = "alert")]
    protected Guid? Asked { get; set; }

    protected ClaimsPrincipal User { get; private set; } = new();

    protected IReadOnlyList<AlertSummary> Shown { get; private set; } = [];

    protected AlertDetail? Detail { get; private set; }

    /// <summary>Number of alerts before this page of the list.</summary>
    protected int Skip { get; set; }

    /// <summary>Result of the last decision.</summary>
    protected string? Message { get; private set; }

    protected bool Refused { get; private set; }

    protected string Note { get; set; } = "";

    /// <summary>Whether a decision is being recorded: the buttons are then disabled, so that no click is lost in silence.</summary>
    protected bool IsDeciding { get; private set; }

    /// <summary>Which alerts the page lists.</summary>
    protected abstract AlertFilter Filter { get; }

    /// <summary>Whether the first alert of the list opens by itself while none is open.</summary>
    protected virtual bool OpensFirst => false;

    /// <summary>The decisions that this officer can make on the open alert.</summary>
    protected IReadOnlyList<AlertState> Steps => Detail is null ? [] : [.. AlertTransitions.After(Detail.Alert.State, Detail.Alert.ErasedAt is null).Where(May)];

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        User = (await Authentication).User;
        long from = await Feed.LatestAsync(leaving.Token);
        await RefreshAsync();
        if (Asked is { } asked)
            await SelectAsync(asked);
        await OpenFirstAsync();
        following = FollowAsync(from);
    }

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Runner.Changed -= OnTick;
        await leaving.CancelAsync();
        await following;
        leaving.Dispose();
    }

    /// <summary>Shows the page again every second, for ages.</summary>
    protected void ShowEverySecond() => Runner.Changed += OnTick;

    /// <summary>Called after the list was updated with new events.</summary>
    protected virtual Task OnNewsAsync(IReadOnlyList<AuditEntry> news) => Task.CompletedTask;

    /// <summary>Called after a decision, or the undoing of one, was recorded.</summary>
    protected virtual Task OnDecidedAsync(Guid alert, AlertState state, bool undone) => Task.CompletedTask;

    /// <summary>Reloads the list.</summary>
    protected virtual async Task RefreshAsync() => Shown = await Service.ListAsync(Actor.Of(User), Filter with { Skip = Skip, Take = PageSize }, leaving.Token);

    protected virtual async Task SelectAsync(Guid alert)
    {
        if (Detail?.Alert.Id != alert)
            (Message, Note) = (null, "");
        Detail = await Service.LookAsync(Actor.Of(User), alert, leaving.Token);
    }

    protected void Close() => Detail = null;

    protected Task DecideAsync(AlertState to) => DecideAsync(to, undoes: null);

    /// <summary>Undoes the latest valid decision.</summary>
    protected virtual Task TakeBackAsync() => Detail is { Latest: { } latest } && Detail.Entries.FirstOrDefault(e => e.Id == latest) is { } entry ? DecideAsync(entry.From, latest) : Task.CompletedTask;

    /// <summary>Whether the officer's roles allow a step.</summary>
    protected bool May(AlertState to) => Permissions.ByRole[AlertTransitions.PermissionFor(to)].Any(User.IsInRole);

    protected bool MayTakeBack => Detail is { Latest: { } latest } && May(Detail.Entries.First(e => e.Id == latest).To);

    protected string Name(AlertState state) => T[RefusalWords.StateKey(state)];

    /// <summary>How long ago the face was seen.</summary>
    protected string Age(AlertSummary alert)
    {
        TimeSpan age = Time.GetUtcNow() - alert.CapturedAt;
        return age.TotalMinutes < 10 ? T["AgeSeconds", Math.Max(0, (int)age.TotalSeconds)] : age.TotalHours < 2 ? T["AgeMinutes", (int)age.TotalMinutes] : T["AgeHours", (int)age.TotalHours];
    }

    private async Task DecideAsync(AlertState to, long? undoes)
    {
        // A second click while the first is being recorded means nothing more.
        if (Detail is null || IsDeciding)
            return;
        IsDeciding = true;
        try
        {
            await RecordAsync(Detail, to, undoes);
        }
        finally
        {
            IsDeciding = false;
        }
    }

    private async Task RecordAsync(AlertDetail open, AlertState to, long? undoes)
    {
        Guid alert = open.Alert.Id;
        Decision decision = await Service.DecideAsync(User, alert, to, Note.Length > AlertService.LongestNote ? Note[..AlertService.LongestNote] : Note, undoes, open.Entries.Count);
        Refused = decision.Refusal is not null;
        string message = Refused ? Words.Of(decision) : T[undoes is null ? "Recorded" : "TakenBack", Name(to)];
        Note = "";
        await SelectAsync(alert);
        await RefreshAsync();
        if (!Refused)
            await OnDecidedAsync(alert, to, undoes is not null);
        Message = message;
    }

    private async Task OpenFirstAsync()
    {
        if (OpensFirst && Detail is null && Shown is [{ } first, ..])
            await SelectAsync(first.Id);
    }

    private void OnTick() => _ = InvokeAsync(StateHasChanged);

    private async Task FollowAsync(long from)
    {
        try
        {
            await foreach (IReadOnlyList<AuditEntry> news in Feed.FollowAsync(Actor.Of(User), from, leaving.Token))
            {
                await InvokeAsync(async () =>
                {
                    await RefreshAsync();
                    if (Detail is { } open && news.Any(e => AlertActions.AlertOf(e.Subject) == open.Alert.Id || open.Sightings.Any(s => AlertActions.AlertOf(e.Subject) == s.Id) || e.Action == AlertActions.Joined))
                        Detail = await Service.LookAsync(Actor.Of(User), open.Alert.Id, leaving.Token);
                    await OpenFirstAsync();
                    await OnNewsAsync(news);
                    StateHasChanged();
                });
            }
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // The page was closed.
        }
#pragma warning disable CA1031 // A page that has stopped updating must show the fault.
        catch (Exception e)
#pragma warning restore CA1031
        {
            await DispatchExceptionAsync(e);
        }
    }
}
