namespace LfrEngine.Web.Texts;

/// <summary>Texts of the inspector's page: <c>InspectionTexts.resx</c>.</summary>
public sealed class InspectionTexts;
