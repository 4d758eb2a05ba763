namespace LfrEngine.Web.Texts;

/// <summary>
/// Texts of the console's frame and of what pages share: <c>ShellTexts.resx</c> beside this file. Each part of the console has such a pair; a page says
/// <c>@inject IStringLocalizer&lt;ShellTexts&gt; T</c>, then <c>@T["Key"]</c> or <c>@T["Key", argument]</c>. A test finds keys that have no text.
/// </summary>
public sealed class ShellTexts;
