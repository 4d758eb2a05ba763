namespace LfrEngine.Web.Texts;

/// <summary>Texts of the first page: <c>OverviewTexts.resx</c>.</summary>
public sealed class OverviewTexts;
