namespace LfrEngine.Web.Texts;

/// <summary>Texts of the zone planner: <c>ZoneTexts.resx</c>.</summary>
public sealed class ZoneTexts;
