namespace LfrEngine.Web.Texts;

/// <summary>Texts of the form for disclosure bundles: <c>DisclosureTexts.resx</c>.</summary>
public sealed class DisclosureTexts;
