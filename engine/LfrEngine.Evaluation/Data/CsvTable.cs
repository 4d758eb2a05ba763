using LfrEngine.Files;
using Microsoft.VisualBasic.FileIO;

namespace LfrEngine.Evaluation.Data;

/// <summary>A CSV file with a header; every complaint names the line.</summary>
internal sealed class CsvTable
{
    private readonly string path;
    private readonly string[] header;
    private readonly List<(long Line, string[] Fields)> rows = [];

    private CsvTable(string path, string[] header) => (this.path, this.header) = (path, header);

    /// <summary>Column names, lower case.</summary>
    public IReadOnlyList<string> Columns => header;

    public IEnumerable<Row> Rows => rows.Select(r => new Row(this, r.Line, r.Fields));

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="required">Columns that it must have.</param>
    /// <exception cref="DataException">It cannot be read, lacks a column, or a line has too few or too many fields.</exception>
    public static CsvTable Read(string path, params string[] required)
    {
        try
        {
            InputFile.Check(path);
            using var parser = new TextFieldParser(path) { Delimiters = [","], HasFieldsEnclosedInQuotes = true, TrimWhiteSpace = true };
            string[] header = [.. (parser.ReadFields() ?? []).Select(h => h.ToLowerInvariant().Replace(' ', '_'))];
            if (required.FirstOrDefault(r => !header.Contains(r)) is { } missing)
                throw new DataException($"{path} has no column \"{missing}\"; it needs {string.Join(", ", required)}, and has {(header.Length == 0 ? "none" : string.Join(", ", header))}.");
            if (header.GroupBy(h => h).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new DataException($"{path} has the column \"{twice.Key}\" twice.");
            var table = new CsvTable(path, header);
            while (!parser.EndOfData)
            {
                long line = parser.LineNumber;
                string[] fields = parser.ReadFields()!;
                if (fields.Length != header.Length)
                    throw new DataException($"{path}, line {line}: {fields.Length} fields where the header has {header.Length}.");
                table.rows.Add((line, fields));
            }
            return table;
        }
        catch (MalformedLineException e)
        {
            throw new DataException($"{path}, line {e.LineNumber}: not a line of comma-separated values.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DataException($"{path} cannot be read: {e.Message}", e);
        }
    }

    internal readonly struct Row(CsvTable table, long line, string[] fields)
    {
        /// <summary>A field; empty where there is no such column.</summary>
        public string this[string column] => Array.IndexOf(table.header, column) is var i and >= 0 ? fields[i] : "";

        /// <summary>A field that must not be empty.</summary>
        public string Required(string column) => this[column] is { Length: > 0 } value ? value : throw Wrong($"the {column} is empty");

        public DataException Wrong(string what) => new($"{table.path}, line {line}: {what}.");
    }
}
