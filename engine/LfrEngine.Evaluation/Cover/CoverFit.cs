using LfrEngine.Cover;
using LfrEngine.Evaluation.Statistics;
using LfrEngine.Memory;

namespace LfrEngine.Evaluation.Cover;

/// <summary>Features of faces in locked memory, with the known cover of each. The owner disposes it.</summary>
internal sealed class CoverSamples : IDisposable
{
    private readonly HostBuffer<float> features;
    private readonly sbyte[] labels;
    private readonly string[] groups;

    /// <summary>Allocates memory.</summary>
    /// <param name="count">Number of faces.</param>
    public CoverSamples(int count)
    {
        Count = count;
        features = BufferPool.Rent<float>(count * CoverFeatures.Count);
        labels = new sbyte[count * CoverWeights.Parts];
        Array.Fill(labels, (sbyte)-1);
        groups = new string[count];
        Array.Fill(groups, "");
    }

    public int Count { get; }

    /// <summary>Features of one face; zero if it was not measured. Borrowed.</summary>
    public Span<float> this[int sample] => features.Span.Slice(sample * CoverFeatures.Count, CoverFeatures.Count);

    /// <summary>1 covered, 0 not, −1 unknown.</summary>
    public int Label(int sample, int part) => labels[(sample * CoverWeights.Parts) + part];

    /// <summary>Group of a face, for tables; empty if it was not measured.</summary>
    public string Group(int sample) => groups[sample];

    /// <summary>Sets group and labels of a face.</summary>
    /// <param name="sample">Number of the face.</param>
    /// <param name="group">For tables.</param>
    /// <param name="known">Per part: 1 covered, 0 not, −1 unknown.</param>
    public void Mark(int sample, string group, ReadOnlySpan<sbyte> known)
    {
        known.CopyTo(labels.AsSpan(sample * CoverWeights.Parts, CoverWeights.Parts));
        groups[sample] = group;
    }

    public void Dispose() => features.Dispose();
}

/// <summary>Fits <see cref="CoverWeights"/>: logistic loss per known part with Adam (Kingma and Ba, 2015), then the scale of each output on held-out faces (Platt, 1999).</summary>
internal static class CoverFit
{
    private const int Hidden = 12, Batch = 64, Epochs = 40;
    private const float Rate = 0.002f, Decay = 2e-3f;

    /// <summary>Fits the weights.</summary>
    /// <param name="samples">Faces to learn from. Borrowed.</param>
    /// <param name="heldBack">Faces of other people, for the scale. Borrowed.</param>
    /// <param name="seed">Determines initial weights and order: the same seed and faces give the same weights.</param>
    /// <param name="stopping">Ends the work.</param>
    public static CoverWeights Fit(CoverSamples samples, CoverSamples heldBack, ulong seed, CancellationToken stopping)
    {
        var random = SeededRandom.For(seed, "cover fit");
        const int Inputs = CoverFeatures.Count, Parts = CoverWeights.Parts;
        float[] mean = new float[Inputs], spread = new float[Inputs];
        for (int f = 0; f < Inputs; f++)
        {
            double sum = 0, squares = 0;
            for (int i = 0; i < samples.Count; i++)
            {
                sum += samples[i][f];
                squares += (double)samples[i][f] * samples[i][f];
            }
            mean[f] = (float)(sum / samples.Count);
            spread[f] = (float)Math.Sqrt((squares / samples.Count) - ((double)mean[f] * mean[f]) + 1e-6);
        }
        // All parameters in one array: first layer, its bias, second layer, its bias.
        int firstBias = Hidden * Inputs, second = firstBias + Hidden, secondBias = second + (Parts * Hidden);
        float[] p = new float[secondBias + Parts], gradient = new float[p.Length], m = new float[p.Length], v = new float[p.Length];
        for (int i = 0; i < firstBias; i++)
            p[i] = (float)(random.NextNormal() * Math.Sqrt(2.0 / Inputs));
        for (int i = second; i < secondBias; i++)
            p[i] = (float)(random.NextNormal() * Math.Sqrt(1.0 / Hidden));
        int[] order = [.. Enumerable.Range(0, samples.Count)];
        float[] x = new float[Inputs], units = new float[Hidden], back = new float[Hidden];
        long step = 0;
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            random.Shuffle<int>(order);
            float rate = Rate * 0.5f * (1 + MathF.Cos(MathF.PI * epoch / Epochs));
            for (int start = 0; start < order.Length; start += Batch)
            {
                stopping.ThrowIfCancellationRequested();
                Array.Clear(gradient);
                int size = Math.Min(Batch, order.Length - start);
                foreach (int sample in order.AsSpan(start, size))
                    AddGradient(sample);
                step++;
                for (int i = 0; i < p.Length; i++)
                {
                    float g = gradient[i] / size;
                    m[i] = (0.9f * m[i]) + (0.1f * g);
                    v[i] = (0.999f * v[i]) + (0.001f * g * g);
                    float moved = m[i] / (1 - MathF.Pow(0.9f, step)) / (MathF.Sqrt(v[i] / (1 - MathF.Pow(0.999f, step))) + 1e-8f);
                    p[i] -= rate * (moved + (i < firstBias ? Decay * p[i] : 0));
                }
            }
        }
        Array.Clear(x);

