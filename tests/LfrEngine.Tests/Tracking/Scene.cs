using LfrEngine.Detection;
using LfrEngine.Tracking;

namespace LfrEngine.Tests.Tracking;

/// <summary>One simulated face: where it is and how well it can be seen, by time.</summary>
/// <param name="EnterSeconds">First moment in view.</param>
/// <param name="LeaveSeconds">Last moment in view.</param>
/// <param name="Place">Centre x, centre y and height, pixels, at a time in seconds.</param>
internal sealed record Walker(double EnterSeconds, double LeaveSeconds, Func<double, (double X, double Y, double Height)> Place)
{
    /// <summary>Detector score at a time in seconds; below 0 is not detected.</summary>
    public Func<double, float> Score { get; init; } = _ => 0.9f;

    public static Walker Straight(double enter, double leave, double x, double y, double height, double speedX, double speedY = 0, double growth = 0) =>
        new(enter, leave, t => (x + (speedX * (t - enter)), y + (speedY * (t - enter)), height * Math.Exp(growth * (t - enter))));
}

/// <summary>What tracking did with a scene, against the truth.</summary>
/// <param name="Switches">Times a face's confirmed tracklet was another than its last (CLEAR MOT).</param>
/// <param name="Exchanged">Faces whose last confirmed tracklet was not their first.</param>
/// <param name="Tracklets">Confirmed tracklets.</param>
/// <param name="FalseTracklets">Confirmed tracklets that never held a real face.</param>
/// <param name="MixedTracklets">Confirmed tracklets that held more than one real face.</param>
/// <param name="Covered">Share of detected faces that had a confirmed tracklet.</param>
/// <param name="Trace">Every tracklet in every frame, for comparing runs.</param>
internal sealed record SceneReport(int Switches, int Exchanged, int Tracklets, int FalseTracklets, int MixedTracklets, double Covered,
    List<(long Id, int Slot, int Index, FaceBox Box)> Trace);

/// <summary>Simulated walkers before a simulated detector: jitter, misses, dropped frames, false faces, and nearer faces hiding farther ones.</summary>
internal sealed class Scene
{
    public const int Width = 1920;
    public const int Height = 1080;

    public List<Walker> Walkers { get; } = [];
    public int Seed { get; init; } = 1;
    public double Seconds { get; init; } = 5;
    public double FramesPerSecond { get; init; } = 25;
    public double Jitter { get; init; } = 0.03;
    public double MissRate { get; init; }
    public double DropRate { get; init; }
    public double FalseFacesPerFrame { get; init; }
    public double HiddenAtIoU { get; init; } = 0.35;

    public SceneReport Run(TrackerSettings? settings = null)
    {
        var random = new Random(Seed);
        var tracker = new FaceTracker(settings ?? new TrackerSettings());
        var faces = new List<FaceCandidate>();
        var owners = new List<int>();
        var lastTracklet = new Dictionary<int, long>();
        var firstTracklet = new Dictionary<int, long>();
        var held = new Dictionary<long, HashSet<int>>();
        var trace = new List<(long, int, int, FaceBox)>();
        int switches = 0;
        int detected = 0;
        int covered = 0;
        for (int frame = 0; frame < Seconds * FramesPerSecond; frame++)
        {
            double time = frame / FramesPerSecond;
            if (random.NextDouble() < DropRate)
                continue;
            Detect(time, random, faces, owners);
            tracker.Update(faces.ToArray(), (long)Math.Round(time * 1e6), Width, Height);
            foreach (Tracklet tracklet in tracker.Live)
            {
                trace.Add((tracklet.Id, tracklet.Slot, tracklet.DetectionIndex, tracklet.Box));
                if (tracklet.State != TrackletState.Confirmed)
                    continue;
                if (!held.TryGetValue(tracklet.Id, out HashSet<int>? real))
                    held[tracklet.Id] = real = [];
                int owner = tracklet.DetectedNow ? owners[tracklet.DetectionIndex] : -1;
                if (owner < 0)
                    continue;
                real.Add(owner);
                covered++;
                if (lastTracklet.TryGetValue(owner, out long before) && before != tracklet.Id)
                    switches++;
                firstTracklet.TryAdd(owner, tracklet.Id);
                lastTracklet[owner] = tracklet.Id;
            }
            detected += owners.Count(o => o >= 0);
        }
        return new SceneReport(
            switches, firstTracklet.Count(f => lastTracklet[f.Key] != f.Value), held.Count, held.Values.Count(h => h.Count == 0),
            held.Values.Count(h => h.Count > 1), covered / (double)Math.Max(detected, 1), trace);
    }

