using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using LfrEngine.Records.Zones;

namespace LfrEngine.Web.Tests.Zones;

/// <summary>The zone planner against a pinhole camera that projects both eyes.</summary>
public sealed class ZonePlanTests
{
    // 1,000 pixels of focal length: half of the picture's width at a distance is half the distance.
    private static readonly ZoneCamera Level = new(1.7, 0, 2 * 180 / Math.PI * Math.Atan(0.5), 1000, 1000, 1000);

    [Fact]
    public void Plan_LevelCamera_IsTheTrianglePartThatSimilarTrianglesGive()
    {
        var plan = new ZonePlan(Level, 10);

        // 63 mm are 10 pixels at 1000 · 0.063 / 10 = 6.3 m, where the picture is 6.3 m wide.
        Assert.Equal(1000, Level.FocalPixels, 1e-9);
        Assert.Equal(6.3, plan.Compared.Max(p => p.Ahead), 1e-9);
        Assert.Equal(3.15, plan.Compared.Max(p => p.Aside), 1e-9);
        Assert.Equal(((6.3 * 6.3) - (0.1 * 0.1)) / 2, ZonePlan.Area(plan.Compared), 1e-9);
        // The lowest and the highest head, 0.2 m from the axis, are in the picture from 0.4 m.
        Assert.Equal(((6.3 * 6.3) - (0.4 * 0.4)) / 2, ZonePlan.Area(plan.Found), 1e-9);
        Assert.Equal(10, plan.InterEyePixels(new GroundPoint(1, 6.3), 1.6), 1e-9);
    }

    [Fact]
    public void Plan_CoarseGrid_FindsFacesNearerThanTheyAreCompared()
    {
        var plan = new ZonePlan(Level with { Grid = 500 }, 10);

        // 20 pixels of grid are 40 of the picture, the eyes 0.45 of it apart: 18 pixels, 3.5 m.
        Assert.Equal(18, plan.FoundPixels, 1e-9);
        Assert.Equal(3.5, plan.Found.Max(p => p.Ahead), 1e-9);
        Assert.Equal(6.3, plan.Compared.Max(p => p.Ahead), 1e-9);
    }

    [Fact]
    public void FieldOfView_LensAndSensor_AreThoseOfTheDataSheet() =>
        // 1/1.8" (7.2 mm wide), 25 mm: 2 atan(3.6 / 25) = 16.39°.
        Assert.Equal(16.39, ZoneCamera.FieldOfView(25, 7.2), 0.005);

    [Theory]
    [InlineData(5, 0, BoardVerdict.Inside, 0)]
    [InlineData(6.2, 3.0, BoardVerdict.Inside, 0)]
    [InlineData(7, 0, BoardVerdict.Close, 0.7)]
    [InlineData(12, 0, BoardVerdict.Outside, 5.7)]
    [InlineData(-4, 0, BoardVerdict.Outside, 4.1)]
    [InlineData(6.3, 7.15, BoardVerdict.Outside, 4)]
    public void Judge_Board_HasTheMeasuredDistance(double ahead, double aside, BoardVerdict verdict, double distance)
    {
        var plan = new ZonePlan(Level, 10);

        Assert.Equal(verdict, plan.Judge(new GroundPoint(aside, ahead)));
        Assert.Equal(distance, plan.DistanceTo(new GroundPoint(aside, ahead)), 1e-9);
    }

    [Fact]
    public void Plan_LooksAtTheSky_IsEmptyAndHasNoBoardInside()
    {
        var plan = new ZonePlan(Level with { HeightMetres = 5, TiltDegrees = -30, FieldOfViewDegrees = 10 }, 10);

        Assert.Empty(plan.Compared);
        Assert.Empty(plan.Found);
        Assert.Equal(BoardVerdict.Outside, plan.Judge(new GroundPoint(0, 3)));
        Assert.True(double.IsNaN(plan.SteepestDegrees));
    }

