using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.JSInterop;

namespace LfrEngine.Web.Alerts;

/// <summary>Sounds of one open page. Whether they are on is remembered for the officer in this browser.</summary>
internal sealed class AlertSounds(IJSRuntime scripts, AuthenticationStateProvider session) : IAsyncDisposable
{
    // An alert in the first moments of a page sounds as soon as the page can.
    private readonly TaskCompletionSource begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private IJSObjectReference? module;

    /// <summary>Raised when they were turned on or off.</summary>
    public event Action? Changed;

    public bool On { get; private set; }

    /// <summary>Takes up what the officer chose before.</summary>
    /// <param name="address">Of alerts.js.</param>
    public async Task BeginAsync(string address)
    {
        module = await scripts.InvokeAsync<IJSObjectReference>("import", address);
        On = await module.InvokeAsync<bool>("soundsWanted", await OfficerAsync());
        if (On)
            await module.InvokeVoidAsync("allowSounds", true);
        begun.TrySetResult();
        Changed?.Invoke();
    }

    /// <summary>Turns them on or off, and remembers it.</summary>
    public async Task SwitchAsync()
    {
        await begun.Task;
        On = !On;
        await module!.InvokeVoidAsync("rememberSounds", await OfficerAsync(), On);
        await module!.InvokeVoidAsync("allowSounds", On);
        if (On)
            await PlayAsync(vulnerable: false);
        Changed?.Invoke();
    }

    /// <summary>Plays both sounds, one after the other, whether or not they are on.</summary>
    public async Task TestAsync()
    {
        await begun.Task;
        await module!.InvokeVoidAsync("testSounds");
    }

    /// <summary>Plays the sound of an alert, if sounds are on. If the browser cannot be reached or has no sound, the alert is shown all the same.</summary>
    public async Task PlayAsync(bool vulnerable)
    {
        await begun.Task;
        if (On)
            await TryAsync("play", vulnerable);
    }

    /// <summary>Shows in the tab's title how many alerts wait.</summary>
    public Task ShowWaitingAsync(int count) => TryAsync("showWaiting", count);

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (module is not null)
                await module.DisposeAsync();
        }
        catch (JSDisconnectedException)
        {
            // The browser has disconnected; there is nothing to release.
        }
    }

    private async Task TryAsync(string function, object argument)
    {
        try
        {
            if (module is not null)
                await module.InvokeVoidAsync(function, argument);
        }
        catch (Exception e) when (e is JSException or JSDisconnectedException or OperationCanceledException)
        {
        }
    }

    private async Task<string> OfficerAsync() => Actor.Of((await session.GetAuthenticationStateAsync()).User).Id;
}
