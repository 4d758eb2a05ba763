using LfrEngine.Records.Security;
using LfrEngine.Web.Alerts;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LfrEngine.Web.Tests.Alerts;

/// <summary>A page that is closed before it has loaded.</summary>
public sealed class PageClosedTests
{
    [Fact]
    public async Task Bell_ClosedWhileItLoads_EndsWithoutAFault()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        AlertMaterial material = await AlertMaterial.CreateAsync(host);
        var session = new TaskCompletionSource<AuthenticationState>();
        await using AsyncServiceScope scope = host.Services.CreateAsyncScope();
        await using var renderer = new HtmlRenderer(scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<ILoggerFactory>());
        var state = new AuthenticationState(await material.OfficerAsync("olga", Roles.Operator));

        await renderer.Dispatcher.InvokeAsync(async () =>
        {
            Page? page = null;
            Task loaded = renderer.BeginRenderingComponent<Page>(ParameterView.FromDictionary(new Dictionary<string, object?>
            {
                [nameof(Page.Session)] = session.Task,
                [nameof(Page.Begun)] = (Action<Page>)(p => page = p),
            })).QuiescenceTask;
            page!.Close();
            session.SetResult(state);
            await loaded;
        });
    }

    private sealed class Page : ComponentBase
    {
        private bool closed;

        [Parameter]
        public Task<AuthenticationState> Session { get; set; } = null!;

        [Parameter]
        public Action<Page> Begun { get; set; } = null!;

        public void Close()
        {
            closed = true;
            StateHasChanged();
        }

        protected override void OnInitialized() => Begun(this);

        protected override void BuildRenderTree(RenderTreeBuilder builder)
        {
            if (closed)
                return;
            builder.OpenComponent<CascadingValue<Task<AuthenticationState>>>(0);
            builder.AddComponentParameter(1, "Value", Session);
            builder.AddComponentParameter(2, "ChildContent", (RenderFragment)(inner =>
            {
                inner.OpenComponent<AlertBell>(0);
                inner.CloseComponent();
            }));
            builder.CloseComponent();
        }
    }
}
