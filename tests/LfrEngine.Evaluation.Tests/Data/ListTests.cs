using LfrEngine.Evaluation.Data;
using LfrEngine.Tests.Shared;

namespace LfrEngine.Evaluation.Tests.Data;

/// <summary>The laboratory's own lists: data sets and passages.</summary>
public sealed class ListTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-lists-");

    public ListTests()
    {
        folder.CreateSubdirectory("v");
        File.WriteAllText(PathOf("a.jpg"), "");
        File.WriteAllText(PathOf("b.jpg"), "");
        File.WriteAllText(PathOf("t.csv"), "ms,left,top,right,bottom,visible\n1,2,3,4,5,1\n");
    }

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Passages_AnyBytes_AreAListOrASentence() => Check(
        path => Assert.All(PassageList.Read(path).Passages, p => Assert.True(double.IsFinite(p.FromMs) && p.ToMs > p.FromMs && double.IsFinite(p.ToMs))),
        "video,camera,from,to,subject,person,eye_pixels,track,sex\nv,gate,0,2.5,not listed,he,24,t.csv,m\nv,gate,3,4,Ann,,,,f\n"u8.ToArray());

    [Fact]
    public void DataSet_AnyBytes_IsAListOrASentence() => Check(
        path => Assert.True(FaceDataSet.Read(path, []).Samples.Count >= 2),
        "file,subject,session,sex\na.jpg,Ann,1,f\nb.jpg,Bob,2,m\n"u8.ToArray());

    [Fact]
    public void DataSet_ImageThatIsNotThere_IsNamedWithItsLine()
    {
        File.WriteAllText(PathOf("list.csv"), "file,subject\na.jpg,Ann\nc.jpg,Bob\n");

        string said = Assert.Throws<DataException>(() => FaceDataSet.Read(PathOf("list.csv"), [])).Message;

        Assert.StartsWith($"{PathOf("list.csv")}, line 3: the image {PathOf("c.jpg")} does not exist; 1 of 2", said, StringComparison.Ordinal);
    }

    /// <summary>A photo without an ending, or with another one, was left out without a word.</summary>
    [Fact]
    public void DataSet_FolderOfOddlyNamedPictures_TakesThemByHowTheyBegin()
    {
        foreach ((string name, byte[] content) in (ReadOnlySpan<(string, byte[])>)[
            ("v/one", [0xFF, 0xD8, 0xFF, 0xE0]), ("v/two.jfif", [0xFF, 0xD8, 0xFF, 0xE1]), ("v/three.tif", [.. "II*\0"u8]), ("v/damaged.jpg", []), ("v/.hidden.jpg", [0xFF, 0xD8, 0xFF]), ("v/notes.txt", [.. "notes"u8])])
            File.WriteAllBytes(PathOf(name), content);
        // Nobody can look into it: one such file must not cost the whole set.
        File.CreateSymbolicLink(PathOf("v/lost"), PathOf("nowhere"));

        Assert.Equal(["damaged.jpg", "one", "three.tif", "two.jfif"], FaceDataSet.Read(folder.FullName, []).Samples.Select(s => Path.GetFileName(s.Path)));
    }

    private void Check(Action<string> read, byte[] document) => AnyBytes.AreAnAnswerOrASentence(
        bytes =>
        {
            File.WriteAllBytes(PathOf("list.csv"), bytes);
            read(PathOf("list.csv"));
        },
        e => e is DataException && e.Message.Contains(folder.FullName, StringComparison.Ordinal),
        document);

    private string PathOf(string name) => Path.Combine(folder.FullName, name);
}
