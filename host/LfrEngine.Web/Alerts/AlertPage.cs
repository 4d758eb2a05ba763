using System.Security.Claims;
using LfrEngine.Records.Alerts;
using LfrEngine.Records.Audit;
using LfrEngine.Records.Security;
using LfrEngine.Records.Store;
using LfrEngine.Watchlists;
using LfrEngine.Web.Texts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.Extensions.Localization;

namespace LfrEngine.Web.Alerts;

/// <summary>Base of the operator's screen and the officer's phone: a live list of alerts, the selected alert, and decisions about it.</summary>
public abstract class AlertPage : ComponentBase, IAsyncDisposable
{
    /// <summary>Alerts on one page of the list.</summary>
    protected const int PageSize = 25;

    private readonly CancellationTokenSource leaving = new();
    private Task following = Task.CompletedTask;

    [Inject]
    private protected AlertService Service { get; set; } = null!;

    [Inject]
    protected AlertFeed Feed { get; set; } = null!;

    [Inject]
    protected RefusalWords Words { get; set; } = null!;

    [Inject]
    protected IStringLocalizer<AlertTexts> T { get; set; } = null!;

    [Inject]
    protected IStringLocalizer<LikelihoodTexts> Likelihoods { get; set; } = null!;

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

    /// <summary>Number of newer alerts before this page of the list.</summary>
    protected int Skip { get; set; }

    /// <summary>Result of the last decision.</summary>
    protected string? Message { get; private set; }

    protected bool Refused { get; private set; }

    protected string Note { get; set; } = "";

    /// <summary>Which alerts the page lists.</summary>
    protected abstract AlertFilter Filter { get; }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync()
    {
        User = (await Authentication).User;
        long from = await Feed.LatestAsync(leaving.Token);
        await RefreshAsync();
        following = FollowAsync(from);
    }

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await leaving.CancelAsync();
        await following;
        leaving.Dispose();
    }

    /// <summary>Called after the list was updated with new events.</summary>
    protected virtual Task OnNewsAsync(IReadOnlyList<AuditEntry> news) => Task.CompletedTask;

    /// <summary>Reloads the list.</summary>
    protected virtual async Task RefreshAsync() => Shown = await Service.ListAsync(Filter with { Skip = Skip, Take = PageSize }, leaving.Token);

    protected async Task SelectAsync(Guid alert)
    {
        if (Detail?.Alert.Id != alert)
            (Message, Note) = (null, "");
        Detail = await Service.LookAsync(Actor.Of(User), alert, leaving.Token);
    }

    protected void Close() => Detail = null;

    protected Task DecideAsync(AlertState to) => DecideAsync(to, undoes: null);

    /// <summary>Undoes the latest valid decision.</summary>
    protected Task TakeBackAsync() => Detail is { Latest: { } latest } && Detail.Entries.FirstOrDefault(e => e.Id == latest) is { } entry ? DecideAsync(entry.From, latest) : Task.CompletedTask;

    /// <summary>Whether the officer's roles allow a step.</summary>
    protected bool May(AlertState to) => Permissions.ByRole[AlertTransitions.PermissionFor(to)].Any(User.IsInRole);

    protected bool MayTakeBack => Detail is { Latest: { } latest } && May(Detail.Entries.First(e => e.Id == latest).To);

    protected string Name(AlertState state) => T[RefusalWords.StateKey(state)];

    /// <summary>Words for the score: the degree of support if the evidence is calibrated.</summary>
    protected string NameOfLikeness(AlertSummary alert) => alert.Likelihood is { } likelihood ? LikelihoodWords.Name(likelihood.Support, key => Likelihoods[key]) : T[$"Likeness{alert.Likeness}"];

    protected string Name(WatchlistCategory category) => T[$"Category{category.Name()}"];

    private async Task DecideAsync(AlertState to, long? undoes)
    {
        if (Detail is null)
            return;
        Decision decision = await Service.DecideAsync(User, Detail.Alert.Id, to, Note.Length > AlertService.LongestNote ? Note[..AlertService.LongestNote] : Note, undoes, Detail.Entries.Count);
        Refused = decision.Refusal is not null;
        string message = Refused ? Words.Of(decision) : T[undoes is null ? "Recorded" : "TakenBack", Name(to)];
        Note = "";
        await SelectAsync(Detail.Alert.Id);
        await RefreshAsync();
        Message = message;
    }

    private async Task FollowAsync(long from)
    {
        try
        {
            await foreach (IReadOnlyList<AuditEntry> news in Feed.FollowAsync(from, leaving.Token))
            {
                await InvokeAsync(async () =>
                {
                    await RefreshAsync();
                    if (Detail is { } open && news.Any(e => AlertActions.AlertOf(e.Subject) == open.Alert.Id || open.Sightings.Any(s => AlertActions.AlertOf(e.Subject) == s.Id) || e.Action == AlertActions.Joined))
                        Detail = await Service.LookAsync(Actor.Of(User), open.Alert.Id, leaving.Token);
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
