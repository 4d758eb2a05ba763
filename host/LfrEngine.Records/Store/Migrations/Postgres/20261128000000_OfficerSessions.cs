using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>Sessions of officers, which end on the server.</summary>
    public sealed partial class OfficerSessions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                "Sessions",
                t => new
                {
                    Id = t.Column<Guid>("uuid", nullable: false),
                    SecretSha256 = t.Column<string>("text", nullable: false),
                    OfficerId = t.Column<Guid>("uuid", nullable: false),
                    StartedAt = t.Column<long>("bigint", nullable: false),
                    ActiveAt = t.Column<long>("bigint", nullable: false),
                    LockedAt = t.Column<long>("bigint", nullable: true),
                    Device = t.Column<string>("text", nullable: false),
                    Address = t.Column<string>("text", nullable: false),
                },
                constraints: t => t.PrimaryKey("PK_Sessions", k => k.Id));
            migrationBuilder.CreateIndex("IX_Sessions_OfficerId", "Sessions", "OfficerId");
            migrationBuilder.CreateIndex("IX_Sessions_SecretSha256", "Sessions", "SecretSha256", unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("Sessions");
    }
}
