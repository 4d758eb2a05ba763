using System.Globalization;
using System.Xml.Linq;
using LfrEngine.Detection;
using LfrEngine.Files;

namespace LfrEngine.Evaluation.Detection;

/// <summary>A picture with its true faces.</summary>
/// <param name="Path">File.</param>
/// <param name="Faces">Boxes, picture pixels.</param>
/// <param name="Labels">Class of each face, where the data says so; otherwise empty strings.</param>
public sealed record LabelledPicture(string Path, FaceBox[] Faces, string[] Labels);

/// <summary>Reads pictures with face boxes: Pascal VOC XML, or the WIDER FACE list of libfacedetection (<c># path width height</c>, then boxes).</summary>
public static class BoxTruth
{
    /// <summary>Reads <c>images/</c> with <c>annotations/*.xml</c>, or <c>images/</c> with <c>labelv2.txt</c>, below one folder.</summary>
    /// <exception cref="FormatException">The folder holds neither.</exception>
    public static IReadOnlyList<LabelledPicture> Read(string folder)
    {
        string annotations = Path.Combine(folder, "annotations"), list = Path.Combine(folder, "labelv2.txt");
        if (Directory.Exists(annotations))
            return ReadVoc(folder, annotations);
        if (File.Exists(list))
            return ReadList(folder, list);
        throw new FormatException($"{folder} holds neither annotations/*.xml (Pascal VOC) nor labelv2.txt (WIDER FACE).");
    }

    private static List<LabelledPicture> ReadVoc(string folder, string annotations)
    {
        var images = Directory.EnumerateFiles(Path.Combine(folder, "images")).ToDictionary(p => Path.GetFileNameWithoutExtension(p));
        var pictures = new List<LabelledPicture>();
        foreach (string path in Directory.EnumerateFiles(annotations, "*.xml").Order(StringComparer.Ordinal))
        {
            if (!images.TryGetValue(Path.GetFileNameWithoutExtension(path), out string? image))
                continue;
            using FileStream xml = InputFile.OpenStream(path);
            XElement[] objects = [.. XDocument.Load(xml).Descendants("object")];
            pictures.Add(new LabelledPicture(image, [.. objects.Select(o => Box(o.Element("bndbox")))], [.. objects.Select(o => (string?)o.Element("name") ?? "")]));
        }
        return pictures;

        static FaceBox Box(XElement? box) => new(Side(box, "xmin"), Side(box, "ymin"), Side(box, "xmax"), Side(box, "ymax"));
        static float Side(XElement? box, string name) => float.Parse(
            box?.Element(name)?.Value ?? throw new FormatException($"an object without bndbox/{name}."), CultureInfo.InvariantCulture);
    }

    private static List<LabelledPicture> ReadList(string folder, string list)
    {
        var images = Directory.EnumerateFiles(Path.Combine(folder, "images")).ToDictionary(p => Path.GetFileName(p)!);
        var pictures = new List<LabelledPicture>();
        string? image = null;
        float scaleX = 1, scaleY = 1;
        var faces = new List<FaceBox>();
        foreach (string line in InputFile.ReadLines(list).Append("# end 1 1"))
        {
            string[] parts = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts is ["#", _, _, _, ..])
            {
                if (image is not null)
                    pictures.Add(new LabelledPicture(image, [.. faces], [.. faces.Select(_ => "")]));
                faces.Clear();
                image = images.GetValueOrDefault(Path.GetFileName(parts[1]));
                if (image is not null)
                {
                    // The pictures may have been resized; the list is in original pixels.
                    (int width, int height) = PictureSize(image);
                    scaleX = width / Number(parts[2]);
                    scaleY = height / Number(parts[3]);
                }
            }
            else if (image is not null && parts.Length >= 4)
            {
                faces.Add(new FaceBox(Number(parts[0]) * scaleX, Number(parts[1]) * scaleY, Number(parts[2]) * scaleX, Number(parts[3]) * scaleY));
            }
        }
        return pictures;

        static float Number(string text) => float.Parse(text, CultureInfo.InvariantCulture);
    }

    private static (int Width, int Height) PictureSize(string path)
    {
        using var reader = LfrEngine.Native.Media.MediaReader.Open(path);
        reader.Read(out LfrEngine.Native.Media.MediaFrame? picture);
        using (picture)
            return picture is null ? throw new FormatException($"{path} holds no picture.") : (picture.Info.Width, picture.Info.Height);
    }
}
