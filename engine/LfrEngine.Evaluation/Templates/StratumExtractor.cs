using System.Security.Cryptography;
using System.Text;
using LfrEngine.Cover;
using LfrEngine.Evaluation.Cover;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Frames;
using LfrEngine.Matching;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;

namespace LfrEngine.Evaluation.Templates;

/// <summary>Covers and degrades images by strata and makes templates of the results.</summary>
/// <param name="models">Borrowed.</param>
/// <param name="cache">Templates of earlier runs; null to use none. Borrowed.</param>
/// <param name="seed">Seed of the covers drawn.</param>
/// <param name="isCoverKnown">Whether a brow is blanked if a cover was drawn over it; otherwise it is blanked if it is judged covered, as for a camera.</param>
internal sealed class StratumExtractor(EngineModels models, TemplateCache? cache, ulong seed, bool isCoverKnown)
{
    // Another build may draw differently.
    private static readonly string Build = typeof(StratumExtractor).Module.ModuleVersionId.ToString();

    /// <summary>Makes the templates.</summary>
    /// <param name="images">The images.</param>
    /// <param name="strata">The ways of covering and degrading them.</param>
    /// <param name="progress">Receives the number of images done.</param>
    /// <param name="stopping">Stops the work; templates made so far stay in the cache.</param>
    /// <returns>Row number: image · number of strata + stratum. Owned by the caller.</returns>
    public TemplateSet Extract(IReadOnlyList<Sample> images, IReadOnlyList<Stratum> strata, Action<int> progress, CancellationToken stopping)
    {
        var templates = new TemplateSet(images.Count * strata.Count, models.Embedder.Manifest.EmbeddingLength);
        try
        {
            TemplateExtractor.OnAllProcessors(models, images.Count, (analyzer, i) => Make(analyzer, images[i], strata, templates, i * strata.Count), progress, stopping);
            return templates;
        }
        catch
        {
            templates.Dispose();
            throw;
        }
    }

    private void Make(StillAnalyzer analyzer, Sample image, IReadOnlyList<Stratum> strata, TemplateSet templates, int firstRow)
    {
        using HostBuffer<byte>? file = TemplateExtractor.ReadFile(image.Path, out string problem);
        byte[][] keys = [.. strata.Select(s => file is null ? [] : SHA256.HashData([.. SHA256.HashData(file.Span), .. Encoding.UTF8.GetBytes($"{s.Name}\n{image.Name}\n{seed}\n{isCoverKnown}\n{Build}")]))];
        bool isKnown = file is not null && cache is not null;
        for (int s = 0; s < strata.Count; s++)
        {
            TemplateOutcome? known = file is null ? TemplateOutcome.Failed(Acquisition.Unreadable, problem) : cache?.TryGet(keys[s], templates[firstRow + s]);
            isKnown &= known is not null;
            templates.Outcomes[firstRow + s] = known!;
        }
        if (isKnown || file is null)
            return;
        try
        {
            using MediaFrame decoded = MediaReader.ReadPicture(file.Span);
            FrameView view = FrameLease.ViewOf(decoded);
            using StillFace? face = TemplateExtractor.EmbedCentral(analyzer, view);
            using Picture plain = Stratum.Scaled(view, view.Width, view.Height);
            for (int s = 0; s < strata.Count; s++)
            {
                templates.Outcomes[firstRow + s] = face is null ? TemplateOutcome.Failed(Acquisition.NoFace, "no face found in the uncovered image") : Cover(analyzer, plain, face, image, strata[s], templates[firstRow + s]);
                cache?.Add(keys[s], templates.Outcomes[firstRow + s], templates[firstRow + s]);
            }
        }
        catch (MediaException e)
        {
            for (int s = 0; s < strata.Count; s++)
                templates.Outcomes[firstRow + s] = TemplateOutcome.Failed(Acquisition.Unreadable, e.Message);
        }
    }

    private TemplateOutcome Cover(StillAnalyzer analyzer, Picture plain, StillFace face, Sample image, Stratum stratum, Span<float> embedding)
    {
        BrowTreatment brow = !isCoverKnown ? BrowTreatment.BlankIfCovered : stratum.Hides == FaceCover.Brow ? BrowTreatment.Blank : BrowTreatment.Kept;
        using Picture covered = stratum.Apply(plain, face.Landmarks.Points, SeededRandom.For(seed, $"{stratum.Name} {image.Name}"));
        return TemplateExtractor.Embed(analyzer, covered.View, embedding, brow);
    }
}
