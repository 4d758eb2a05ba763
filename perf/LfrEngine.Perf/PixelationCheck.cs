using System.Globalization;
using System.Numerics.Tensors;
using LfrEngine.Alignment;
using LfrEngine.Detection;
using LfrEngine.Embeddings;
using LfrEngine.Frames;
using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using LfrEngine.Quality;
using LfrEngine.Tracking;

namespace LfrEngine.Perf;

/// <summary>Does pixelation hold? What the engine's own networks still find and know in live pictures with people, and what a picture costs.</summary>
/// <remarks>
/// Two kinds of video. <c>--people FOLDER</c>: photos of known people, one folder each, walk over the median of the first clip, four at a time, from far to near; every
/// picture is another moment. The clips: each is watched by several cameras, which show different parts of it in different sizes, and learn the scene for
/// two minutes from that part, people included, played in a loop. With <c>--undetected</c> the live view is told of no face, so that only the scene decides: as if the
/// detector were blind. Counted are faces that the engine would compare and know in a plain picture. Times are processor time.
/// </remarks>
internal static class PixelationCheck
{
    private const float Threshold = 0.48f;
    private const int LargestHidden = 12;
    private const int MedianFrames = 31;
    private const int LearnMs = 120_000, LookMs = 250, PictureMs = 200;

