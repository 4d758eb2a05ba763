using LfrEngine.Vulkan;
using LfrEngine.Vulkan.Perf;

try
{
    VulkanSearchBenchmark.Run(args.FirstOrDefault());
    return 0;
}
catch (VulkanException e)
{
    Console.Error.WriteLine(e.Message);
    return 3;
}
