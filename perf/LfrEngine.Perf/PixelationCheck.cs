using System.Diagnostics;
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
using LfrEngine.Tracking;

namespace LfrEngine.Perf;

/// <summary>Does pixelation hold? Over clips with people: what the engine's own networks still find and know in the live pictures, and what a picture costs.</summary>
/// <remarks>
/// The empty scene of a clip is taken to be the median of its frames, and is shown to the camera first, as an empty street would be. With <c>--undetected</c> nothing is
/// said about faces, so that only the scene decides: as if the detector were blind.
/// </remarks>
internal static class PixelationCheck
{
    private const float Threshold = 0.48f;
    private const int LargestHidden = 12;
    private const int MedianFrames = 31;
    private const int FrameUs = 40_000;

    public static int Run(string[] arguments)
    {
        int most = int.MaxValue;
        bool undetected = false;
        var clips = new List<string>();
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i] == "--frames")
                most = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
            else if (arguments[i] == "--undetected")
                undetected = true;
            else
                clips.Add(arguments[i]);
        }
        using EngineModels models = EngineModels.Load(ModelCatalog.Default);
        using var check = new Check(models, undetected);
        foreach (string clip in clips)
            check.Look(clip, most);
        check.Tell("all");
        return 0;
    }

    private sealed class Check(EngineModels models, bool undetected) : IDisposable
    {
        private readonly FaceDetector detector = new(models.Detector, new DetectorSettings { MinimumScore = new TrackerSettings().ContinueScore });
        private readonly FaceDetector fine = new(models.Detector, new DetectorSettings { GridLongSide = 1280 });
        private readonly FaceDetector small = new(models.Detector, new DetectorSettings());
        private readonly FaceVerifier? verifier = models.CreateVerifier();
        private readonly LandmarkFinder landmarks = new(models.Landmarks);
        private readonly Embedder embedder = new(models.Embedder);
        private readonly CandidateList found = new(512);
        private readonly CandidateList seen = new(512);
        private readonly string file = Path.GetTempFileName();
        private readonly Stopwatch looking = new(), painting = new();
        private long frames, faces, knownPlain, knownHidden, proposed, confirmed, matched, looks;
        private double different;
        private float best = -1;

        public void Dispose()
        {
            detector.Dispose();
            fine.Dispose();
            small.Dispose();
            verifier?.Dispose();
            landmarks.Dispose();
            embedder.Dispose();
            found.Dispose();
            seen.Dispose();
            File.Delete(file);
        }

        public void Look(string clip, int most)
        {
            var time = new Clock();
            using var live = new LiveView(time);
            using var scene = new EmptyScene();
            var tracker = new FaceTracker(new TrackerSettings());
            live.TakeJpeg(out _)?.Dispose();
            long us = 0;
            using (Picture empty = Median(clip))
            {
                for (; us <= (EmptyScene.LearnMs + 1000) * 1000L; us += 250_000)
                {
                    live.Offer(empty.View, us, [], tracker);
                    scene.Look(empty.View, us);
                }
            }
            using MediaReader reader = MediaReader.Open(clip);
            for (int number = 0; number < most && reader.Read(out MediaFrame? frame) == DecodeResult.Frame; number++)
            {
                using (frame)
                {
                    FrameView view = FrameLease.ViewOf(frame!);
                    us += FrameUs;
                    time.Us += 200_000;
                    live.TakeJpeg(out _)?.Dispose();
                    detector.Detect(view, found);
                    tracker.Update(undetected ? [] : found.Items, us, view.Width, view.Height);
                    looking.Start();
                    scene.Look(view, us);
                    looking.Stop();
                    looks++;
                    different += scene.Different;
                    long before = live.Pictures;
                    painting.Start();
                    live.Offer(view, us, undetected ? [] : found.Items, tracker);
                    painting.Stop();
                    if (live.Pictures == before)
                        continue;
                    using HostBuffer<byte> jpeg = live.TakeJpeg(out int size)!;
                    File.WriteAllBytes(file, jpeg.Span[..size]);
                    using MediaReader still = MediaReader.Open(file);
                    if (still.Read(out MediaFrame? picture) != DecodeResult.Frame)
                        throw new InvalidOperationException("The picture cannot be read.");
                    using (picture)
                        Compare(view, FrameLease.ViewOf(picture!));
                }
            }
            Tell(Path.GetFileName(clip));
        }

        public void Tell(string of) => Console.WriteLine(FormattableString.Invariant(
            $"{of}: so far {frames} pictures, {100 * different / Math.Max(1, looks):0} % of the cells differ; {faces} faces that can be compared in the frames, {knownPlain} known in pictures of this size, {knownHidden} when pixelated (best score {best:0.000}); in the pixelated pictures the detector proposes {proposed} faces wider than {LargestHidden} px, the verifiers agree to {confirmed}, the embedder knows {matched}; looking at the scene {looking.Elapsed.TotalMilliseconds / Math.Max(1, looks):0.00} ms, a picture {painting.Elapsed.TotalMilliseconds / Math.Max(1, frames):0.00} ms"));

        private void Compare(in FrameView view, in FrameView hidden)
        {
            frames++;
            float scale = (float)hidden.Width / view.Width;
            using var plain = new Picture(hidden.Width, hidden.Height);
            plain.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, plain.Width);
            fine.Detect(view, found);
            small.Detect(hidden, seen);
            var policy = new BestShotPolicy();
            foreach (FaceCandidate face in seen.Items)
            {
                if (face.Box.Width <= LargestHidden)
                    continue;
                proposed++;
                confirmed += verifier is null || verifier.WeighAgainst(hidden, face, policy.MinimumEvidence) >= policy.MinimumEvidence ? 1 : 0;
            }
            foreach (FaceCandidate face in found.Items)
            {
                if (face.Box.Width * scale <= LargestHidden || (verifier is not null && verifier.WeighAgainst(view, face, policy.MinimumEvidence) < policy.MinimumEvidence))
                    continue;
                Landmarks5 points = landmarks.Find(view, face.Box).Points;
                using HostBuffer<float>? own = Embed(view, points, 1), asHidden = Embed(hidden, points, scale), asPlain = Embed(plain.View, points, scale);
                if (own is null || asHidden is null || asPlain is null)
                    continue;
                faces++;
                float score = TensorPrimitives.Dot<float>(own.Span, asHidden.Span);
                best = Math.Max(best, score);
                knownHidden += score >= Threshold ? 1 : 0;
                knownPlain += TensorPrimitives.Dot<float>(own.Span, asPlain.Span) >= Threshold ? 1 : 0;
                foreach (FaceCandidate again in seen.Items)
                {
                    using HostBuffer<float>? guess = Embed(hidden, landmarks.Find(hidden, again.Box).Points, 1);
                    matched += again.Box.Width > LargestHidden && guess is not null && TensorPrimitives.Dot<float>(own.Span, guess.Span) >= Threshold ? 1 : 0;
                }
            }
        }

        private unsafe HostBuffer<float>? Embed(in FrameView view, in Landmarks5 points, float scale)
        {
            PointF At(PointF p) => new(p.X * scale, p.Y * scale);
            if (!AlignmentTransform.TryEstimate(new Landmarks5(At(points.LeftEye), At(points.RightEye), At(points.Nose), At(points.LeftMouth), At(points.RightMouth)), out AlignmentTransform alignment))
                return null;
            using HostBuffer<float> crop = BufferPool.Rent<float>(FaceAligner.CropLength);
            FaceAligner.Align(view, alignment, embedder.Input, crop.Pointer);
            HostBuffer<float> embedding = BufferPool.Rent<float>(embedder.Length);
            Span<float> norm = stackalloc float[1];
            embedder.Embed([crop], embedding.Span, norm);
            return embedding;
        }

        private static unsafe Picture Median(string clip)
        {
            var pictures = new List<Picture>();
            using MediaReader reader = MediaReader.Open(clip);
            for (int number = 0; pictures.Count < MedianFrames && reader.Read(out MediaFrame? frame) == DecodeResult.Frame; number++)
            {
                using (frame)
                {
                    if (number % 3 != 0)
                        continue;
                    FrameView view = FrameLease.ViewOf(frame!);
                    var picture = new Picture(LiveView.LargestWidth, view.Height * LiveView.LargestWidth / view.Width);
                    picture.Paint(view, new FaceBox(0, 0, view.Width, view.Height), 0, picture.Width);
                    pictures.Add(picture);
                }
            }
            var values = new byte[pictures.Count];
            byte* into = pictures[0].View.Y;
            for (int i = 0; i < 3 * pictures[0].Width * pictures[0].Height; i++)
            {
                for (int p = 0; p < values.Length; p++)
                    values[p] = pictures[p].View.Y[i];
                Array.Sort(values);
                into[i] = values[values.Length / 2];
            }
            pictures[1..].ForEach(p => p.Dispose());
            return pictures[0];
        }
    }

    private sealed class Clock : TimeProvider
    {
        public long Us { get; set; }

        public override long TimestampFrequency => 1_000_000;

        public override long GetTimestamp() => Us + 1;
    }
}
