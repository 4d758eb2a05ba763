using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LfrEngine.Cover;
using LfrEngine.Detection;
using LfrEngine.Files;
using LfrEngine.Memory;
using LfrEngine.Pipeline;
using LfrEngine.Quality;
using LfrEngine.Watchlists;
using Microsoft.Win32.SafeHandles;

namespace LfrEngine.Evaluation.Templates;

/// <summary>Encrypted templates of earlier runs on disk; also lets a run that was killed continue.</summary>
/// <remarks>
/// One folder per set of models and build of the engine, with one file per run: <c>LFRTMPL2</c>, 32 bytes of salt, then records of fixed size, AES-256-GCM of
/// image hash, outcome, quality, box, cover and embedding, with a 16-byte tag. The key of a file is HKDF-SHA-256 of the key file with <c>LfrEngine template cache 1</c> and the
/// salt; the nonce is the number of the record; the associated data is the header of the file. An incomplete last record is not read, and nothing is ever appended to an old
/// file, so that no nonce is used twice. Without the key file the records cannot be decrypted; <see cref="Erase"/> deletes it first.
/// </remarks>
public sealed class TemplateCache : IDisposable
{
    private const string KeyName = "templates.key";
    private const string Ending = ".templates";
    private const int SaltBytes = 32, TagBytes = 16, HashBytes = 32, ReasonBytes = 160, OutcomeBytes = 4;

    private static readonly byte[] Magic = "LFRTMPL2"u8.ToArray();
    private static readonly byte[] Purpose = "LfrEngine template cache 1"u8.ToArray();

    private readonly string folder;
    private readonly WatchlistKey key;
    private readonly int length;
    private readonly int plainBytes;
    private readonly Lock writing = new();
    private readonly List<Segment> segments = [];
    private readonly Dictionary<string, (Segment Segment, long Record)> index = [];
    private Segment? own;

    private TemplateCache(string folder, WatchlistKey key, int length)
    {
        (this.folder, this.key, this.length) = (folder, key, length);
        plainBytes = HashBytes + OutcomeBytes + Marshal.SizeOf<FaceQuality>() + Marshal.SizeOf<FaceBox>() + Marshal.SizeOf<CoverJudgement>() + ReasonBytes + (length * sizeof(float));
    }

    /// <summary>Number of templates found when the cache was opened.</summary>
    public int Found { get; private set; }

