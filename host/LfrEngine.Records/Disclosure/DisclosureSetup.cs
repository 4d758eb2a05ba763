using LfrEngine.Records.Receipts;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LfrEngine.Records.Disclosure;

/// <summary>Disclosure bundles; needs the records and the authorities.</summary>
internal static class DisclosureSetup
{
    public static void AddDisclosure(this IServiceCollection services)
    {
        services.TryAddSingleton<ReceiptShelf>();
        services.AddSingleton<DisclosureMaker>();
    }
}
