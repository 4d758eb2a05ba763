using LfrEngine.Records.Security;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace LfrEngine.Records.Store;

/// <summary>Everything that is stored: officers, watchlists, deployments, alerts, the audit trail, pending messages.</summary>
/// <remarks>
/// The same model on SQLite and PostgreSQL, with migrations for each. Biometric data is stored only encrypted (<see cref="KeyVault"/>). Changes
/// go through <see cref="Audit.Journal"/>, so that every change has its audit entry; reading needs only a context.
/// </remarks>
public abstract class LfrStore(DbContextOptions options) : IdentityDbContext<Officer, IdentityRole<Guid>, Guid>(options)
{
    public DbSet<WatchlistRecord> Watchlists => Set<WatchlistRecord>();

    public DbSet<PersonRecord> People => Set<PersonRecord>();

    public DbSet<PhotoRecord> Photos => Set<PhotoRecord>();

    public DbSet<DeploymentRecord> Deployments => Set<DeploymentRecord>();

    public DbSet<AuthorityFormRecord> AuthorityForms => Set<AuthorityFormRecord>();

    public DbSet<AlertRecord> Alerts => Set<AlertRecord>();

    public DbSet<AlertEvent> AlertEvents => Set<AlertEvent>();

    public DbSet<WalkRecord> Walks => Set<WalkRecord>();

    public DbSet<AuditEntry> Audit => Set<AuditEntry>();

    public DbSet<AuditSeal> AuditSeals => Set<AuditSeal>();

    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();

    public DbSet<VanEntry> VanEntries => Set<VanEntry>();

    public DbSet<Invitation> Invitations => Set<Invitation>();

    public DbSet<ApiToken> ApiTokens => Set<ApiToken>();

    public DbSet<TrainingRecord> Trainings => Set<TrainingRecord>();

    public DbSet<CrewRecord> Crews => Set<CrewRecord>();

    public DbSet<PresenceRecord> Presences => Set<PresenceRecord>();

    public DbSet<OfficerSession> Sessions => Set<OfficerSession>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
    {
        base.ConfigureConventions(configurationBuilder);
        // Whole microseconds since 1970, in both stores: SQLite cannot sort EF's default format, and this is independent of the time zone.
        configurationBuilder.Properties<DateTimeOffset>().HaveConversion<InstantConverter>();
        configurationBuilder.Properties<Enum>().HaveConversion<string>();
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        builder.Entity<PersonRecord>().HasMany(p => p.Photos).WithOne().HasForeignKey(p => p.PersonId).OnDelete(DeleteBehavior.Cascade);
        builder.Entity<PersonRecord>().HasIndex(p => p.WatchlistId);
        builder.Entity<AlertRecord>().HasMany(a => a.Events).WithOne().HasForeignKey(e => e.AlertId).OnDelete(DeleteBehavior.Restrict);
        builder.Entity<AlertRecord>().HasIndex(a => new { a.DeploymentId, a.RaisedAt });
        builder.Entity<AlertRecord>().HasIndex(a => new { a.ErasedAt, a.EraseBy });
        builder.Entity<WalkRecord>().HasIndex(w => w.DeploymentId);
        builder.Entity<AuditEntry>().HasKey(e => e.Sequence);
        builder.Entity<AuditEntry>().Property(e => e.Sequence).ValueGeneratedNever();
        builder.Entity<AuditEntry>().HasIndex(e => e.Subject);
        builder.Entity<AuditEntry>().HasIndex(e => e.At);
        builder.Entity<AuditSeal>().HasKey(e => e.Sequence);
        builder.Entity<AuditSeal>().Property(e => e.Sequence).ValueGeneratedNever();
        builder.Entity<OutboxMessage>().HasIndex(m => new { m.Channel, m.Id });
        builder.Entity<VanEntry>().HasKey(e => new { e.Van, e.Sequence });
        builder.Entity<Invitation>().HasIndex(i => i.SecretSha256).IsUnique();
        builder.Entity<OfficerSession>().HasIndex(s => s.SecretSha256).IsUnique();
        builder.Entity<ApiToken>().HasIndex(t => t.SecretSha256).IsUnique();
        builder.Entity<ApiToken>().HasIndex(t => t.OfficerId);
        builder.Entity<AuthorityFormRecord>().HasIndex(f => f.OfficerId);
        builder.Entity<TrainingRecord>().HasIndex(t => new { t.OfficerId, t.Role });
        builder.Entity<CrewRecord>().HasKey(c => new { c.DeploymentId, c.OfficerId });
        builder.Entity<PresenceRecord>().HasKey(p => new { p.DeploymentId, p.OfficerId });
        builder.Entity<OfficerSession>().HasIndex(s => s.OfficerId);
    }

    private sealed class InstantConverter() : ValueConverter<DateTimeOffset, long>(
        at => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond,
        microseconds => new DateTimeOffset((microseconds * TimeSpan.TicksPerMicrosecond) + DateTimeOffset.UnixEpoch.Ticks, TimeSpan.Zero));
}

/// <summary>The store in one file.</summary>
public sealed class SqliteStore(DbContextOptions<SqliteStore> options) : LfrStore(options);

/// <summary>The store on a PostgreSQL server.</summary>
public sealed class PostgresStore(DbContextOptions<PostgresStore> options) : LfrStore(options);
