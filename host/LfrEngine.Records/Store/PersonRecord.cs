using LfrEngine.Watchlists;

namespace LfrEngine.Records.Store;

/// <summary>A person on a watchlist. Everything that identifies the person is encrypted; what is counted is not.</summary>
public sealed class PersonRecord
{
    public Guid Id { get; set; }

    public Guid WatchlistId { get; set; }

    public WatchlistCategory Category { get; set; }

    /// <summary>Sealed JSON of <c>PersonDetails</c>: name, reference, legal basis, image source.</summary>
    public required byte[] Sealed { get; set; }

    /// <summary>When the entry was last reviewed.</summary>
    public DateOnly ReviewedOn { get; set; }

    /// <summary>A consenting role-player of the health check in the field, not a person sought.</summary>
    public bool RolePlayer { get; set; }

    public DateTimeOffset AddedAt { get; set; }

    public List<PhotoRecord> Photos { get; } = [];
}
