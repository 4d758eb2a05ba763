using Silk.NET.Direct3D12;

namespace LfrEngine.DirectX.Devices;

/// <summary>A compute queue with one command list, used by one thread at a time.</summary>
internal sealed unsafe class CommandQueue : IDisposable
{
    private readonly ID3D12CommandQueue* queue;
    private readonly ID3D12CommandAllocator* allocator;
    private readonly ID3D12GraphicsCommandList* list;
    private readonly ID3D12Fence* fence;
    private readonly AutoResetEvent done = new(false);
    private ulong signalled;

    public CommandQueue(ID3D12Device* device)
    {
        try
        {
            var description = new CommandQueueDesc { Type = CommandListType.Compute };
            Guid id = ID3D12CommandQueue.Guid;
            ID3D12CommandQueue* madeQueue = null;
            HResult.ThrowIfFailed(device->CreateCommandQueue(&description, &id, (void**)&madeQueue), "The command queue cannot be made");
            queue = madeQueue;
            id = ID3D12CommandAllocator.Guid;
            ID3D12CommandAllocator* madeAllocator = null;
            HResult.ThrowIfFailed(device->CreateCommandAllocator(CommandListType.Compute, &id, (void**)&madeAllocator), "The command allocator cannot be made");
            allocator = madeAllocator;
            id = ID3D12GraphicsCommandList.Guid;
            ID3D12GraphicsCommandList* madeList = null;
            ID3D12PipelineState* noState = null;
            HResult.ThrowIfFailed(device->CreateCommandList(0, CommandListType.Compute, allocator, noState, &id, (void**)&madeList), "The command list cannot be made");
            list = madeList;
            HResult.ThrowIfFailed(list->Close(), "The command list cannot be closed");
            id = ID3D12Fence.Guid;
            ID3D12Fence* madeFence = null;
            HResult.ThrowIfFailed(device->CreateFence(0, FenceFlags.None, &id, (void**)&madeFence), "The fence cannot be made");
            fence = madeFence;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ID3D12CommandQueue* Native => queue;

    /// <summary>Opens the list for recording. Everything recorded before has been done.</summary>
    public ID3D12GraphicsCommandList* Begin()
    {
        ID3D12PipelineState* noState = null;
        HResult.ThrowIfFailed(allocator->Reset(), "The command allocator cannot be reset");
        HResult.ThrowIfFailed(list->Reset(allocator, noState), "The command list cannot be reset");
        return list;
    }

    /// <summary>Runs what was recorded, after <paramref name="before"/> has reached its value, and waits for it.</summary>
    /// <param name="before">A fence that another device signals; null for none.</param>
    /// <param name="value">What it must reach.</param>
    public void Run(ID3D12Fence* before, ulong value)
    {
        HResult.ThrowIfFailed(list->Close(), "The command list cannot be closed");
        if (before != null)
            HResult.ThrowIfFailed(queue->Wait(before, value), "The queue cannot wait for the decoder's fence");
        ID3D12CommandList* recorded = (ID3D12CommandList*)list;
        queue->ExecuteCommandLists(1, &recorded);
        HResult.ThrowIfFailed(queue->Signal(fence, ++signalled), "The fence cannot be signalled");
        HResult.ThrowIfFailed(fence->SetEventOnCompletion(signalled, (void*)done.SafeWaitHandle.DangerousGetHandle()), "The fence cannot be waited for");
        // A lost device signals all fences, so this wait always ends.
        done.WaitOne();
        if (fence->GetCompletedValue() == ulong.MaxValue)
            throw new GpuException("The device was lost while a copy was under way.");
    }

    public void Dispose()
    {
        ComPointer.Release(fence);
        ComPointer.Release(list);
        ComPointer.Release(allocator);
        ComPointer.Release(queue);
        done.Dispose();
    }
}
