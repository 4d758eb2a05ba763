namespace LfrEngine.Matching;

/// <summary>An identity that scored at or above its threshold.</summary>
/// <param name="IdentityIndex">Index into <see cref="Gallery.Identities"/>.</param>
/// <param name="TemplateIndex">The best template, as numbered in the watchlist; the lowest number when several score the same.</param>
/// <param name="ComparisonScore">Cosine, −1…1; higher is more alike.</param>
public readonly record struct Candidate(int IdentityIndex, int TemplateIndex, float ComparisonScore);
