using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using MudBlazor;

namespace LfrEngine.Web.Layout;

/// <summary>Colours of the console, light and dark, in one style sheet.</summary>
/// <remarks>
/// The component library writes its theme into each page as a style element, which the content security policy refuses. So its provider writes it
/// once into /theme.css. The browser follows the system's setting unless the officer chose a theme (console.js sets data-theme). Every text has at
/// least 4.5:1 contrast with its background (WCAG 2.2, 1.4.3), every control 3:1 (1.4.11); the browser tests check both themes.
/// </remarks>
internal static class Theme
{
    private static readonly string[] Fonts = ["system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif"];

    /// <summary>Serves /theme.css.</summary>
    public static void MapTheme(this WebApplication app)
    {
        var css = new Lazy<Task<string>>(() => WriteAsync(app.Services));
        app.MapGet("/theme.css", async () => TypedResults.Text(await css.Value, "text/css")).AllowAnonymous();
    }

    private static async Task<string> WriteAsync(IServiceProvider services)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        await using var renderer = new HtmlRenderer(scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<ILoggerFactory>());
        string light = await OneAsync(renderer, dark: false, ":root");
        string darkBySystem = await OneAsync(renderer, dark: true, ":root:not([data-theme=light])");
        string darkByChoice = await OneAsync(renderer, dark: true, ":root[data-theme=dark]");
        return $"{light}\n@media (prefers-color-scheme: dark) {{\n{darkBySystem}\n}}\n{darkByChoice}\n";
    }

    private static Task<string> OneAsync(HtmlRenderer renderer, bool dark, string scope) => renderer.Dispatcher.InvokeAsync(async () =>
    {
        var parameters = ParameterView.FromDictionary(new Dictionary<string, object?>
        {
            [nameof(MudThemeProvider.Theme)] = Make(scope),
            [nameof(MudThemeProvider.IsDarkMode)] = dark,
            [nameof(MudThemeProvider.ObserveSystemDarkModeChange)] = false,
            [nameof(MudThemeProvider.DefaultScrollbar)] = true,
        });
        string markup = (await renderer.RenderComponentAsync<MudThemeProvider>(parameters)).ToHtmlString();
        var css = new StringBuilder();
        for (int from = markup.IndexOf("<style", StringComparison.Ordinal); from >= 0; from = markup.IndexOf("<style", from, StringComparison.Ordinal))
        {
            int begin = markup.IndexOf('>', from) + 1, end = markup.IndexOf("</style>", begin, StringComparison.Ordinal);
            css.Append(markup, begin, end - begin);
            from = end;
        }
        return css.ToString();
    });

    private static MudTheme Make(string scope)
    {
        var theme = new MudTheme
        {
            PseudoCss = new PseudoCss { Scope = scope },
            PaletteLight = new PaletteLight
            {
                Primary = "#1a4d80",
                Secondary = "#6b3fa0",
                Tertiary = "#0f6a62",
                Info = "#0b5c8a",
                Success = "#1e6b34",
                Warning = "#8a5300",
                Error = "#b3261e",
                Background = "#f6f7f9",
                Surface = "#ffffff",
                AppbarBackground = "#16334f",
                AppbarText = "#ffffff",
                DrawerBackground = "#ffffff",
                DrawerText = "#1b1f24",
                DrawerIcon = "#3d4852",
                TextPrimary = "#1b1f24",
                TextSecondary = "#4a5560",
                TextDisabled = "#5f6a75",
                ActionDefault = "#3d4852",
                ActionDisabled = "#5f6a75",
                LinesInputs = "#6b7682",
            },
            PaletteDark = new PaletteDark
            {
                Primary = "#8ab8e6",
                PrimaryContrastText = "#0c1a28",
                Secondary = "#c9a8f0",
                SecondaryContrastText = "#20103a",
                Tertiary = "#7fd4ca",
                TertiaryContrastText = "#04201d",
                Info = "#8fcdf5",
                InfoContrastText = "#06202f",
                Success = "#8fdc9f",
                SuccessContrastText = "#06220e",
                Warning = "#ffc46b",
                WarningContrastText = "#2b1a00",
                Error = "#ffb4ab",
                ErrorContrastText = "#3a0500",
                Background = "#14181d",
                Surface = "#1d232a",
                AppbarBackground = "#1d232a",
                AppbarText = "#e8ecf0",
                DrawerBackground = "#1d232a",
                DrawerText = "#e8ecf0",
                DrawerIcon = "#b4bec8",
                TextPrimary = "#e8ecf0",
                TextSecondary = "#b4bec8",
                TextDisabled = "#98a3ae",
                ActionDefault = "#b4bec8",
                ActionDisabled = "#98a3ae",
                LinesInputs = "#8a95a0",
            },
        };
        theme.Typography.Default.FontFamily = Fonts;
        theme.Typography.Button.TextTransform = "none";
        return theme;
    }
}