    private void Detect(double time, Random random, List<FaceCandidate> faces, List<int> owners)
    {
        faces.Clear();
        owners.Clear();
        var boxes = new List<(int Owner, FaceBox Box, float Score)>();
        for (int i = 0; i < Walkers.Count; i++)
        {
            Walker walker = Walkers[i];
            if (time < walker.EnterSeconds || time > walker.LeaveSeconds)
                continue;
            (double x, double y, double height) = walker.Place(time);
            float score = walker.Score(time);
            if (x < 0 || y < 0 || x >= Width || y >= Height || score < 0 || random.NextDouble() < MissRate)
                continue;
            x += Normal(random) * Jitter * height;
            y += Normal(random) * Jitter * height;
            double width = height * 0.78 * (1 + (Normal(random) * Jitter));
            height *= 1 + (Normal(random) * Jitter);
            boxes.Add((i, Box(x, y, width, height), score));
        }
        for (double expected = FalseFacesPerFrame; random.NextDouble() < expected; expected--)
        {
            double height = 25 + (random.NextDouble() * 60);
            boxes.Add((-1, Box(random.NextDouble() * Width, random.NextDouble() * Height, 0.8 * height, height), 0.4f + (0.5f * random.NextSingle())));
        }
        // The taller face is nearer and hides what lies behind it, as suppression of overlapping boxes does too.
        boxes.Sort((a, b) => b.Box.Height.CompareTo(a.Box.Height));
        foreach ((int owner, FaceBox box, float score) in boxes)
        {
            if (faces.Exists(nearer => nearer.Box.IoU(box) > HiddenAtIoU))
                continue;
            faces.Add(new FaceCandidate { Box = box, Score = score });
            owners.Add(owner);
        }
        // Detectors promise no order.
        for (int i = faces.Count - 1; i > 0; i--)
        {
            int j = random.Next(i + 1);
            (faces[i], faces[j]) = (faces[j], faces[i]);
            (owners[i], owners[j]) = (owners[j], owners[i]);
        }
    }

    public static FaceBox Box(double x, double y, double width, double height) =>
        new((float)(x - (width / 2)), (float)(y - (height / 2)), (float)(x + (width / 2)), (float)(y + (height / 2)));

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    /// <summary>A concourse: people at random distances crossing both ways for twenty seconds, heads swaying, pace changing.</summary>
    public static Scene Concourse(int seed, int people, double framesPerSecond = 25, double dropRate = 0, double missRate = 0.08)
    {
        var scene = new Scene
        {
            Seed = seed, Seconds = 20, FramesPerSecond = framesPerSecond, DropRate = dropRate, MissRate = missRate, FalseFacesPerFrame = 0.5, Jitter = 0.04,
        };
        var random = new Random(seed * 7919);
        for (int i = 0; i < people; i++)
        {
            double height = 28 + (70 * random.NextDouble() * random.NextDouble());
            double direction = random.Next(2) == 0 ? 1 : -1;
            double speed = height / 0.24 * (0.9 + (0.8 * random.NextDouble()));
            double enter = random.NextDouble() * 16;
            double y = 250 + (4 * height) + (60 * random.NextDouble());
            double phase = random.NextDouble() * 6;
            double growth = (random.NextDouble() - 0.5) * 0.15;
            double start = direction > 0 ? 5 : Width - 5;
            double dipAt = enter + (3 * random.NextDouble());
            scene.Walkers.Add(new Walker(enter, 20, t =>
            {
                double size = height * Math.Exp(growth * (t - enter));
                double along = (speed * (t - enter)) + (0.3 * height * Math.Sin((1.3 * t) + phase));
                return (start + (direction * along), y + (0.1 * height * Math.Sin((12 * t) + phase)), size);
            })
            { Score = t => t > dipAt && t < dipAt + 0.7 ? 0.4f : 0.85f });
        }
        return scene;
    }
}