    public static int Run(string[] arguments)
    {
        int pictures = int.MaxValue, cameras = 12;
        bool undetected = false;
        string? people = null;
        var clips = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--pictures")
                pictures = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
            else if (arguments[i] == "--cameras")
                cameras = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
            else if (arguments[i] == "--people")
                people = arguments[++i];
            else if (arguments[i] == "--undetected")
                undetected = true;
            else
                clips.Add(arguments[i]);
        }
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using var check = new Check(models, undetected);
        if (people is not null)
        {
            check.Walk(people, clips[0], pictures);
            return 0;
        }
        foreach (string clip in clips)
            check.Watch(clip, cameras);
        return 0;
    }

    /// <summary>A face that is in a frame: where, and whose.</summary>
    private sealed record Face(Landmarks5 Points, float Width, HostBuffer<float> Own) : IDisposable
    {
        public Face Moved(float left, float top, float scale)
        {
            PointF At(PointF p) => new((p.X - left) * scale, (p.Y - top) * scale);
            return this with { Points = new Landmarks5(At(Points.LeftEye), At(Points.RightEye), At(Points.Nose), At(Points.LeftMouth), At(Points.RightMouth)), Width = Width * scale };
        }

        public void Dispose() => Own.Dispose();
    }

    /// <summary>One camera: a part of a clip, and its live view.</summary>
    private sealed class Camera : IDisposable
    {
        public Camera(FaceBox part, int width, int height)
        {
            (Part, Frame, Live) = (part, new Picture(width, height), new LiveView(Time));
            // Somebody watches.
            Live.TakeJpeg(out _)?.Dispose();
        }

        public FaceBox Part { get; }

        public Picture Frame { get; }

        public Clock Time { get; } = new();

        public LiveView Live { get; }

        public FaceTracker Tracker { get; } = new(new TrackerSettings());

        public void Learn(int milliseconds)
        {
            Time.Us += milliseconds * 1000L;
            Live.Offer(Frame.View, Time.Us, [], Tracker);
        }

        public void Dispose()
        {
            Live.Dispose();
            Frame.Dispose();
        }
    }

    private sealed class Check(EngineModels models, bool undetected) : IDisposable
    {
        private readonly FaceDetector detector = new(models.Detector, new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore });
        private readonly FaceDetector fine = new(models.Detector, new DetectorSettings { GridLongSide = 1280 });
        private readonly FaceDetector closely = new(models.Detector, new DetectorSettings { GridLongSide = 320 });
        private readonly FaceDetector small = new(models.Detector, new DetectorSettings());
        private readonly FaceVerifier? verifier = models.CreateVerifier();
        private readonly LandmarkFinder landmarks = new(models.Landmarks);
        private readonly Embedder embedder = new(models.Embedder);
        private readonly BestShotPolicy policy = new();
        private readonly CandidateList found = new(512);
        private readonly CandidateList seen = new(512);
        private readonly string file = Path.GetTempFileName();
        private double painting;
        private long pictures, faces, knownHidden, proposed, confirmed, matched;
        private float best = -1;

        public void Dispose()
        {
            detector.Dispose();
            fine.Dispose();
            closely.Dispose();
            small.Dispose();
            verifier?.Dispose();
            landmarks.Dispose();
            embedder.Dispose();
            found.Dispose();
            seen.Dispose();
            File.Delete(file);
        }

        /// <summary>Photos of people over a still street.</summary>
        public unsafe void Walk(string folder, string clip, int most)
        {
            const int Width = 960, Height = 540, AtOnce = 4, Moments = 40;
            using Picture street = Median(clip);
            using Camera camera = new Camera(new FaceBox(0, 0, Width, Height), Width, Height);
            camera.Frame.Paint(street.View, new FaceBox(0, 0, street.Width, street.Height), 0, Width);
            using Picture empty = camera.Frame.Copy();
            for (int at = 0; at <= EmptyScene.LearnMs + 1000; at += LookMs)
                camera.Learn(LookMs);
            var random = new Random(17);
            string[] photos = [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal).Select(d => Directory.GetFiles(d).Order(StringComparer.Ordinal).First())];
            random.Shuffle(photos);
            var group = new List<(Picture Photo, Face Face, float Size, float Phase)>();
            for (int next = 0; next < photos.Length && pictures < most;)
            {
                while (group.Count < AtOnce && next < photos.Length)
                {
                    if (Read(photos[next++]) is not { } photo)
                        continue;
                    List<Face> there = FacesIn(photo.View);
                    if (there.Count == 1)
                        group.Add((photo, there[0], 60 + (random.NextSingle() * 200), random.NextSingle() * 6));
                    else
                        photo.Dispose();
                    if (there.Count > 1)
                        there.ForEach(f => f.Dispose());
                }
                for (int moment = 0; moment < Moments && pictures < most; moment++)
                {
                    new Span<byte>(empty.View.Y, 3 * Width * Height).CopyTo(new Span<byte>(camera.Frame.View.Y, 3 * Width * Height));
                    var shown = new List<Face>();
                    for (int i = 0; i < group.Count; i++)
                    {
                        // Half as large again at the end of the walk, and swaying as a walking head does.
                        int side = (int)(group[i].Size * (1 + (0.5f * moment / Moments)));
                        float column = (float)Width / AtOnce;
                        int left = (int)((i * column) + ((column - side) / 2) + (column * 0.3f * MathF.Sin(group[i].Phase + (moment * 0.15f))));
                        int top = (int)((Height * 0.12f) + (Height * 0.3f * moment / Moments) + (6 * MathF.Sin(moment * 1.1f)));
                        Paste(group[i].Photo, camera.Frame, left, top, side);
                        shown.Add(group[i].Face.Moved(-left * group[i].Photo.Width / (float)side, -top * group[i].Photo.Height / (float)side, side / (float)group[i].Photo.Width));
                    }
                    Show(camera, [.. shown.Where((f, i) => shown.Skip(i + 1).All(later => !Hides(later, f)))]);
                }
                group.ForEach(g => g.Photo.Dispose());
                group.ForEach(g => g.Face.Dispose());
                group.Clear();
            }
            Tell("people");
        }

        /// <summary>A clip, seen by several cameras.</summary>
        public void Watch(string clip, int count)
        {
            var cameras = new List<Camera>();
            long lookAt = 0;
            for (long ms = 0; ms < LearnMs;)
            {
                using MediaReader reader = MediaReader.Open(clip);
                while (ms < LearnMs && reader.Read(out MediaFrame? frame) == DecodeResult.Frame)
                {
                    using (frame)
                    {
                        ms += 1000 / 15;
                        if (cameras.Count == 0)
                            cameras.AddRange(Parts(frame!.Info.Width, frame.Info.Height, count));
                        if (ms < lookAt)
                            continue;
                        lookAt += LookMs;
                        foreach (Camera camera in cameras)
                        {
                            camera.Frame.Paint(FrameLease.ViewOf(frame!), camera.Part, 0, camera.Frame.Width);
                            camera.Learn(LookMs);
                        }
                    }
                }
            }
            using (MediaReader reader = MediaReader.Open(clip))
            {
                while (reader.Read(out MediaFrame? frame) == DecodeResult.Frame)
                {
                    using (frame)
                    {
                        FrameView view = FrameLease.ViewOf(frame!);
                        List<Face> there = FacesIn(view);
                        foreach (Camera camera in cameras)
                        {
                            FaceBox part = camera.Part;
                            camera.Frame.Paint(view, part, 0, camera.Frame.Width);
                            Show(camera, [.. there.Where(f => part.Left < f.Points.Nose.X - f.Width && f.Points.Nose.X + f.Width < part.Right && part.Top < f.Points.Nose.Y - f.Width && f.Points.Nose.Y + f.Width < part.Bottom)
                                .Select(f => f.Moved(part.Left, part.Top, camera.Frame.Width / part.Width))]);
                        }
                        there.ForEach(f => f.Dispose());
                    }
                }
            }
            cameras.ForEach(c => c.Dispose());
            Tell(Path.GetFileName(clip));
        }

        // The whole, and then parts down to a third of it, in pictures 480 to 1280 pixels wide.
        private static IEnumerable<Camera> Parts(int width, int height, int count)
        {
            var random = new Random(17);
            for (int i = 0; i < count; i++)
            {
                float share = i == 0 ? 1 : 0.33f + (0.67f * random.NextSingle()), left = random.NextSingle() * (1 - share) * width, top = random.NextSingle() * (1 - share) * height;
                int across = (480 + random.Next(800)) / 16 * 16;
                yield return new Camera(new FaceBox(left, top, left + (share * width), top + (share * height)), across, across * height / width);
            }
        }

        private void Show(Camera camera, Face[] there)
        {
            FrameView view = camera.Frame.View;
            camera.Time.Us += PictureMs * 1000L;
            camera.Live.TakeJpeg(out _)?.Dispose();
            found.Clear();
            if (!undetected)
                detector.Detect(view, found);
            camera.Tracker.Update(found.Items, camera.Time.Us, view.Width, view.Height);
            long before = camera.Live.Pictures;
            double began = ThreadClock.Milliseconds;
            camera.Live.Offer(view, camera.Time.Us, found.Items, camera.Tracker);
            painting += ThreadClock.Milliseconds - began;
            if (camera.Live.Pictures == before)
                return;
            using (HostBuffer<byte> jpeg = camera.Live.TakeJpeg(out int size)!)
                File.WriteAllBytes(file, jpeg.Span[..size]);
            using MediaReader still = MediaReader.Open(file);
            if (still.Read(out MediaFrame? picture) != DecodeResult.Frame)
                throw new InvalidOperationException("The picture cannot be read.");
            using (picture)
                Compare(FrameLease.ViewOf(picture!), view, there);
            if (++pictures % 500 == 0)
                Tell("…");
        }

        private void Compare(in FrameView hidden, in FrameView frame, Face[] there)
        {
            float scale = (float)hidden.Width / frame.Width;
            using var plain = new Picture(hidden.Width, hidden.Height);
            plain.Paint(frame, new FaceBox(0, 0, frame.Width, frame.Height), 0, plain.Width);
            small.Detect(hidden, seen);
            var known = new List<Face>();
            foreach (Face face in there)
            {
                Face here = face.Moved(0, 0, scale);
                if (here.Width <= LargestHidden)
                    continue;
                using HostBuffer<float>? asPlain = Embed(plain.View, here.Points);
                if (asPlain is null || Score(face, asPlain) < Threshold)
                    continue;
                faces++;
                known.Add(face);
                using HostBuffer<float> asHidden = Embed(hidden, here.Points)!;
                float score = Score(face, asHidden);
                best = Math.Max(best, score);
                if (score < Threshold)
                    continue;
                knownHidden++;
                Console.WriteLine(FormattableString.Invariant($"picture {pictures}: a face {here.Width:0} px wide at {here.Points.Nose.X:0},{here.Points.Nose.Y:0} is known, score {score:0.000}"));
            }
            foreach (FaceCandidate face in seen.Items)
            {
                if (face.Box.Width <= LargestHidden)
                    continue;
                proposed++;
                confirmed += IsConfirmed(hidden, face) ? 1 : 0;
                using HostBuffer<float>? guess = Embed(hidden, landmarks.Find(hidden, face.Box).Points);
                matched += guess is not null && known.Any(k => Score(k, guess) >= Threshold) ? 1 : 0;
            }
        }

        // On a fine grid the detector takes sleeves and shadows for faces as well. Those are not found again at a face's own scale, and the engine would not compare them.
        private List<Face> FacesIn(in FrameView view)
        {
            var there = new List<Face>();
            fine.Detect(view, found);
            foreach (FaceCandidate face in found.Items)
            {
                if (!IsConfirmed(view, face) || !IsSeenAgain(view, face.Box))
                    continue;
                FaceLandmarks look = landmarks.Find(view, face.Box);
                if (!AlignmentTransform.TryEstimate(look.Points, out AlignmentTransform alignment) || !IsComparable(view, look, alignment, face.Score))
                    continue;
                there.Add(new Face(look.Points, face.Box.Width, Embed(view, look.Points)!));
            }
            return there;
        }

        private bool IsConfirmed(in FrameView view, in FaceCandidate face) =>
            verifier is null || verifier.WeighAgainst(view, face, policy.MinimumEvidence) >= policy.MinimumEvidence;

        private bool IsSeenAgain(in FrameView view, in FaceBox box)
        {
            const int Side = 320;
            float half = Math.Max(box.Width, box.Height) * 1.5f, x = (box.Left + box.Right) / 2, y = (box.Top + box.Bottom) / 2, scale = Side / (2 * half);
            using var closeUp = new Picture(Side, Side);
            closeUp.Paint(view, new FaceBox(x - half, y - half, x + half, y + half), 0, Side);
            closely.Detect(closeUp.View, seen);
            var expected = new FaceBox((box.Left - x + half) * scale, (box.Top - y + half) * scale, (box.Right - x + half) * scale, (box.Bottom - y + half) * scale);
            foreach (FaceCandidate again in seen.Items)
            {
                if (again.Box.IoU(expected) >= 0.4f)
                    return true;
            }
            return false;
        }

        private unsafe bool IsComparable(in FrameView view, in FaceLandmarks look, in AlignmentTransform alignment, float score)
        {
            using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
            FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
            return policy.IsComparable(QualityAssessor.Assess(look, alignment, crop.Pointer, embedder.Input, score));
        }

        private unsafe HostBuffer<float>? Embed(in FrameView view, in Landmarks5 points)
        {
            if (!AlignmentTransform.TryEstimate(points, out AlignmentTransform alignment))
                return null;
            using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
            FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
            HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
            Span<float> norm = stackalloc float[1];
            embedder.Embed([crop], embedding.Span, norm);
            return embedding;
        }

        private static float Score(Face face, HostBuffer<float> other) => TensorPrimitives.Dot<float>(face.Own.Span, other.Span);

        private static bool Hides(Face near, Face far) =>
            Math.Abs(near.Points.Nose.X - far.Points.Nose.X) < near.Width + far.Width && Math.Abs(near.Points.Nose.Y - far.Points.Nose.Y) < near.Width + far.Width;

        private static Picture? Read(string photo)
        {
            using MediaReader reader = MediaReader.Open(photo);
            if (reader.Read(out MediaFrame? frame) != DecodeResult.Frame)
                return null;
            using (frame)
            {
                var picture = new Picture(frame!.Info.Width, frame.Info.Height);
                picture.Paint(FrameLease.ViewOf(frame), new FaceBox(0, 0, picture.Width, picture.Height), 0, picture.Width);
                return picture;
            }
        }

        // The head only, so that the street behind it is right beside the cheek.
        private static unsafe void Paste(Picture photo, Picture into, int left, int top, int side)
        {
            using var head = new Picture(side, side);
            head.Paint(photo.View, new FaceBox(0, 0, photo.Width, photo.Height), 0, side);
            for (int y = Math.Max(0, top); y < Math.Min(into.Height, top + side); y++)
            {
                for (int x = Math.Max(0, left); x < Math.Min(into.Width, left + side); x++)
                {
                    float across = (((x - left) / (float)side) - 0.5f) / 0.3f, down = (((y - top) / (float)side) - 0.5f) / 0.42f;
                    if ((across * across) + (down * down) > 1)
                        continue;
                    for (int plane = 0; plane < 3; plane++)
                        into.View.Y[(((plane * into.Height) + y) * into.Width) + x] = head.View.Y[(((plane * side) + y - top) * side) + x - left];
                }
            }
        }

        private void Tell(string of) => Console.WriteLine(FormattableString.Invariant(
            $"{of}: so far {pictures} pictures, {faces} faces known in plain pictures of this size, {knownHidden} when pixelated (best score {best:0.000}); in the pixelated pictures the detector proposes {proposed} faces wider than {LargestHidden} px, the verifiers agree to {confirmed}, the embedder knows {matched}; a picture {painting / Math.Max(1, pictures):0.00} ms"));

        private static unsafe Picture Median(string clip)
        {
            var taken = new List<Picture>();
            using MediaReader reader = MediaReader.Open(clip);
            for (int number = 0; taken.Count < MedianFrames && reader.Read(out MediaFrame? frame) == DecodeResult.Frame; number++)
            {
                using (frame)
                {
                    if (number % 3 != 0)
                        continue;
                    FrameView view = FrameLease.ViewOf(frame!);
                    var picture = new Picture(LiveView.LargestWidth, view.Height * LiveView.LargestWidth / view.Width);
                    picture.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, picture.Width);
                    taken.Add(picture);
                }
            }
            var values = new byte[taken.Count];
            byte* into = taken[0].View.Y;
            for (int i = 0; i < 3 * taken[0].Width * taken[0].Height; i++)
            {
                for (int p = 0; p < values.Length; p++)
                    values[p] = taken[p].View.Y[i];
                Array.Sort(values);
                into[i] = values[values.Length / 2];
            }
            taken[1..].ForEach(p => p.Dispose());
            return taken[0];
        }
    }

    private sealed class Clock : TimeProvider
    {
        public long Us { get; set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Us + 1;
    }
}
