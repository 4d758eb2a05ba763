using LfrEngine.Records.Authorities;
using LfrEngine.Records.Store;
using LfrEngine.Web.Deployments;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LfrEngine.Web.Tests.Authorities;

/// <summary>The authority as people read it.</summary>
public sealed class AuthorityPageTests
{
    [Fact]
    public async Task Document_SignedAuthority_ReadsAsWhatWasSigned()
    {
        await using AuthorityStage stage = await AuthorityStage.StartAsync();
        await stage.ArmAsync();
        await using LfrStore store = stage.Host.Store();
        DeploymentRecord record = await store.Deployments.SingleAsync(TestContext.Current.CancellationToken);
        await using AsyncServiceScope scope = stage.Host.Services.CreateAsyncScope();
        await using var renderer = new HtmlRenderer(scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<ILoggerFactory>());

        string html = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync<AuthorityDocument>(ParameterView.FromDictionary(new Dictionary<string, object?>
        {
            [nameof(AuthorityDocument.Record)] = record,
            [nameof(AuthorityDocument.Authority)] = AuthorityService.Of(record),
        }))).ToHtmlString());

        string text = System.Net.WebUtility.HtmlDecode(html);
        Assert.Contains("Signed by sam on <time datetime=\"2026-05-14T07:30:00Z\">14 May 2026 08:30</time>", text, StringComparison.Ordinal);
        Assert.Contains("From <time datetime=\"2026-05-14T08:30:00Z\">14 May 2026 09:30</time> until <time datetime=\"2026-05-14T14:30:00Z\">14 May 2026 15:30</time>. Time zone: Europe/London (UTC+01:00).", text, StringComparison.Ordinal);
        Assert.Contains("&lt;in the square&gt;", html, StringComparison.Ordinal);
        Assert.Contains("False alerts expected if all 6 people on the list are searched for at this threshold: 0 to 8 (average 2).", text, StringComparison.Ordinal);
        Assert.Contains("Of 100 people on the list who pass, expect 85 to 94 to be found and the others missed.", text, StringComparison.Ordinal);
        Assert.Contains(record.Signature!, text, StringComparison.Ordinal);
        // Texts that the resources lack would be shown as their keys; the policy of the console forbids inline styles.
        Assert.DoesNotContain("Category.", text, StringComparison.Ordinal);
        Assert.DoesNotContain("style=", html, StringComparison.Ordinal);
    }
}
