namespace LfrEngine.Web.Texts;

/// <summary>Texts of the page of published figures: <c>TransparencyTexts.resx</c>.</summary>
public sealed class TransparencyTexts;
