using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Detection;
using LfrEngine.Tests.Shared;

namespace LfrEngine.Evaluation.Tests.Detection;

public sealed class BoxTruthTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-boxes-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void ReadBoxes_AnyBytes_AreBoxesOrASentence() => AnyBytes.AreAnAnswerOrASentence(
        bytes => Assert.All(BoxTruth.ReadBoxes("a.xml", new MemoryStream(bytes)).Faces, f => Assert.True(float.IsFinite(f.Left + f.Bottom))),
        e => e is DataException && e.Message.StartsWith("a.xml", StringComparison.Ordinal),
        "<annotation><object><name>face</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40.5</ymax></bndbox></object></annotation>"u8.ToArray(),
        "<!DOCTYPE a [<!ENTITY b \"cccccccc\"><!ENTITY d \"&b;&b;&b;\">]><a><object>&d;</object></a>"u8.ToArray());

    [Fact]
    public void ReadList_AnyBytes_IsAListOrASentence() => AnyBytes.AreAnAnswerOrASentence(
        bytes => Assert.All(BoxTruth.ReadList("labelv2.txt", new MemoryStream(bytes)), p => Assert.True(p.Width > 0 && p.Height > 0)),
        e => e is DataException && e.Message.StartsWith("labelv2.txt", StringComparison.Ordinal),
        "# 0--Parade/a.jpg 1024 624\n318 324 325 332\n# b.jpg 10 10\n1 2 3 4 0.5 0.5\n"u8.ToArray());

    [Fact]
    public void Read_NoLabelledPictureIsThere_SaysWhich()
    {
        folder.CreateSubdirectory("images");
        File.WriteAllText(Path.Combine(folder.FullName, "labelv2.txt"), "# a.jpg 10 10\n1 2 3 4\n");

        Assert.Contains("a.jpg", Assert.Throws<DataException>(() => BoxTruth.Read(folder.FullName)).Message, StringComparison.Ordinal);
        folder.CreateSubdirectory("annotations");
        Assert.Contains("contains no labelled picture", Assert.Throws<DataException>(() => BoxTruth.Read(folder.FullName)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AveragePrecision_NoFaceIsLabelled_IsNothing() => Assert.Null(new DetectionScore().AveragePrecision);
}
