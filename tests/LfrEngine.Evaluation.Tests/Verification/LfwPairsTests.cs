using System.Text;
using LfrEngine.Evaluation.Data;
using LfrEngine.Evaluation.Verification;
using LfrEngine.Tests.Shared;

namespace LfrEngine.Evaluation.Tests.Verification;

public sealed class LfwPairsTests
{
    private const string List = "2\t1\nAnn Lee\t1\t2\nAnn Lee\t1\tBob\t10\nBob\t1\t2\nBob\t2\tAnn Lee\t2\n";

    public static TheoryData<string, byte[]> Good => new()
    {
        { "tabs", Bytes(List) },
        { "line ends of Windows", Bytes(List.Replace("\n", "\r\n", StringComparison.Ordinal)) },
        { "a byte order mark", [0xEF, 0xBB, 0xBF, .. Bytes(List)] },
        { "empty lines", Bytes("\n" + List.Replace("\n", "\n\n", StringComparison.Ordinal)) },
        { "a space in the header", Bytes("2 1" + List[3..]) },
        { "UTF-16", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(List)] },
    };

    public static TheoryData<string, string> Bad => new()
    {
        { "", "pairs.txt is empty" },
        { "Ann\t1\t2\n", "pairs.txt, line 1: it does not begin with \"folds pairs\"" },
        { "10\nAnn\t1\t2\n", "pairs.txt, line 1: a first line with one number belongs to a list without folds" },
        { "name,imagenum1,imagenum2,\nAnn,1,2,\n", "pairs.txt, line 1: this is a CSV" },
        { "1\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\n", "pairs.txt, line 1: 1 fold of" },
        { "2\t0\n", "pairs.txt, line 1: 2 folds of 0 pairs" },
        { "2\t1\nAnn\t1\t2\n", "pairs.txt, line 1: it announces 2 folds of 1 mated and 1 non-mated pairs, that is 4 lines, but the file has 1" },
        { List + "Bob\t1\t3\n", "pairs.txt, line 1: it announces 2 folds of 1 mated and 1 non-mated pairs, that is 4 lines, but the file has 5" },
        { "99999\t99999\nAnn\t1\t2\n", "pairs.txt, line 1: it announces 99999 folds" },
        { "2\t1\n\nAnn\t1\t2\nAnn\t1\tx\t1\nBob\t1\t2\nBob\t2\tAnn\tx\n", "pairs.txt, line 6: \"x\" is not an image number" },
        { "2\t1\nAnn\t1\t-2\nAnn\t1\tBob\t1\nBob\t1\t2\nBob\t2\tAnn\t1\n", "pairs.txt, line 2: \"-2\" is not an image number" },
        { "2\t1\nAnn\t1\t2\nAnn\t1\t3\nBob\t1\t2\nBob\t2\tAnn\t1\n", "pairs.txt, line 3: this is a mated pair too many: fold 1 of 2" },
        { "2 1\nAnn Lee 1 2 3\nAnn 1 Bob 1\nBob 1 2\nBob 2 Ann 2\n", "pairs.txt, line 2: 5 fields" },
        { "2\t1\n../../etc\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nBob\t2\tAnn\t1\n", "pairs.txt, line 2: \"../../etc\" is not a folder name" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void Read_WhatPeopleHave_IsTheSameList(string what, byte[] bytes)
    {
        ImagePair[] pairs = [.. LfwPairs.Read("pairs.txt", new MemoryStream(bytes))];

        Assert.Equal(
            [(Path.Combine("Ann Lee", "Ann Lee_0001.jpg"), true, 0), (Path.Combine("Ann Lee", "Ann Lee_0001.jpg"), false, 0), (Path.Combine("Bob", "Bob_0001.jpg"), true, 1), (Path.Combine("Bob", "Bob_0002.jpg"), false, 1)],
            pairs.Select(p => (p.First, p.IsMated, p.Fold)));
        Assert.True(pairs[1].Second == Path.Combine("Bob", "Bob_0010.jpg"), what);
    }

    [Fact]
    public void Read_SpacesForTabs_IsTheSameList() =>
        Assert.Equal(Read("2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nBob\t2\tAnn\t2\n"), Read("2 1\nAnn 1 2\nAnn 1 Bob 1\nBob 1 2\nBob  2 Ann  2\n"));

    [Theory]
    [MemberData(nameof(Bad))]
    public void Read_WhatIsNoList_IsRefusedByLine(string list, string said) => Assert.StartsWith(said, Assert.Throws<DataException>(() => Read(list)).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_AnyBytes_IsAListOrASentence() => AnyBytes.AreAnAnswerOrASentence(
        bytes => Assert.True(LfwPairs.Read("pairs.txt", new MemoryStream(bytes)).Count >= 4),
        e => e is DataException && e.Message.StartsWith("pairs.txt", StringComparison.Ordinal),
        Bytes(List), Bytes("2 1\nAnn 1 2\nAnn 1 Bob 1\nBob 1 2\nBob 2 Ann 2\n"));

    [Fact]
    public void Images_OneIsMissing_IsNamed()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("lfr-pairs-");
        try
        {
            IReadOnlyList<ImagePair> pairs = Read(List);
            foreach (string image in pairs.SelectMany(p => new[] { p.First, p.Second }).Where(i => !i.Contains("0010", StringComparison.Ordinal)))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder.FullName, image))!);
                File.WriteAllBytes(Path.Combine(folder.FullName, image), []);
            }

            string said = Assert.Throws<DataException>(() => LfwPairs.Images(pairs, folder.FullName)).Message;

            Assert.Contains("1 of the 5 images", said, StringComparison.Ordinal);
            Assert.Contains("Bob_0010.jpg", said, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IReadOnlyList<ImagePair> Read(string list) => LfwPairs.Read("pairs.txt", new MemoryStream(Bytes(list)));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