    [Theory]
    [InlineData(double.NaN, 10, 60)]
    [InlineData(3, 91, 60)]
    [InlineData(3, 10, 0)]
    public void Plan_ValuesThatMakeNoSense_AreNamed(double height, double tilt, double angle) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ZonePlan(new ZoneCamera(height, tilt, angle, 1920, 1080, 640), 10));

    [Fact]
    public void Plan_AnyCameraAndPlace_AgreesWithThePinhole()
    {
        int inCompared = 0, inFound = 0;
        Prop.ForAll(Gen.Choose(0, int.MaxValue).ToArbitrary(), seed => Agrees(seed, ref inCompared, ref inFound)).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

        // Not a test of places that lie outside of everything.
        Assert.InRange(inCompared, 100, 1900);
        Assert.InRange(inFound, 30, 1900);
    }

    private static bool Agrees(int seed, ref int inCompared, ref int inFound)
    {
        var random = new Random(seed);
        double Between(double low, double high) => low + ((high - low) * random.NextDouble());
        var camera = new ZoneCamera(Between(0.5, 8), Between(-20, 80), Between(5, 120), random.Next(320, 4000), random.Next(240, 3000), random.Next(320, 2000));
        var plan = new ZonePlan(camera, Between(5, 40));
        // A third anywhere, the others about the areas, most of which are small.
        IReadOnlyList<GroundPoint> about = random.Next(3) switch { 0 => plan.Compared, 1 => plan.Found, _ => [] };
        GroundPoint place = about.Count == 0 ? new GroundPoint(Between(-10, 10), Between(-5, 40))
            : new GroundPoint(1.3 * Between(about.Min(p => p.Aside), about.Max(p => p.Aside)), Between(about.Min(p => p.Ahead) - 0.3, about.Max(p => p.Ahead) + 0.3));

        bool compared = Inside(plan.Compared, place), found = Inside(plan.Found, place);
        // At an edge rounding decides; a place counts when a step in no direction leads across.
        if (Around(place).Any(p => Inside(plan.Compared, p) != compared || Inside(plan.Found, p) != found))
            return true;
        bool some = false, every = true;
        const int Heads = 2000;
        for (int i = 0; i <= Heads; i++)
        {
            double eyes = Eyes(camera, place, ZonePlan.LowestHead + ((ZonePlan.HighestHead - ZonePlan.LowestHead) * i / Heads));
            some |= eyes >= plan.ComparedPixels;
            every &= eyes >= plan.FoundPixels;
        }
        inCompared += compared ? 1 : 0;
        inFound += found ? 1 : 0;
        return compared == some && found == every && (!found || compared);
    }

    // Pixels between the eyes, or 0 outside the picture: the world turned by the tilt, then divided by the depth.
    private static double Eyes(ZoneCamera camera, GroundPoint at, double head)
    {
        Complex turned = new Complex(at.Ahead, head - camera.HeightMetres) * Complex.FromPolarCoordinates(1, camera.TiltDegrees * Math.PI / 180);
        (double depth, double up) = (turned.Real, turned.Imaginary);
        if (depth < 0.1)
            return 0;
        double focal = camera.Width / (2 * Math.Tan(camera.FieldOfViewDegrees * Math.PI / 360));
        (double X, double Y) Project(double aside) => ((focal * aside / depth) + (camera.Width / 2.0), (camera.Height / 2.0) - (focal * up / depth));
        (double x, double y) = Project(at.Aside);
        return x >= 0 && x <= camera.Width && y >= 0 && y <= camera.Height ? Project(at.Aside + 0.0315).X - Project(at.Aside - 0.0315).X : 0;
    }

    private static IEnumerable<GroundPoint> Around(GroundPoint p)
    {
        const double Step = 0.02;
        return [p with { Ahead = p.Ahead + Step }, p with { Ahead = p.Ahead - Step }, p with { Aside = p.Aside + Step }, p with { Aside = p.Aside - Step }];
    }

    private static bool Inside(IReadOnlyList<GroundPoint> corners, GroundPoint p) => corners.Count > 0 && Enumerable.Range(0, corners.Count).All(i =>
    {
        (GroundPoint a, GroundPoint b) = (corners[i], corners[(i + 1) % corners.Count]);
        return ((b.Aside - a.Aside) * (p.Ahead - a.Ahead)) - ((b.Ahead - a.Ahead) * (p.Aside - a.Aside)) >= 0;
    });
}
