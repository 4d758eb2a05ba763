namespace LfrEngine.Web.Texts;

/// <summary>Texts of the zone planner: <c>CameraTexts.resx</c>.</summary>
public sealed class CameraTexts;
