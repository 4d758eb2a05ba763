using LfrEngine.Detection;
using LfrEngine.Evaluation.Simulation;
using LfrEngine.Files;
using LfrEngine.Frames;
using LfrEngine.Lab.Output;
using LfrEngine.Memory;
using LfrEngine.Native.Media;
using LfrEngine.Pipeline;
using Spectre.Console;

namespace LfrEngine.Lab.Commands;

/// <summary><c>lfr-lab simulate DATA</c>: makes videos of passages with ground truth, for laboratories without footage.</summary>
internal static class SimulateCommand
{
    private const int ChipSize = 256;

    // Size of the chip in face sizes: it shows hair, chin and some background.
    private const float ChipFaces = 1.9f;

    public static Command Create()
    {
        var data = new Argument<string>("DATA") { Description = "Stills: folder with one sub-folder per person, or a CSV (file, subject, …)." };
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder for videos, tracks, passages.csv and people.csv.", Required = true };
        var listed = new Option<int>("--listed") { Description = "People on the list; each needs two or more stills.", DefaultValueFactory = _ => 5 }.From(1);
        var others = new Option<int>("--others") { Description = "People who are not on the list.", DefaultValueFactory = _ => 15 }.From(0);
        var cameras = new Option<int>("--cameras") { Description = "Videos; everybody walks past each camera once.", DefaultValueFactory = _ => 1 }.From(1);
        var exclude = new Option<string[]>("--exclude") { Description = "People to leave out.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var seed = new Option<ulong>("--seed") { Description = "Seed of all random choices.", DefaultValueFactory = _ => 1 };
        ModelOptions models = new();
        LockOption locking = new();
        var command = new Command("simulate", "Make videos of passages with ground truth from stills.") { data, output, listed, others, cameras, exclude, seed };
        models.AddTo(command);
        locking.AddTo(command);
        command.SetAction((parsed, stopping) =>
        {
            OutputPlace.RequireFolder(parsed.GetRequiredValue(output).FullName, "--out");
            StandardScreen.HasProduct();
            locking.Require(parsed);
            FaceDataSet set = FaceDataSet.Read(Path.GetFullPath(parsed.GetRequiredValue(data)), parsed.GetValue(exclude)!);
            using EngineModels loaded = models.Load(parsed);
            Run(loaded, set, parsed.GetRequiredValue(output).FullName, parsed.GetValue(listed), parsed.GetValue(others), parsed.GetValue(cameras), parsed.GetValue(seed), stopping);
            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static void Run(EngineModels models, FaceDataSet data, string folder, int listed, int others, int cameras, ulong seed, CancellationToken stopping)
    {
        var random = SeededRandom.For(seed, "people");
        Sample[][] people = [.. data.Samples.GroupBy(s => s.Subject).Select(g => g.ToArray())];
        random.Shuffle<Sample[]>(people);
        Sample[][] several = [.. people.Where(p => p.Length > 1).Take(listed)];
        Sample[][] rest = [.. people.Except(several).Take(others)];
        if (several.Length < listed || rest.Length < others)
            throw new CommandFailure(ExitCode.Input, $"The data contain {new Counted(several.Length):person|people} with two stills and {new Counted(rest.Length):other|others}: too few for --listed {listed} --others {others}.");
        int passages = 0;
        OutputFolder.Write(folder, "The videos", partial =>
        {
            Directory.CreateDirectory(Path.Combine(partial, "tracks"));
            File.WriteAllLines(Path.Combine(partial, "people.csv"), ["id,name,photos", .. several.Select(p => $"{OutputFolder.Quoted(p[0].Subject)},{OutputFolder.Quoted(p[0].Subject.Replace('_', ' '))},{OutputFolder.Quoted(Path.GetFullPath(p[0].Path))}")]);
            var groupsOf = data.Samples.GroupBy(p => p.Subject).ToDictionary(g => g.Key, g => string.Concat(g.First().Groups.Select(v => "," + OutputFolder.Quoted(v))));
            var lines = new List<string> { "video,camera,from,to,subject,person,eye_pixels,track" + string.Concat(data.GroupColumns.Select(c => "," + OutputFolder.Quoted(c))) };
            for (int camera = 1; camera <= cameras; camera++)
            {
                string name = $"camera-{camera}", video = name + ".mp4";
                using var scene = new StreetScene(Heads(models, several, rest, stopping), SeededRandom.For(seed, name));
                Film(scene, Path.Combine(partial, video), name, stopping);
                foreach ((int i, Passage passage) in scene.Truth(video, name).Index())
                {
                    string track = Path.Combine("tracks", $"{name}-{i + 1}.csv");
                    File.WriteAllLines(Path.Combine(partial, track), ["ms,left,top,right,bottom,visible", .. passage.Track.Select(t =>
                        string.Create(CultureInfo.InvariantCulture, $"{t.TimeMs:0.###},{t.Box.Left:0.#},{t.Box.Top:0.#},{t.Box.Right:0.#},{t.Box.Bottom:0.#},{t.Visible:0.##}"))]);
                    lines.Add(string.Create(CultureInfo.InvariantCulture, $"{video},{name},{passage.FromMs / 1000:0.###},{passage.ToMs / 1000:0.###},{OutputFolder.Quoted(passage.Subject ?? PassageList.NotListed)},{OutputFolder.Quoted(passage.Person)},{passage.EyePixels:0.#},{track}{groupsOf[passage.Person]}"));
                }
            }
            File.WriteAllLines(Path.Combine(partial, "passages.csv"), lines);
            passages = lines.Count - 1;
        });
        AnsiConsole.WriteLine($"{new Counted(passages):passage|passages} of {new Counted(listed):listed person|listed people} and {new Counted(others):other|others} past {new Counted(cameras):camera|cameras} in {folder}.");
        AnsiConsole.WriteLine($"Next: lfr enrol {Path.Combine(folder, "people.csv")} -o list.lfr, then lfr-lab passages {Path.Combine(folder, "passages.csv")} --watchlist list.lfr");
    }

    private static void Film(StreetScene scene, string path, string name, CancellationToken stopping) => ProgressBar.While($"Filming {name}", scene.Frames, report =>
    {
        using var encoder = new VideoEncoder(path);
        using HostBuffer<byte> frame = BufferPool.Rent<byte>(StreetScene.FrameBytes);
        for (int i = 0; i < scene.Frames; i++)
        {
            stopping.ThrowIfCancellationRequested();
            scene.Draw(i, frame);
            encoder.Write(frame);
            report(i + 1);
        }
        encoder.Finish();
    });

    // The first still of a listed person is enrolled; another one is used for the video.
    private static List<Head> Heads(EngineModels models, Sample[][] listed, Sample[][] others, CancellationToken stopping)
    {
        var heads = new List<Head>();
        try
        {
            using var analyzer = new StillAnalyzer(models, StillAnalyzer.StillSettings);
            foreach (Sample[] person in listed.Concat(others))
            {
                stopping.ThrowIfCancellationRequested();
                bool isListed = listed.Contains(person);
                if (Cut(analyzer, person[isListed ? 1 : 0], isListed) is { } head)
                    heads.Add(head);
                else
                    Console.Error.WriteLine($"{person[isListed ? 1 : 0].Name}: no face found; {person[0].Subject} is left out of the videos.");
            }
            return heads.Count > 0 ? heads : throw new CommandFailure(ExitCode.Input, "No face was found in any of the stills.");
        }
        catch
        {
            heads.ForEach(h => h.Chip.Dispose());
            throw;
        }
    }

    private static Head? Cut(StillAnalyzer analyzer, Sample still, bool listed)
    {
        InputFile.Check(still.Path);
        using MediaReader reader = MediaReader.Open(still.Path);
        if (reader.Read(out MediaFrame? picture) != DecodeResult.Frame)
            return null;
        using (picture)
        {
            FrameView view = FrameLease.ViewOf(picture!);
            using StillFace? face = TemplateExtractor.EmbedCentral(analyzer, view);
            if (face is null)
                return null;
            FaceBox box = face.Landmarks.Box;
            float side = ChipFaces * Math.Max(box.Width, box.Height), left = ((box.Left + box.Right) / 2) - (side / 2), top = ((box.Top + box.Bottom) / 2) - (side / 2), scale = ChipSize / side;
            var chip = new Picture(ChipSize, ChipSize);
            chip.Paint(view, new FaceBox(left, top, left + side, top + side), 0, ChipSize);
            return new Head(still.Subject, listed, chip, new FaceBox((box.Left - left) * scale, (box.Top - top) * scale, (box.Right - left) * scale, (box.Bottom - top) * scale),
                face.Landmarks.Points.InterEyePixels * scale);
        }
    }
}
