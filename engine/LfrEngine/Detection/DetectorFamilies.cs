using LfrEngine.Detection.Heads;
using LfrEngine.Models;

namespace LfrEngine.Detection;

/// <summary>The detector families, by the name that a manifest's <c>family</c> gives.</summary>
internal static class DetectorFamilies
{
    public static IDetectorHead Create(ModelManifest manifest) => manifest.Family switch
    {
        "ultraface" => new UltraFaceHead(),
        "yunet" => new YuNetHead(),
        "scrfd" => new ScrfdHead(),
        "retinaface" => new RetinaFaceHead(),
        _ => throw new ModelLoadException($"The detector \"{manifest.Id}\" is of family \"{manifest.Family}\". Known: ultraface, yunet, scrfd, retinaface."),
    };
}
