using System.Reflection;
using LfrEngine.Web.Help;
using LfrEngine.Web.Layout;
using LfrEngine.Web.Shell;
using Microsoft.AspNetCore.Components;

namespace LfrEngine.Web.Tests.Help;

/// <summary>The guides that are built into the console.</summary>
public sealed class GuideTests
{
    public static TheoryData<string> Pages =>
        [.. typeof(Routes).Assembly.GetTypes().Where(t => t.GetCustomAttribute<LayoutAttribute>()?.LayoutType != typeof(AccountLayout) && t != typeof(HelpPage))
            .SelectMany(t => t.GetCustomAttributes<RouteAttribute>()).Select(r => r.Template.TrimStart('/').Replace("{Id:guid}", "0", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void For_EveryPageOfTheConsole_IsAPartOfAGuide(string page)
    {
        string[] address = Guide.For(page).Split('/');

        Assert.Equal(3, address.Length);
        GuideSection part = Assert.Single(Guide.Find(address[1])!.Sections, s => s.Name == address[2]);
        Assert.True(part.Text.Value.Length > 100, part.Text.Value);
    }

    [Fact]
    public void Find_EveryGuide_LinksOnlyToGuidesAndHasNoPictures()
    {
        foreach (string text in Guide.Names.SelectMany(n => Guide.Find(n)!.Sections).Select(s => s.Text.Value))
        {
            Assert.DoesNotContain("<img", text, StringComparison.Ordinal);
            Assert.DoesNotContain("style=", text, StringComparison.Ordinal);
            Assert.DoesNotContain(".md\"", text, StringComparison.Ordinal);
        }
        Assert.Contains("help/operator\"", Guide.Find("everybody")!.Sections[0].Text.Value, StringComparison.Ordinal);
        Assert.Null(Guide.Find("van"));
    }
}
