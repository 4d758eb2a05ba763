using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
{
    /// <summary>Remarks of a watchlist, sealed.</summary>
    public sealed partial class WatchlistRemarks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.AddColumn<byte[]>("SealedRemarks", "Watchlists", "BLOB", nullable: true);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropColumn("SealedRemarks", "Watchlists");
    }
}
