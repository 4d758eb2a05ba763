using LfrEngine.Models;

namespace LfrEngine.Tests.Models;

/// <summary>MTCNN's O-net (Zhang et al., 2016) in plain loops and double precision, in the layout of its file: height, width, channels.</summary>
internal sealed class PlainOnet(byte[] file)
{
    private readonly TfLiteFile weights = TfLiteFile.Read(file);
    private readonly Dictionary<string, float[]> read = [];

    /// <summary>Probabilities of "no face" and "face", and the offsets of the box.</summary>
    /// <param name="picture">[3, 48, 48].</param>
    public (double[] Probability, double[] Box) Run(float[] picture)
    {
        var x = new Tensor(48, 48, 3);
        for (int i = 0; i < picture.Length; i++)
            x.Values[(i % 2304 * 3) + (i / 2304)] = picture[i];
        x = Pool(Slope(Convolve(x, 1, 3), 1), 3, same: true);
        x = Pool(Slope(Convolve(x, 2, 3), 2), 3, same: false);
        x = Pool(Slope(Convolve(x, 3, 3), 3), 2, same: true);
        x = Slope(Convolve(x, 4, 2), 4);
        x = Slope(Connect(x, "onet/conv5/weights/read/transpose", "onet/conv5/conv5/MatMul_bias"), 5);
        double[] logits = Connect(x, "onet/conv6-1/weights/read/transpose", "onet/conv6-1/conv6-1/MatMul_bias").Values;
        double face = 1 / (1 + Math.Exp(logits[0] - logits[1]));
        return ([1 - face, face], Connect(x, "onet/conv6-2/weights/read/transpose", "onet/conv6-2/conv6-2/MatMul_bias").Values);
    }

    private Tensor Convolve(Tensor x, int layer, int size)
    {
        float[] w = Weights($"onet/conv{layer}/weights/read"), bias = Weights($"onet/conv{layer}/Conv2D_bias");
        var y = new Tensor(x.Height - size + 1, x.Width - size + 1, bias.Length);
        for (int row = 0; row < y.Height; row++)
        {
            for (int column = 0; column < y.Width; column++)
            {
                for (int filter = 0; filter < bias.Length; filter++)
                {
                    double sum = bias[filter];
                    for (int i = 0; i < size * size; i++)
                    {
                        int from = (((row + (i / size)) * x.Width) + column + (i % size)) * x.Channels, at = ((filter * size * size) + i) * x.Channels;
                        for (int c = 0; c < x.Channels; c++)
                            sum += w[at + c] * x.Values[from + c];
                    }
                    y.Values[(((row * y.Width) + column) * y.Channels) + filter] = sum;
                }
            }
        }
        return y;
    }

    private Tensor Slope(Tensor x, int layer)
    {
        float[] slope = Weights($"onet/prelu{layer}/alpha/read");
        for (int i = 0; i < x.Values.Length; i++)
            x.Values[i] *= x.Values[i] < 0 ? slope[i % slope.Length] : 1;
        return x;
    }

    // Stride 2. Where the window must be filled up, at the end first: 46 and 8 need one at most.
    private static Tensor Pool(Tensor x, int size, bool same)
    {
        int Length(int length) => same ? (length + 1) / 2 : ((length - size) / 2) + 1;
        var y = new Tensor(Length(x.Height), Length(x.Width), x.Channels);
        for (int i = 0; i < y.Values.Length; i++)
        {
            int c = i % y.Channels, column = i / y.Channels % y.Width * 2, row = i / y.Channels / y.Width * 2;
            double largest = double.MinValue;
            for (int k = 0; k < size * size; k++)
            {
                (int r, int q) = (row + (k / size), column + (k % size));
                if (r < x.Height && q < x.Width)
                    largest = Math.Max(largest, x.Values[(((r * x.Width) + q) * x.Channels) + c]);
            }
            y.Values[i] = largest;
        }
        return y;
    }

    private Tensor Connect(Tensor x, string weightsName, string biasName)
    {
        float[] w = Weights(weightsName), bias = Weights(biasName);
        var y = new Tensor(1, 1, bias.Length);
        for (int i = 0; i < bias.Length; i++)
        {
            double sum = bias[i];
            for (int k = 0; k < x.Values.Length; k++)
                sum += w[(i * x.Values.Length) + k] * x.Values[k];
            y.Values[i] = sum;
        }
        return y;
    }

    private float[] Weights(string name)
    {
        if (!read.TryGetValue(name, out float[]? values))
            read.Add(name, values = weights.Floats(Array.FindIndex(weights.Tensors, t => t.Name == name))!);
        return values;
    }

    private sealed record Tensor(int Height, int Width, int Channels)
    {
        public double[] Values { get; } = new double[Height * Width * Channels];
    }
}
