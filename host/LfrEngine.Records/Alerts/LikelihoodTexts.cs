namespace LfrEngine.Records.Alerts;

/// <summary>Texts about likelihood ratios, for all outputs: <c>LikelihoodTexts.resx</c>.</summary>
public sealed class LikelihoodTexts;
