namespace LfrEngine.Web.Texts;

/// <summary>English of the first page: <c>OverviewTexts.resx</c>.</summary>
public sealed class OverviewTexts;
