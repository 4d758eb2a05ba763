namespace LfrEngine.Web.Texts;

/// <summary>Texts of the alert pages: <c>AlertTexts.resx</c>.</summary>
public sealed class AlertTexts;
