using System.Net;
using LfrEngine.Records.Security;
using LfrEngine.Web.Shell;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace LfrEngine.Web.Tests.Security;

/// <summary>Least privilege: every page and endpoint asks for one named permission, and lets in exactly the roles that hold it.</summary>
public sealed class PermissionTests
{
    /// <summary>What anybody may ask for, with the reason.</summary>
    private static readonly string[] Anonymous =
    [
        "GET theme.css", // colours
        "* account/sign-in", "* account/code", "* account/invitation", "* account/refused", // ways in
        "POST account/passkey/creation-options", // asks for an invitation or a session itself
        "POST account/passkey/request-options", // a challenge, the same for everybody
        "POST account/language", // a cookie of the own browser
        "* not-found",
        "* health/live", "* health/ready", // one word
        "GET metrics", // to programs of this machine; others must hold a permission, which it asks for itself
        "POST api/v1/vans/{van}/entries", // a van's signature stands for a session
    ];

    /// <summary>Of the framework: they carry no permission of their own, and the fallback lets in who signed in with two factors.</summary>
    private static readonly string[] Fallback = ["_blazor", "_framework", "{**path:file}", "{*address:nonfile}"];

    [Fact]
    public async Task Endpoints_All_AskForAPermissionOrAreListedAsAnonymous()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        var wrong = new List<string>();
        int seen = 0;
        foreach (RouteEndpoint endpoint in Endpoints(host))
        {
            string name = NameOf(endpoint);
            seen++;
            if (endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            {
                if (!Anonymous.Contains(name) && !IsAsset(endpoint))
                    wrong.Add($"{name} is open to everybody and not on this test's list");
                continue;
            }
            string[] policies = [.. endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy ?? "?")];
            if (!policies.Any(p => Permissions.ByRole.ContainsKey(p) || p is Permissions.OwnAccount or Permissions.OwnSession) && !Fallback.Any(f => Pattern(endpoint).StartsWith(f, StringComparison.Ordinal)))
                wrong.Add($"{name} asks for no permission");
        }

        Assert.True(seen > 10);
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Endpoints_EachRole_IsLetInExactlyWhereItHoldsThePermission()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        CancellationToken token = TestContext.Current.CancellationToken;
        var wrong = new List<string>();
        int asked = 0;
        foreach (string role in Roles.All)
        {
            using HttpClient client = await host.ClientAsync(await host.AddOfficerAsync(role, role));
            Assert.True(await IsLetInAsync(client, "GET", "/account", token), "Everybody has an account.");
            foreach (RouteEndpoint endpoint in Endpoints(host))
            {
                string[] policies = [.. endpoint.Metadata.GetOrderedMetadata<IAuthorizeData>().Select(a => a.Policy).OfType<string>().Where(Permissions.ByRole.ContainsKey)];
                if (policies.Length == 0)
                    continue;
                bool may = policies.All(p => Permissions.ByRole[p].Contains(role));
                string method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.FirstOrDefault(m => m != "HEAD") ?? "GET";
                bool letIn = await IsLetInAsync(client, method, Address(endpoint), token);
                asked++;
                if (letIn != may)
                    wrong.Add($"{role} {(letIn ? "is let in to" : "is refused at")} {NameOf(endpoint)} ({string.Join(", ", policies)})");
            }
        }

        Assert.True(asked >= Roles.All.Length * 2);
        Assert.Empty(wrong);
    }

    [Fact]
    public async Task Endpoints_NobodySignedIn_LetsNobodyIn()
    {
        await using RunningHost host = await RunningHost.StartAsync();
        using HttpClient client = host.Client();
        var wrong = new List<string>();
        foreach (RouteEndpoint endpoint in Endpoints(host).Where(e => e.Metadata.GetMetadata<IAllowAnonymous>() is null))
        {
            string method = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.FirstOrDefault(m => m != "HEAD") ?? "GET";
            if (await IsLetInAsync(client, method, Address(endpoint), TestContext.Current.CancellationToken))
                wrong.Add(NameOf(endpoint));
        }

        Assert.Empty(wrong);
    }

    private static async Task<bool> IsLetInAsync(HttpClient client, string method, string address, CancellationToken token)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), address);
        // A stream of events begins when there is one: who waits for it was let in.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(token);
        patience.CancelAfter(TimeSpan.FromSeconds(15));
        try
        {
            using HttpResponseMessage answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            Assert.True((int)answer.StatusCode < 500, $"{method} {address}: {answer.StatusCode}");
            string to = answer.Headers.Location?.OriginalString ?? "";
            return answer.StatusCode is not (HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
                && !to.Contains("/account/refused", StringComparison.Ordinal) && !to.Contains("/account/sign-in", StringComparison.Ordinal);
        }
        catch (OperationCanceledException) when (!token.IsCancellationRequested)
        {
            return true;
        }
    }

    private static RouteEndpoint[] Endpoints(RunningHost host) =>
        [.. ((IEndpointRouteBuilder)host.App).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>().Where(e => !IsAsset(e))];

    // Style sheets, scripts and pictures of the program.
    private static bool IsAsset(RouteEndpoint endpoint) => endpoint.DisplayName?.Contains("static", StringComparison.OrdinalIgnoreCase) == true || endpoint.Metadata.Any(m => m.GetType().Name.Contains("StaticAsset", StringComparison.Ordinal));

    private static string Pattern(RouteEndpoint endpoint) => endpoint.RoutePattern.RawText!.TrimStart('/');

    private static string NameOf(RouteEndpoint endpoint)
    {
        IReadOnlyList<string> methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [];
        return $"{(methods.Count == 1 ? methods[0] : "*")} {Pattern(endpoint)}";
    }

    private static string Address(RouteEndpoint endpoint) =>
        "/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(s => string.Concat(s.Parts.Select(p => p switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart { ParameterPolicies: var policies } when policies.Any(c => c.Content is "int" or "long") => "1",
            _ => Guid.Empty.ToString(),
        }))));
}
