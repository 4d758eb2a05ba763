namespace LfrEngine.Web.Texts;

/// <summary>Texts of the page of what is published: <c>TransparencyTexts.resx</c>.</summary>
public sealed class TransparencyTexts;
