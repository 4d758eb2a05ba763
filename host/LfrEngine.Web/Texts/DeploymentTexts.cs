namespace LfrEngine.Web.Texts;

/// <summary>Texts of deployments and their authorities: <c>DeploymentTexts.resx</c>.</summary>
public sealed class DeploymentTexts;
