using System.Globalization;
using System.Xml;
using System.Xml.Linq;
using LfrEngine.Detection;
using LfrEngine.Evaluation.Data;
using LfrEngine.Files;
using LfrEngine.Native.Media;

namespace LfrEngine.Evaluation.Detection;

/// <summary>A picture with its true faces.</summary>
/// <param name="Path">File.</param>
/// <param name="Faces">Boxes, picture pixels.</param>
/// <param name="Labels">Class of each face, if given; otherwise empty strings.</param>
public sealed record LabelledPicture(string Path, FaceBox[] Faces, string[] Labels);

/// <summary>Pictures with their true faces.</summary>
/// <param name="Pictures">At least one.</param>
/// <param name="Missing">Names of labelled pictures that do not exist.</param>
public sealed record LabelledPictures(IReadOnlyList<LabelledPicture> Pictures, IReadOnlyList<string> Missing);

/// <summary>Reads pictures with face boxes: Pascal VOC XML, or the WIDER FACE list of libfacedetection (<c># path width height</c>, then boxes).</summary>
public static class BoxTruth
{
    /// <summary>Reads <c>images/</c> with <c>annotations/*.xml</c>, or <c>images/</c> with <c>labelv2.txt</c>, below one folder.</summary>
    /// <exception cref="DataException">The folder contains neither, no labelled picture exists, or a label file is wrong; the message names it.</exception>
    public static LabelledPictures Read(string folder)
    {
        string annotations = Path.Combine(folder, "annotations"), list = Path.Combine(folder, "labelv2.txt");
        try
        {
            LabelledPictures read = Directory.Exists(annotations) ? ReadVoc(folder, annotations)
                : File.Exists(list) ? ReadList(folder, list)
                : throw new DataException($"{folder} contains neither annotations/*.xml (Pascal VOC) nor labelv2.txt (WIDER FACE).");
            return read.Pictures.Count > 0 ? read
                : throw new DataException($"{folder} contains no labelled picture{(read.Missing.Count > 0 ? $": none of the {read.Missing.Count} labelled pictures is in images/, the first is {read.Missing[0]}" : "")}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MediaException)
        {
            throw new DataException($"{folder} cannot be read: {(e is MediaException ? e.Message : FileTrouble.Words(e))}", e);
        }
    }

    /// <summary>Reads the boxes of one Pascal VOC file.</summary>
    /// <param name="name">Name in messages.</param>
    /// <param name="stream">Borrowed.</param>
    /// <exception cref="DataException">It is not such a file.</exception>
    public static (FaceBox[] Faces, string[] Labels) ReadBoxes(string name, Stream stream)
    {
        try
        {
            using var reader = XmlReader.Create(stream, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            XElement[] objects = [.. XDocument.Load(reader).Descendants("object")];
            return ([.. objects.Select(o => Box(o.Element("bndbox")))], [.. objects.Select(o => (string?)o.Element("name") ?? "")]);
        }
        catch (XmlException e)
        {
            throw new DataException($"{name} cannot be read as Pascal VOC: {e.Message}", e);
        }

        FaceBox Box(XElement? box) => new(Side(box, "xmin"), Side(box, "ymin"), Side(box, "xmax"), Side(box, "ymax"));
        float Side(XElement? box, string side) => box?.Element(side)?.Value is { } text ? Number(text) ?? throw new DataException($"{name} cannot be read as Pascal VOC: \"{text}\" in bndbox/{side} is not a number.")
            : throw new DataException($"{name} cannot be read as Pascal VOC: an object without bndbox/{side}.");
    }

    /// <summary>Reads the boxes of a WIDER FACE list, in pixels of the size that it states for each picture.</summary>
    /// <param name="name">Name in messages.</param>
    /// <param name="stream">Borrowed.</param>
    /// <exception cref="DataException">A line is wrong; the message names it.</exception>
    public static IReadOnlyList<(string Picture, float Width, float Height, FaceBox[] Faces)> ReadList(string name, Stream stream)
    {
        var pictures = new List<(string, float, float, FaceBox[])>();
        var faces = new List<FaceBox>();
        (string Picture, float Width, float Height)? open = null;
        foreach ((int i, string line) in CsvTable.Decode(name, stream, "Save it as UTF-8.").Split('\n').Index())
        {
            string[] parts = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (parts is ["#", _, var width, var height, ..])
            {
                Close();
                open = (Path.GetFileName(parts[1]), Positive(width), Positive(height));
            }
            else if (parts.Length >= 4 && open is not null)
            {
                faces.Add(new FaceBox(Any(parts[0]), Any(parts[1]), Any(parts[2]), Any(parts[3])));
            }
            else if (parts.Length > 0)
            {
                throw new DataException($"{name}, line {i + 1}: expected \"# path width height\", or the four sides of a box below such a line.");
            }

            float Any(string text) => Number(text) ?? throw new DataException($"{name}, line {i + 1}: \"{text}\" is not a number.");
            float Positive(string text) => Any(text) is > 0 and var size ? size : throw new DataException($"{name}, line {i + 1}: a picture's side of {text} pixels.");
        }
        Close();
        return pictures;

        void Close()
        {
            if (open is { } last)
                pictures.Add((last.Picture, last.Width, last.Height, [.. faces]));
            faces.Clear();
        }
    }

    private static LabelledPictures ReadVoc(string folder, string annotations)
    {
        ILookup<string, string> images = Directory.EnumerateFiles(Path.Combine(folder, "images")).Order(StringComparer.Ordinal).ToLookup(p => Path.GetFileNameWithoutExtension(p));
        var pictures = new List<LabelledPicture>();
        var missing = new List<string>();
        foreach (string path in Directory.EnumerateFiles(annotations, "*.xml").Order(StringComparer.Ordinal))
        {
            string stem = Path.GetFileNameWithoutExtension(path);
            if (!images.Contains(stem))
            {
                missing.Add(stem);
                continue;
            }
            using FileStream file = InputFile.OpenStream(path);
            (FaceBox[] faces, string[] labels) = ReadBoxes(path, file);
            pictures.Add(new LabelledPicture(images[stem].First(), faces, labels));
        }
        return new LabelledPictures(pictures, missing);
    }

    private static LabelledPictures ReadList(string folder, string list)
    {
        Dictionary<string, string> images = Directory.EnumerateFiles(Path.Combine(folder, "images")).ToDictionary(p => Path.GetFileName(p)!);
        var pictures = new List<LabelledPicture>();
        var missing = new List<string>();
        using FileStream file = InputFile.OpenStream(list);
        foreach ((string name, float labelledWidth, float labelledHeight, FaceBox[] faces) in ReadList(list, file))
        {
            if (!images.TryGetValue(name, out string? image))
            {
                missing.Add(name);
                continue;
            }
            // The pictures may have been resized; the list is in original pixels.
            (int width, int height) = PictureSize(image);
            float x = width / labelledWidth, y = height / labelledHeight;
            pictures.Add(new LabelledPicture(image, [.. faces.Select(f => new FaceBox(f.Left * x, f.Top * y, f.Right * x, f.Bottom * y))], [.. faces.Select(_ => "")]));
        }
        return new LabelledPictures(pictures, missing);
    }

    private static float? Number(string text) => float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float value) && float.IsFinite(value) ? value : null;

    private static (int Width, int Height) PictureSize(string path)
    {
        using var reader = MediaReader.Open(path);
        reader.Read(out MediaFrame? picture);
        using (picture)
            return picture is null ? throw new DataException($"{path} contains no picture.") : (picture.Info.Width, picture.Info.Height);
    }
}
