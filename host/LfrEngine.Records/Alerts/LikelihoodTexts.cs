namespace LfrEngine.Records.Alerts;

/// <summary>What a likelihood ratio means: <c>LikelihoodTexts.resx</c>. All outputs say the same.</summary>
public sealed class LikelihoodTexts;
