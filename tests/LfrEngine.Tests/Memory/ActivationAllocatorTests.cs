using LfrEngine.Memory;
using LfrEngine.Models;
using LfrEngine.Native.Memory;
using LfrEngine.Tests.Detection;
using LfrEngine.Tests.Watchlists;
using Xunit;

namespace LfrEngine.Tests.Memory;

/// <summary>What ONNX Runtime frees is wiped: at once, or within a bound while a stream is watched.</summary>
[Collection(CountsRentedBuffers.Name)]
public sealed class ActivationAllocatorTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public void Run_OutsideAStream_WipesBeforeItReturns()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        plan.Run();
        int unwiped = ActivationAllocator.UnwipedBlocks;
        long wiped = ErasureClock.Activation.Count;
        plan.Run();

        Assert.Equal(unwiped, ActivationAllocator.UnwipedBlocks);
        Assert.True(ErasureClock.Activation.Count > wiped);
    }

    [Fact]
    public void Run_StreamFallsSilent_IsWipedByItself()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        plan.Run();
        int before = ActivationAllocator.UnwipedBlocks;
        ActivationAllocator.BeginStream();
        try
        {
            plan.Run();
            // No further run, nobody asks: the sweeper's own doing.
            Assert.True(SpinWait.SpinUntil(() => ActivationAllocator.UnwipedBlocks == before, Patience));
        }
        finally
        {
            ActivationAllocator.EndStream();
        }
    }

    [Fact]
    public void Run_OneAfterTheOther_IsWipedInBetweenAllTheSame()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        plan.Run();
        ActivationAllocator.BeginStream();
        try
        {
            long wiped = ErasureClock.Activation.Count;
            // A busy stream: its blocks never rest as long as the sweeper wants.
            Assert.True(SpinWait.SpinUntil(() =>
            {
                plan.Run();
                return ErasureClock.Activation.Count > wiped;
            }, Patience));
        }
        finally
        {
            ActivationAllocator.EndStream();
        }
    }

    [Fact]
    public void EndStream_BlocksRest_WipesThemBeforeItReturns()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        plan.Run();
        int before = ActivationAllocator.UnwipedBlocks;
        ActivationAllocator.BeginStream();
        plan.Run();
        ActivationAllocator.EndStream();

        Assert.Equal(before, ActivationAllocator.UnwipedBlocks);
    }

    /// <summary>Refused in the middle of a run, ONNX Runtime would end the process.</summary>
    [Fact]
    public void Run_PassesTheLimitOfTheProcess_FailsWhenItReturnsAndLeavesNothing()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        plan.Run();
        plan.Input.Span.Fill(1);
        BufferPool.Trim();
        int unwiped = ActivationAllocator.UnwipedBlocks;
        long held = MemoryBudget.HeldBytes, rented = BufferPool.OutstandingBlocks;
        MemoryBudget.MostBytes = held;
        try
        {
            var passed = Assert.Throws<InsufficientMemoryException>(plan.Run);
            Assert.Contains($"The limit of {held} bytes", passed.Message, StringComparison.Ordinal);
            Assert.Equal(-1, plan.Input.Span.IndexOfAnyExcept(0f));
            Assert.Throws<InsufficientMemoryException>(() => model.CreatePlan(2, 112, 112));
            // Known by now: refused before anything is run.
            long wiped = BufferPool.WipedBlocks;
            Assert.Throws<InsufficientMemoryException>(() => model.CreatePlan(2, 112, 112));
            Assert.Equal(wiped, BufferPool.WipedBlocks);
            Assert.Equal((unwiped, held, rented), (ActivationAllocator.UnwipedBlocks, MemoryBudget.HeldBytes, BufferPool.OutstandingBlocks));
        }
        finally
        {
            MemoryBudget.MostBytes = 0;
        }
        plan.Run();
    }

    [Fact]
    public void Complete_ObjectCannotBeCompleted_ReturnsWhatItRented()
    {
        long before = BufferPool.OutstandingBlocks;
        using HostBuffer<byte> kept = BufferPool.Complete(() => BufferPool.Rent<byte>(1));
        Assert.Throws<InvalidDataException>(() => BufferPool.Complete<object>(() =>
        {
            BufferPool.Complete(() => BufferPool.Rent<float>(1));
            BufferPool.Rent<byte>(1);
            throw new InvalidDataException();
        }));

        Assert.Equal(before + 1, BufferPool.OutstandingBlocks);
        Assert.Equal(0, kept.Span[0]);
    }

    [Fact]
    public void Run_ReusesARestedBlock_GivesTheSameResult()
    {
        using OnnxModel model = Embedder();
        using InferencePlan plan = model.CreatePlan(1, 112, 112);
        var random = new Random(7);
        foreach (ref float value in plan.Input.Span)
            value = random.NextSingle() - 0.5f;
        plan.Run();
        float[] expected = plan.Outputs[0].Span.ToArray();
        ActivationAllocator.BeginStream();
        try
        {
            for (int i = 0; i < 20; i++)
            {
                plan.Run();
                Assert.Equal(expected, plan.Outputs[0].Span.ToArray());
            }
        }
        finally
        {
            ActivationAllocator.EndStream();
        }
    }

    private static OnnxModel Embedder()
    {
        RepoRoot.RestoredModel("fr_feature.onnx");
        var catalog = new ModelCatalog(Path.Combine(RepoRoot.Path, "models"), PackageCache.Default);
        return OnnxModel.Load(catalog, catalog.Find("mobilefacenet-512", ModelTask.Embed));
    }
}
