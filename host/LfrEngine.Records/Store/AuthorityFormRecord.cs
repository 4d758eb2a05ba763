namespace LfrEngine.Records.Store;

/// <summary>A form of an authority that an officer is filling in. It goes when it is given to be signed.</summary>
public sealed class AuthorityFormRecord
{
    /// <summary>Of the deployment.</summary>
    public Guid Id { get; set; }

    /// <summary>Who is filling it in.</summary>
    public Guid OfficerId { get; set; }

    /// <summary>Of the deployment, as far as it is typed.</summary>
    public required string Name { get; set; }

    /// <summary>JSON of the form.</summary>
    public required string Text { get; set; }

    public DateTimeOffset SavedAt { get; set; }
}