    /// <summary>Opens the cache for the models; creates folder and key if they do not exist.</summary>
    /// <param name="root">Folder of all caches.</param>
    /// <param name="keyFile">Key file; null for the default one in <paramref name="root"/>.</param>
    /// <param name="models">Borrowed for the call.</param>
    /// <exception cref="WatchlistException">The key file or a file of the cache cannot be used or created.</exception>
    public static TemplateCache Open(string root, string? keyFile, EngineModels models)
    {
        string path = keyFile ?? Path.Combine(root, KeyName);
        string folder = Path.Combine(root, FolderOf(models));
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WatchlistException(WatchlistFailure.WriteFailed, $"The template cache {folder} cannot be made: {FileTrouble.Words(e)} Give another folder with --cache, or --cache none.", e);
        }
        if (keyFile is null && !File.Exists(path))
            WatchlistKey.CreateKeyFile(path);
        var cache = new TemplateCache(folder, WatchlistKey.FromKeyFile(path), models.Embedder.Manifest.EmbeddingLength);
        try
        {
            foreach (string file in Directory.EnumerateFiles(folder, "*" + Ending).Order(StringComparer.Ordinal))
                cache.Read(file);
            cache.Found = cache.index.Count;
            return cache;
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>Deletes the key, then all templates below a folder.</summary>
    /// <returns>Number of files deleted.</returns>
    /// <exception cref="WatchlistException">A file could not be deleted.</exception>
    public static int Erase(string root)
    {
        if (!Directory.Exists(root))
            return 0;
        string[] files = [.. Directory.EnumerateFiles(root, "*" + Ending, SearchOption.AllDirectories)];
        string own = Path.Combine(root, KeyName);
        try
        {
            if (File.Exists(own))
                File.Delete(own);
            foreach (string file in files)
                File.Delete(file);
            foreach (string emptied in files.Select(f => Path.GetDirectoryName(f)!).Distinct())
            {
                if (!Directory.EnumerateFileSystemEntries(emptied).Any())
                    Directory.Delete(emptied);
            }
            return files.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WatchlistException(WatchlistFailure.WriteFailed, $"The template cache {root} could not be erased: {FileTrouble.Words(e)}", e);
        }
    }

    /// <summary>Looks up an image by the hash of its file; null if it is not in the cache.</summary>
    /// <param name="imageHash">SHA-256.</param>
    /// <param name="embedding">Receives the embedding, if there is one. Borrowed.</param>
    public TemplateOutcome? TryGet(ReadOnlySpan<byte> imageHash, Span<float> embedding)
    {
        (Segment Segment, long Record) at;
        lock (writing)
        {
            if (!index.TryGetValue(Convert.ToHexString(imageHash), out at))
                return null;
        }
        using HostBuffer<byte> plain = BufferPool.Rent<byte>(plainBytes + TagBytes);
        at.Segment.Read(at.Record, plain.Span);
        return Unpack(plain.Span[..plainBytes], embedding);
    }

    /// <summary>Stores a template.</summary>
    /// <param name="imageHash">SHA-256 of the file.</param>
    /// <param name="outcome">Outcome of the image.</param>
    /// <param name="embedding">The embedding. Borrowed.</param>
    /// <exception cref="WatchlistException">It cannot be written.</exception>
    public void Add(ReadOnlySpan<byte> imageHash, TemplateOutcome outcome, ReadOnlySpan<float> embedding)
    {
        // Reading the file again takes no time and gives the current reason.
        if (outcome.State == Acquisition.Unreadable)
            return;
        using HostBuffer<byte> record = BufferPool.Rent<byte>(plainBytes + TagBytes);
        Span<byte> rest = record.Span;
        Take(ref rest, imageHash);
        BinaryPrimitives.WriteInt32LittleEndian(rest, (int)outcome.State);
        rest = rest[OutcomeBytes..];
        Take(ref rest, MemoryMarshal.AsBytes(new ReadOnlySpan<FaceQuality>([outcome.Quality])));
        Take(ref rest, MemoryMarshal.AsBytes(new ReadOnlySpan<FaceBox>([outcome.Box])));
        Take(ref rest, MemoryMarshal.AsBytes(new ReadOnlySpan<CoverJudgement>([outcome.Cover])));
        byte[] reason = Encoding.UTF8.GetBytes(outcome.Reason);
        reason.AsSpan(0, Math.Min(reason.Length, ReasonBytes)).CopyTo(rest);
        rest = rest[ReasonBytes..];
        Take(ref rest, MemoryMarshal.AsBytes(embedding));
        lock (writing)
        {
            string path = Path.Combine(folder, $"{Guid.NewGuid():N}{Ending}");
            try
            {
                if (own is null)
                    segments.Add(own = Segment.Create(path, key, plainBytes));
                index[Convert.ToHexString(imageHash)] = (own, own.Append(record.Span));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new WatchlistException(WatchlistFailure.DiskFull, $"The template cache {folder} cannot be written: {FileTrouble.Words(e)} Free some space, give another folder with --cache, or --cache none.", e);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Segment segment in segments)
            segment.Dispose();
        key.Dispose();
    }

    private static string FolderOf(EngineModels models)
    {
        // Includes the build, because a change of the engine's code may change its results.
        string all = string.Join('\n', [Encoding.UTF8.GetString(Magic), .. models.All.Select(m => m.Manifest.Sha256), $"{StillAnalyzer.StillSettings}", $"{typeof(StillAnalyzer).Module.ModuleVersionId}"]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..24];
    }

    private static void Take(ref Span<byte> destination, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(destination);
        destination = destination[bytes.Length..];
    }

    private void Read(string path)
    {
        try
        {
            Segment segment = Segment.Open(path, key, plainBytes);
            segments.Add(segment);
            using HostBuffer<byte> plain = BufferPool.Rent<byte>(plainBytes + TagBytes);
            for (long record = 0; record < segment.Records; record++)
            {
                segment.Read(record, plain.Span);
                index[Convert.ToHexString(plain.Span[..HashBytes])] = (segment, record);
            }
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new WatchlistException(WatchlistFailure.WrongKey, $"{path}: this key file does not open it, or it was altered. Give the right key file with --cache-key, or erase the cache: lfr-lab cache erase.", e);
        }
        catch (InvalidDataException e)
        {
            throw new WatchlistException(WatchlistFailure.Damaged, $"{path}: {e.Message} Erase the cache: lfr-lab cache erase.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WatchlistException(WatchlistFailure.Unreadable, $"{path}: cannot be read: {FileTrouble.Words(e)}", e);
        }
    }

    private TemplateOutcome Unpack(ReadOnlySpan<byte> plain, Span<float> embedding)
    {
        ReadOnlySpan<byte> rest = plain[HashBytes..];
        var state = (Acquisition)BinaryPrimitives.ReadInt32LittleEndian(rest);
        rest = rest[OutcomeBytes..];
        FaceQuality quality = MemoryMarshal.Read<FaceQuality>(rest);
        rest = rest[Marshal.SizeOf<FaceQuality>()..];
        FaceBox box = MemoryMarshal.Read<FaceBox>(rest);
        rest = rest[Marshal.SizeOf<FaceBox>()..];
        CoverJudgement cover = MemoryMarshal.Read<CoverJudgement>(rest);
        rest = rest[Marshal.SizeOf<CoverJudgement>()..];
        string reason = Encoding.UTF8.GetString(rest[..ReasonBytes]).TrimEnd('\0');
        MemoryMarshal.Cast<byte, float>(rest.Slice(ReasonBytes, length * sizeof(float))).CopyTo(embedding);
        return new TemplateOutcome(state, reason, quality, box, cover);
    }

    /// <summary>One file of one run.</summary>
    private sealed class Segment : IDisposable
    {
        private readonly SafeFileHandle file;
        private readonly byte[] head;
        private readonly AesGcm aes;
        private readonly int plainBytes;

        private Segment(SafeFileHandle file, byte[] head, WatchlistKey key, int plainBytes)
        {
            (this.file, this.head, this.plainBytes) = (file, head, plainBytes);
            using HostBuffer<byte> fileKey = BufferPool.Rent<byte>(WatchlistKey.FileKeyBytes);
            key.Derive([.. Purpose, .. head.AsSpan(Magic.Length)], 1, fileKey.Span);
            aes = new AesGcm(fileKey.Span, TagBytes);
        }

        public long Records { get; private set; }

        private int SealedBytes => plainBytes + TagBytes;

        public static Segment Create(string path, WatchlistKey key, int plainBytes)
        {
            byte[] head = [.. Magic, .. RandomNumberGenerator.GetBytes(SaltBytes)];
            using (FileStream made = FileBytes.CreateNew(path))
                RandomAccess.Write(made.SafeFileHandle, head, 0);
            return new Segment(File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete), head, key, plainBytes);
        }

        public static Segment Open(string path, WatchlistKey key, int plainBytes)
        {
            InputFile.Check(path);
            SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            try
            {
                var head = new byte[Magic.Length + SaltBytes];
                long bytes = RandomAccess.GetLength(file);
                // A run that was killed while writing the header has stored nothing.
                if (bytes >= head.Length)
                {
                    FileBytes.ReadExactly(file, head, 0);
                    if (!head.AsSpan().StartsWith(Magic))
                        throw new InvalidDataException("not a template cache of this version.");
                }
                return new Segment(file, head, key, plainBytes) { Records = Math.Max(0, bytes - head.Length) / (plainBytes + TagBytes) };
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        /// <summary>Decrypts a record in place.</summary>
        public void Read(long record, Span<byte> buffer)
        {
            Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
            BinaryPrimitives.WriteInt64BigEndian(nonce[4..], record);
            FileBytes.ReadExactly(file, buffer[..SealedBytes], head.Length + (record * SealedBytes));
            // The cipher is shared by several threads.
            lock (aes)
                aes.Decrypt(nonce, buffer[..plainBytes], buffer.Slice(plainBytes, TagBytes), buffer[..plainBytes], head);
        }

        /// <summary>Encrypts a record in place and writes it.</summary>
        public long Append(Span<byte> buffer)
        {
            Span<byte> nonce = stackalloc byte[AesGcm.NonceByteSizes.MaxSize];
            BinaryPrimitives.WriteInt64BigEndian(nonce[4..], Records);
            lock (aes)
                aes.Encrypt(nonce, buffer[..plainBytes], buffer[..plainBytes], buffer.Slice(plainBytes, TagBytes), head);
            RandomAccess.Write(file, buffer[..SealedBytes], head.Length + (Records * SealedBytes));
            return Records++;
        }

        public void Dispose()
        {
            aes.Dispose();
            file.Dispose();
        }
    }
}
