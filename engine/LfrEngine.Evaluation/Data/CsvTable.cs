using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using LfrEngine.Files;
using LfrEngine.Watchlists;

namespace LfrEngine.Evaluation.Data;

/// <summary>A CSV file with a header, as written by spreadsheets. Every error names the line.</summary>
/// <remarks>
/// UTF-8, or UTF-16 with a byte order mark. Separated by commas, semicolons or tabs: what the header uses, or a first line <c>sep=;</c> says.
/// Quoted fields may hold separators and line ends. Empty lines are ignored.
/// </remarks>
public sealed class CsvTable
{
    /// <summary>Largest file that is read, bytes: a million people.</summary>
    public const int MaximumBytes = 256 << 20;

    private static readonly char[] s_delimiters = [',', ';', '\t'];

    private readonly string path;
    private readonly string[] header;
    private readonly List<(long Line, string[] Fields)> rows = [];

    private CsvTable(string path, string[] header) => (this.path, this.header) = (path, header);

    /// <summary>Column names, lower case, with underscores for spaces.</summary>
    public IReadOnlyList<string> Columns => header;

    /// <summary>The lines after the header.</summary>
    public IEnumerable<Row> Rows => rows.Select(r => new Row(this, r.Line, r.Fields));

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="required">Columns that it must have.</param>
    /// <exception cref="DataException">It cannot be read, is not CSV, lacks a column, or a line has too few or too many fields.</exception>
    public static CsvTable Read(string path, params string[] required)
    {
        try
        {
            using FileStream file = InputFile.OpenStream(path);
            return Read(path, file, required);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="name">Name in messages.</param>
    /// <param name="stream">Borrowed.</param>
    /// <param name="required">Columns that it must have.</param>
    /// <exception cref="DataException">It is not CSV, lacks a column, or a line has too few or too many fields.</exception>
    public static CsvTable Read(string name, Stream stream, params string[] required)
    {
        string text = Decode(name, stream);
        (char delimiter, int skippedLines) = FindDelimiter(ref text);
        var configuration = new CsvConfiguration(CultureInfo.InvariantCulture)
        {
            Delimiter = delimiter.ToString(),
            TrimOptions = TrimOptions.Trim,
            // Checked below, where the line number is known.
            BadDataFound = null,
            DetectColumnCountChanges = false,
            IgnoreBlankLines = true,
        };
        using var parser = new CsvParser(new StringReader(text), configuration);
        CsvTable? table = null;
        long line = 1 + skippedLines;
        while (true)
        {
            long began = parser.RawRow + 1 + skippedLines;
            try
            {
                if (!parser.Read())
                    break;
            }
            catch (CsvHelperException e)
            {
                throw new DataException($"{name}, line {began}: this is not a line of comma-separated values.", e);
            }
            line = parser.RawRow - parser.RawRecord.TrimEnd('\r', '\n').Count(c => c == '\n') + skippedLines;
            if (parser.RawRecord.Count(c => c == '"') % 2 != 0)
                throw new DataException($"{name}, line {began}: a quotation mark is opened and not closed; to write one inside a field, double it.");
            string[] fields = [.. (parser.Record ?? []).Select(f => f.Trim())];
            if (table is null)
                table = new CsvTable(name, Header(name, fields, required));
            else if (fields.Any(f => f.Length > 0))
                table.Add(line, fields);
        }
        return table ?? throw new DataException($"{name} is empty{Needs(required)}.");
    }

    /// <summary>One line.</summary>
    public readonly struct Row
    {
        private readonly CsvTable table;
        private readonly string[] fields;

        internal Row(CsvTable table, long line, string[] fields) => (this.table, Line, this.fields) = (table, line, fields);

        /// <summary>Its number in the file, from 1.</summary>
        public long Line { get; }

        /// <summary>A field; empty where there is no such column.</summary>
        public string this[string column] => Array.IndexOf(table.header, column) is var i and >= 0 ? fields[i] : "";

        /// <summary>A field that must not be empty.</summary>
        /// <exception cref="DataException">The field is empty.</exception>
        public string Required(string column) => this[column] is { Length: > 0 } value ? value : throw Wrong($"the {column} is empty");

        /// <summary>An error in this line.</summary>
        public DataException Wrong(string what) => new($"{table.path}, line {Line}: {what}.");
    }

    private void Add(long line, string[] fields)
    {
        // Spreadsheets may leave empty fields after the last column.
        while (fields.Length > header.Length && fields[^1].Length == 0)
            fields = fields[..^1];
        if (fields.Length != header.Length)
            throw new DataException($"{path}, line {line}: {fields.Length} fields where the header has {header.Length}. A field that holds a separator needs quotation marks around it.");
        rows.Add((line, fields));
    }

    private static string[] Header(string name, string[] fields, string[] required)
    {
        while (fields.Length > 0 && fields[^1].Length == 0)
            fields = fields[..^1];
        string[] header = [.. fields.Select(h => h.ToLowerInvariant().Replace(' ', '_'))];
        if (required.FirstOrDefault(r => !header.Contains(r)) is { } missing)
            throw new DataException($"{name} has no column \"{missing}\"{Needs(required)}, and has {(header.Length == 0 ? "none" : string.Join(", ", header))}.");
        if (header.GroupBy(h => h).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new DataException($"{name} has the column \"{twice.Key}\" twice.");
        return header;
    }

    private static string Needs(string[] required) => required.Length == 0 ? "" : $"; it needs {string.Join(", ", required)}";

    // Decodes the whole file at once, so that an invalid byte is reported with its line.
    internal static string Decode(string name, Stream stream, string advice = "In Excel choose Save As, \"CSV UTF-8 (Comma delimited)\".")
    {
        using var copy = new MemoryStream();
        var part = new byte[81920];
        for (int read; (read = stream.Read(part)) > 0;)
        {
            if (copy.Length + read > MaximumBytes)
                throw new DataException($"{name} is larger than {MaximumBytes >> 20} MiB: split it.");
            copy.Write(part, 0, read);
        }
        ReadOnlySpan<byte> bytes = copy.GetBuffer().AsSpan(0, (int)copy.Length);
        if (bytes.StartsWith("PK\x03\x04"u8) || bytes.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0]))
            throw new DataException($"{name} is an Excel workbook or an archive, not a text file. {advice}");
        // A text may begin with BM, the mark of a BMP.
        if (PhotoFormat.NameOf(bytes) is { } picture and not "BMP")
            throw new DataException($"{name} is a picture ({picture}), not a text file. Give a list, or the folder that holds the pictures.");
        bool little = bytes.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]), big = bytes.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]);
        try
        {
            if (little || big)
                return Text(name, advice, new UnicodeEncoding(big, byteOrderMark: true, throwOnInvalidBytes: true).GetString(bytes[2..]));
            if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
                bytes = bytes[3..];
            return Text(name, advice, new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes));
        }
        catch (DecoderFallbackException e)
        {
            int line = little || big ? 0 : 1 + bytes[..Math.Clamp(e.Index, 0, bytes.Length)].Count((byte)'\n');
            throw new DataException($"{name}{(line > 0 ? $", line {line}" : "")}: not {(little || big ? "UTF-16" : "UTF-8")}. {advice}", e);
        }
    }

    private static string Text(string name, string advice, string text)
    {
        int nul = text.IndexOf('\0', StringComparison.Ordinal);
        return nul < 0 ? text : throw new DataException($"{name}, line {1 + text.AsSpan(0, nul).Count('\n')}: this is not text. {advice}");
    }

    // Excel writes the separator of its locale, and can state it in a first line.
    private static (char Delimiter, int SkippedLines) FindDelimiter(ref string text)
    {
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        string first = (end < 0 ? text : text[..end]).TrimEnd('\r');
        if (first.StartsWith("sep=", StringComparison.OrdinalIgnoreCase) && first.Length == 5)
        {
            text = end < 0 ? "" : text[(end + 1)..];
            return (first[4], 1);
        }
        var counts = new int[s_delimiters.Length];
        bool quoted = false, any = false;
        foreach (char c in text)
        {
            if (c == '"')
                quoted = !quoted;
            else if (c == '\n' && !quoted && any)
                break;
            else if (!quoted && Array.IndexOf(s_delimiters, c) is var i and >= 0)
                counts[i]++;
            any |= c is not ('\r' or '\n');
        }
        return (s_delimiters[Array.IndexOf(counts, counts.Max())], 0);
    }
}
