using System.Text;
using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Evaluation.Data;

namespace LfrEngine.Evaluation.Tests.Data;

/// <summary>Lists as spreadsheets write them.</summary>
public sealed class CsvTableTests
{
    public static TheoryData<string, byte[]> Good => new()
    {
        { "commas", "id,name\r\np1,Müller\r\n"u8.ToArray() },
        { "semicolons, as Excel writes in half of Europe", "id;name\r\np1;Müller\r\n"u8.ToArray() },
        { "tabs", "id\tname\np1\tMüller\n"u8.ToArray() },
        { "a first line sep=", "sep=;\r\nid;name\r\np1;Müller\r\n"u8.ToArray() },
        { "UTF-8 with its mark", [0xEF, 0xBB, 0xBF, .. "id,name\np1,Müller\n"u8] },
        { "UTF-16", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("id\tname\r\np1\tMüller\r\n")] },
        { "UTF-16, the other way round", [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("id,name\np1,Müller")] },
        { "quotes", "\"id\",\"name\"\n\"p1\",\"Müller\"\n"u8.ToArray() },
        { "empty lines and empty columns at the end", "\nid,name,,\n\np1,Müller,,\n,,,\n\n"u8.ToArray() },
    };

    public static TheoryData<byte[], string> Bad => new()
    {
        { [.. "id,name\np1,x\np2,M"u8, 0xFC, .. "ller\n"u8], "list.csv, line 3: not UTF-8" },
        { "id,name\np1,Smith, John\n"u8.ToArray(), "list.csv, line 2: 3 fields where the header has 2" },
        { "id,name\n\n\np1\n"u8.ToArray(), "list.csv, line 4: 1 fields where the header has 2" },
        { "id,id\np1,x\n"u8.ToArray(), "list.csv has the column \"id\" twice" },
        { "id,name\np1,x\np2,\"open\n"u8.ToArray(), "list.csv, line 3: a quotation mark is opened and not closed" },
        { "name\nx\n"u8.ToArray(), "list.csv has no column \"id\"" },
        { [], "list.csv is empty" },
        { "PK\x03\x04 and so on"u8.ToArray(), "list.csv is an Excel workbook" },
        { [0xD0, 0xCF, 0x11, 0xE0, 1, 2], "list.csv is an Excel workbook" },
        { [0xFF, 0xD8, 0xFF, 0xE0], "list.csv is a picture (JPEG)" },
        { "id,name\np1,\0\n"u8.ToArray(), "list.csv, line 2: this is not text" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void Read_WhatSpreadsheetsWrite_IsTheSameList(string what, byte[] bytes)
    {
        CsvTable.Row row = Assert.Single(Read(bytes).Rows);

        Assert.True((row["id"], row["name"]) == ("p1", "Müller"), what);
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void Read_WhatIsNoList_IsRefusedByLine(byte[] bytes, string said) =>
        Assert.StartsWith(said, Assert.Throws<DataException>(() => Read(bytes)).Message, StringComparison.Ordinal);

    [Fact]
    public void Rows_QuotedFieldOverTwoLines_LaterLinesKeepTheirNumber() =>
        Assert.Equal([2, 4], Read("id,name\np1,\"two\nlines\"\np2,one\n"u8.ToArray()).Rows.Select(r => r.Line));

    [Fact]
    public void Read_AnyBytes_IsAListOrASentence()
    {
        Gen<byte[]> noise = ArbMap.Default.GeneratorFor<byte[]>();
        Gen<byte[]> nearly = Gen.Elements("id", "name", ",", ";", "\t", "\"", "\n", "\r\n", "sep=,", " ", "é", "\0", "\uFEFF", "x").ArrayOf().Select(parts => Encoding.UTF8.GetBytes(string.Concat(parts)));
        Prop.ForAll(Gen.OneOf(noise, nearly, nearly.Select(n => (byte[])[.. "id,name\n"u8, .. n])).ToArbitrary(), bytes =>
        {
            try
            {
                return Read(bytes).Rows.All(r => r["id"] is not null && r["nowhere"].Length == 0);
            }
            catch (DataException e)
            {
                return e.Message.StartsWith("list.csv", StringComparison.Ordinal);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    private static CsvTable Read(byte[] bytes) => CsvTable.Read("list.csv", new MemoryStream(bytes), "id");
}