        // The normalisation of the features becomes part of the first layer.
        float[] first = new float[firstBias], bias = new float[Hidden];
        for (int h = 0; h < Hidden; h++)
        {
            bias[h] = p[firstBias + h];
            for (int f = 0; f < Inputs; f++)
            {
                first[(h * Inputs) + f] = p[(h * Inputs) + f] / spread[f];
                bias[h] -= first[(h * Inputs) + f] * mean[f];
            }
        }
        var raw = new CoverWeights(Hidden, first, bias, p[second..secondBias], p[secondBias..]);
        return Scaled(raw, heldBack);

        void AddGradient(int sample)
        {
            ReadOnlySpan<float> features = samples[sample];
            for (int f = 0; f < Inputs; f++)
                x[f] = (features[f] - mean[f]) / spread[f];
            for (int h = 0; h < Hidden; h++)
                units[h] = Math.Max(0, p[firstBias + h] + System.Numerics.Tensors.TensorPrimitives.Dot<float>(x, p.AsSpan(h * Inputs, Inputs)));
            Array.Clear(back);
            for (int part = 0; part < Parts; part++)
            {
                int label = samples.Label(sample, part);
                if (label < 0)
                    continue;
                Span<float> row = p.AsSpan(second + (part * Hidden), Hidden);
                float error = (1 / (1 + MathF.Exp(-(p[secondBias + part] + System.Numerics.Tensors.TensorPrimitives.Dot<float>(units, row))))) - label;
                gradient[secondBias + part] += error;
                for (int h = 0; h < Hidden; h++)
                {
                    gradient[second + (part * Hidden) + h] += error * units[h];
                    back[h] += error * row[h];
                }
            }
            for (int h = 0; h < Hidden; h++)
            {
                if (units[h] <= 0)
                    continue;
                gradient[firstBias + h] += back[h];
                Span<float> row = gradient.AsSpan(h * Inputs, Inputs);
                System.Numerics.Tensors.TensorPrimitives.MultiplyAdd(x, back[h], row, row);
            }
        }
    }

    // Fits slope and offset of the log-odds of each part to the held-out faces, with Newton's method.
    private static CoverWeights Scaled(CoverWeights raw, CoverSamples heldBack)
    {
        float[] second = [.. raw.Second], bias = [.. raw.SecondBias];
        for (int part = 0; part < CoverWeights.Parts; part++)
        {
            (double LogOdds, int Label)[] known = [.. Enumerable.Range(0, heldBack.Count).Where(i => heldBack.Label(i, part) >= 0).Select(i => (LogOdds(i), heldBack.Label(i, part)))];
            if (known.Select(k => k.Label).Distinct().Count() < 2)
                continue;
            double slope = 1, offset = 0;
            for (int round = 0; round < 30; round++)
            {
                double gs = 0, go = 0, hss = 1e-6, hso = 0, hoo = 1e-6;
                foreach ((double at, int label) in known)
                {
                    double probability = 1 / (1 + Math.Exp(-((slope * at) + offset))), weight = probability * (1 - probability);
                    gs += (probability - label) * at;
                    go += probability - label;
                    hss += weight * at * at;
                    hso += weight * at;
                    hoo += weight;
                }
                double determinant = (hss * hoo) - (hso * hso);
                slope -= ((hoo * gs) - (hso * go)) / determinant;
                offset -= ((hss * go) - (hso * gs)) / determinant;
            }
            for (int h = 0; h < raw.Hidden; h++)
                second[(part * raw.Hidden) + h] *= (float)slope;
            bias[part] = (float)((slope * bias[part]) + offset);

            double LogOdds(int sample)
            {
                float p = CoverJudge.Judge(heldBack[sample], raw) switch { var j => part == 0 ? j.LowerFace : part == 1 ? j.Eyes : j.Brow };
                p = Math.Clamp(p, 1e-6f, 1 - 1e-6f);
                return Math.Log(p / (1 - p));
            }
        }
        return raw with { Second = second, SecondBias = bias };
    }
}

/// <summary>Measures of the quality of probabilities.</summary>
internal static class ProbabilityScore
{
    /// <summary>Probability that a covered face gets a higher value than an uncovered one (area under the ROC curve); NaN without faces of both kinds.</summary>
    public static double AreaUnderCurve(IReadOnlyList<(float Probability, int Label)> judged)
    {
        double ranks = 0;
        long positives = 0, rank = 0;
        foreach (IGrouping<float, (float Probability, int Label)> tied in judged.GroupBy(j => j.Probability).OrderBy(g => g.Key))
        {
            int size = tied.Count(), with = tied.Count(t => t.Label == 1);
            ranks += with * (rank + ((size + 1) / 2.0));
            positives += with;
            rank += size;
        }
        long negatives = rank - positives;
        return positives == 0 || negatives == 0 ? double.NaN : (ranks - (positives * (positives + 1) / 2.0)) / positives / negatives;
    }

    /// <summary>Expected calibration error: mean difference between predicted and actual share over ten bins of probability.</summary>
    public static double CalibrationError(IReadOnlyList<(float Probability, int Label)> judged) =>
        judged.Count == 0 ? double.NaN : judged.GroupBy(j => Math.Min(9, (int)(10 * j.Probability))).Sum(bin => Math.Abs(bin.Sum(j => j.Probability - j.Label))) / judged.Count;
}
