using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace LfrEngine.Tests.Shared;

/// <summary>Bytes that a parser may be given: noise, and valid documents that something happened to.</summary>
internal static class AnyBytes
{
    private static readonly string[] s_odd =
    [
        "", " ", "\n", "\r\n", "\t", "\0", "\uFEFF", "é", "null", "{}", "[]", "[[[[[[[[", "\"", "-1", "0", "NaN", "Infinity", "1e999", "99999999999999999999", "2147483647", "-0.0", "true", "{\"a\":", "..", "/", "<a>", "]]>", "#",
    ];

    /// <summary>Noise, or one of the documents flipped, cut, with something put in, doubled or put in another's place.</summary>
    public static Arbitrary<byte[]> From(params byte[][] documents)
    {
        Gen<byte[]> noise = ArbMap.Default.GeneratorFor<byte[]>();
        Gen<byte[]> changed = from document in Gen.Elements(documents)
                              from times in Gen.Choose(0, 4)
                              from changes in Gen.Choose(0, int.MaxValue - 1).ArrayOf(4 * times)
                              select Change(document, changes);
        return Gen.Frequency((1, noise), (6, changed)).ToArbitrary();
    }

    /// <summary>Checks that every input gives an answer or the one exception that says what is wrong with it.</summary>
    /// <param name="read">Reads; throws what it throws.</param>
    /// <param name="isSentence">Whether an exception is the expected one, with a message that names the file.</param>
    /// <param name="documents">Valid ones to begin with.</param>
    public static void AreAnAnswerOrASentence(Action<byte[]> read, Func<Exception, bool> isSentence, params byte[][] documents) =>
        Prop.ForAll(From(documents), bytes =>
        {
            try
            {
                read(bytes);
                return true;
            }
            #pragma warning disable CA1031 // What is thrown is what is judged.
            catch (Exception e)
            #pragma warning restore CA1031
            {
                return isSentence(e) ? true : throw new InvalidOperationException($"{e.GetType().Name}: {e.Message}\n{e.StackTrace}", e);
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static byte[] Change(byte[] document, int[] changes)
    {
        List<byte> bytes = [.. document];
        for (int i = 0; i + 3 < changes.Length; i += 4)
        {
            int at = changes[i] % (bytes.Count + 1), length = changes[i + 1] % Math.Min(40, bytes.Count - at + 1);
            byte[] odd = Encoding.UTF8.GetBytes(s_odd[changes[i + 2] % s_odd.Length]);
            switch (changes[i + 3] % 6)
            {
                case 0 when at < bytes.Count:
                    bytes[at] ^= (byte)(1 << (changes[i + 2] % 8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, odd);
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 5:
                    Replace(bytes, at, odd);
                    break;
            }
        }
        return [.. bytes];
    }

    // A whole word or number, so that what surrounds it stays valid.
    private static void Replace(List<byte> bytes, int at, byte[] odd)
    {
        int from = at, to = at;
        while (from > 0 && IsWord(bytes[from - 1]))
            from--;
        while (to < bytes.Count && IsWord(bytes[to]))
            to++;
        bytes.RemoveRange(from, to - from);
        bytes.InsertRange(from, odd);

        static bool IsWord(byte b) => char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'.' or (byte)'_';
    }
}
