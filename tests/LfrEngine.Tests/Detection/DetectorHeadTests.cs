using System.Text.Json;
using LfrEngine.Detection;
using LfrEngine.Detection.Heads;
using Xunit;

namespace LfrEngine.Tests.Detection;

public sealed class DetectorHeadTests
{
    // float32 here against double there, coordinates of a few hundred pixels.
    private const double PixelTolerance = 1e-3;
    private const double ScoreTolerance = 1e-6;

    public static TheoryData<string> Families => DetectorGolden.FamilyData;

    [Theory, MemberData(nameof(Families))]
    public void Decode_SeededOutputs_EqualsGolden(string family)
    {
        IDetectorHead head = DetectorGolden.CreateHead(family);
        using JsonDocument golden = DetectorGolden.Read(family);
        Assert.True(golden.RootElement.GetArrayLength() >= 2);
        foreach (JsonElement run in golden.RootElement.EnumerateArray())
        {
            using var raw = new RawOutputs(head, run.GetProperty("width").GetInt32(), run.GetProperty("height").GetInt32());
            var random = new Lcg(run.GetProperty("seed").GetUInt32());
            JsonElement ranges = run.GetProperty("ranges");
            for (int i = 0; i < raw.Count; i++)
                Fill(raw[i], random, ranges[i][0].GetDouble(), ranges[i][1].GetDouble());
            using var faces = new CandidateList(512);

            raw.Decode(run.GetProperty("threshold").GetSingle(), faces);

            JsonElement expected = run.GetProperty("faces");
            Assert.Equal(expected.GetArrayLength(), faces.Count);
            for (int i = 0; i < faces.Count; i++)
                DetectorGolden.AssertFace(expected[i], faces.Items[i], PixelTolerance, ScoreTolerance);
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_AllBelowThreshold_FindsNothing(string family)
    {
        using var raw = new RawOutputs(DetectorGolden.CreateHead(family), 96, 64);
        using var faces = new CandidateList(16);
        FillScores(raw, 0.49f);

        raw.Decode(0.5f, faces);

        Assert.Equal(0, faces.Count);
        Assert.Equal(0, faces.Dropped);
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_ScoreExactlyAtThreshold_IsKept(string family)
    {
        using var raw = new RawOutputs(DetectorGolden.CreateHead(family), 96, 64);
        using var faces = new CandidateList(2048);
        FillScores(raw, 0.5f);
        FillOthers(raw, 0.5f);

        raw.Decode(0.5f, faces);
        int atThreshold = faces.Count;
        faces.Clear();
        raw.Decode(MathF.BitIncrement(0.5f), faces);

        Assert.Equal(Rows(raw), atThreshold);
        Assert.Equal(0, faces.Count);
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_ListFull_CountsDrops(string family)
    {
        using var raw = new RawOutputs(DetectorGolden.CreateHead(family), 96, 64);
        using var faces = new CandidateList(5);
        FillScores(raw, 0.9f);
        FillOthers(raw, 0.5f);

        raw.Decode(0.5f, faces);

        Assert.Equal(5, faces.Count);
        Assert.Equal(Rows(raw) - 5, faces.Dropped);
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_NotFiniteValues_AreSkipped(string family)
    {
        float[] bad = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.MaxValue];
        using var raw = new RawOutputs(DetectorGolden.CreateHead(family), 96, 64);
        using var faces = new CandidateList(2048);
        for (int output = 0; output < raw.Count; output++)
        {
            foreach (float value in bad)
            {
                FillScores(raw, 0.9f);
                FillOthers(raw, 0.5f);
                raw.Decode(0.5f, faces);
                int usual = faces.Count;
                faces.Clear();

                // One row of this tensor, and every value of the row: exp(−∞) = 0 empties the box as well.
                int row = raw[output].Length / Rows(raw, output);
                raw[output][..row].Fill(value);
                raw.Decode(0.5f, faces);

                bool isScore = IsScore(raw, output);
                // The largest float is a finite score, which the clamp takes for 1.
                Assert.Equal(isScore && value == float.MaxValue ? usual : usual - 1, faces.Count);
                AssertSane(faces);
                faces.Clear();
            }
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_RandomOutputs_GivesFiniteBoxes(string family)
    {
        IDetectorHead head = DetectorGolden.CreateHead(family);
        var random = new Random(17);
        using var faces = new CandidateList(300);
        for (int run = 0; run < 60; run++)
        {
            int width = 32 * random.Next(1, 8);
            int height = 32 * random.Next(1, 8);
            using var raw = new RawOutputs(head, width, height);
            for (int i = 0; i < raw.Count; i++)
            {
                foreach (ref float value in raw[i])
                {
                    value = (run % 3) switch
                    {
                        0 => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)), // any bits
                        1 => (random.NextSingle() * 400) - 200, // overflows exp
                        _ => (random.NextSingle() * 4) - 1,
                    };
                }
            }

            raw.Decode(run % 4 * 0.3f, faces);

            AssertSane(faces);
            NonMaximumSuppression.Blend(faces, 0.35f);
            AssertSane(faces);
            NonMaximumSuppression.Greedy(faces, 0.4f);
            NonMaximumSuppression.DropNested(faces, 0.7f);
            AssertSane(faces);
            faces.Clear();
        }
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_GridOrOutputsDoNotFit_Throws(string family)
    {
        IDetectorHead head = DetectorGolden.CreateHead(family);
        using var raw = new RawOutputs(head, 96, 64);
        using var faces = new CandidateList(16);

        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, 100, 64));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, 96, 0));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, -32, 64));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, 128, 64));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, 96, 64, shortenLastBy: 1));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(0.5f, faces, 96, 64, outputs: raw.Count - 1));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(float.NaN, faces));
        Assert.ThrowsAny<ArgumentException>(() => raw.Decode(1.5f, faces));
        Assert.ThrowsAny<ArgumentException>(() => head.OutputLength(0, 100, 64));
        Assert.ThrowsAny<ArgumentException>(() => head.OutputLength(raw.Count, 96, 64));
        Assert.ThrowsAny<ArgumentException>(() => head.OutputLength(-1, 96, 64));
        Assert.Equal(0, faces.Count);
    }

    [Theory, MemberData(nameof(Families))]
    public void Decode_Repeated_AllocatesNothing(string family)
    {
        using var raw = new RawOutputs(DetectorGolden.CreateHead(family), 96, 64);
        using var faces = new CandidateList(2048);
        FillScores(raw, 0.9f);
        FillOthers(raw, 0.5f);
        raw.Decode(0.5f, faces);
        NonMaximumSuppression.Blend(faces, 0.35f);
        faces.Clear();

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 20; i++)
        {
            raw.Decode(0.5f, faces);
            NonMaximumSuppression.Blend(faces, 0.35f);
            NonMaximumSuppression.Greedy(faces, 0.35f);
            NonMaximumSuppression.DropNested(faces, 0.7f);
            faces.Clear();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void OutputLength_UltraFaceTrainedGrid_HasPublishedPriors()
    {
        var head = new UltraFaceHead();

        Assert.Equal(2 * 4420, head.OutputLength(0, 320, 240));
        Assert.Equal(4 * 4420, head.OutputLength(1, 320, 240));
    }

    [Fact]
    public void OutputNames_GivenByManifest_AreTaken()
    {
        Assert.Equal(["loc", "conf", "iou"], new RetinaFaceHead("loc", "conf", "iou").OutputNames);
        string[] numbered = ["443", "468", "493", "446", "471", "496", "449", "474", "499"];
        Assert.Equal(numbered, new ScrfdHead(numbered).OutputNames);
        Assert.Throws<ArgumentException>(() => new ScrfdHead(["443"]));
    }

    private static void Fill(Span<float> tensor, Lcg random, double low, double high)
    {
        foreach (ref float value in tensor)
            value = random.Next(low, high);
    }

    private static bool IsScore(RawOutputs raw, int output) =>
        raw.Head.OutputNames[output] is string name
        && (name is "scores" or "conf" || name.StartsWith("cls", StringComparison.Ordinal)
            || name.StartsWith("obj", StringComparison.Ordinal) || name.StartsWith("score_", StringComparison.Ordinal));

    private static void FillScores(RawOutputs raw, float score)
    {
        for (int i = 0; i < raw.Count; i++)
        {
            if (IsScore(raw, i))
                raw[i].Fill(score);
        }
    }

    private static void FillOthers(RawOutputs raw, float value)
    {
        for (int i = 0; i < raw.Count; i++)
        {
            if (!IsScore(raw, i))
                raw[i].Fill(value);
        }
    }

    // Rows of the whole head, or of one of its outputs.
    private static int Rows(RawOutputs raw, int output = -1)
    {
        int rows = 0;
        for (int i = 0; i < raw.Count; i++)
        {
            if (output >= 0 && i != output)
                continue;
            string name = raw.Head.OutputNames[i];
            if (name is "scores" or "conf")
                rows += raw[i].Length / 2;
            else if (name.StartsWith("cls", StringComparison.Ordinal) || name.StartsWith("score_", StringComparison.Ordinal))
                rows += raw[i].Length;
            else if (output >= 0)
                rows += raw[i].Length / (name.StartsWith("kps", StringComparison.Ordinal) || name == "landms" ? 10 : name.StartsWith("obj", StringComparison.Ordinal) ? 1 : 4);
        }
        return rows;
    }

    private static void AssertSane(CandidateList faces)
    {
        foreach (ref FaceCandidate face in faces.Items)
        {
            Assert.InRange(face.Score, 0, 1);
            Assert.True(float.IsFinite(face.Box.Left) && float.IsFinite(face.Box.Top));
            Assert.True(face.Box.Width > 0 && face.Box.Height > 0 && float.IsFinite(face.Box.Area));
            foreach (float coordinate in DetectorGolden.Coordinates(ref face))
                Assert.True(float.IsFinite(coordinate));
        }
    }
}
