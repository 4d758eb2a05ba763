namespace LfrEngine.Web.Texts;

/// <summary>
/// Texts of the console's frame and texts shared by pages: <c>ShellTexts.resx</c>. Each part of the console has such a pair of files; a page uses
/// <c>@inject IStringLocalizer&lt;ShellTexts&gt; T</c>, then <c>@T["Key"]</c> or <c>@T["Key", argument]</c>. A test finds keys that have no text.
/// </summary>
public sealed class ShellTexts;
