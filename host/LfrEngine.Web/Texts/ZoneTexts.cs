namespace LfrEngine.Web.Texts;

/// <summary>Texts of the zone planner: <c>ZoneTexts.resx</c> beside this file.</summary>
public sealed class ZoneTexts;
