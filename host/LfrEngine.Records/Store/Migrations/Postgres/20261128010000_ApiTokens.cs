using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>Tokens of programs.</summary>
    public sealed partial class ApiTokens : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                "ApiTokens",
                t => new
                {
                    Id = t.Column<Guid>("uuid", nullable: false),
                    Name = t.Column<string>("text", nullable: false),
                    SecretSha256 = t.Column<string>("text", nullable: false),
                    OfficerId = t.Column<Guid>("uuid", nullable: false),
                    Permissions = t.Column<string>("text", nullable: false),
                    CreatedAt = t.Column<long>("bigint", nullable: false),
                    ExpiresAt = t.Column<long>("bigint", nullable: false),
                    LastUsedAt = t.Column<long>("bigint", nullable: true),
                },
                constraints: t => t.PrimaryKey("PK_ApiTokens", k => k.Id));
            migrationBuilder.CreateIndex("IX_ApiTokens_OfficerId", "ApiTokens", "OfficerId");
            migrationBuilder.CreateIndex("IX_ApiTokens_SecretSha256", "ApiTokens", "SecretSha256", unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("ApiTokens");
    }
}
