namespace LfrEngine.Web.Texts;

/// <summary>Texts of the page about officers: <c>OfficersTexts.resx</c>.</summary>
public sealed class OfficersTexts;
