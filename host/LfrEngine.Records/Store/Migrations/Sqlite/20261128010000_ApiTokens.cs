using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
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
                    Id = t.Column<Guid>("TEXT", nullable: false),
                    Name = t.Column<string>("TEXT", nullable: false),
                    SecretSha256 = t.Column<string>("TEXT", nullable: false),
                    OfficerId = t.Column<Guid>("TEXT", nullable: false),
                    Permissions = t.Column<string>("TEXT", nullable: false),
                    CreatedAt = t.Column<long>("INTEGER", nullable: false),
                    ExpiresAt = t.Column<long>("INTEGER", nullable: false),
                    LastUsedAt = t.Column<long>("INTEGER", nullable: true),
                },
                constraints: t => t.PrimaryKey("PK_ApiTokens", k => k.Id));
            migrationBuilder.CreateIndex("IX_ApiTokens_OfficerId", "ApiTokens", "OfficerId");
            migrationBuilder.CreateIndex("IX_ApiTokens_SecretSha256", "ApiTokens", "SecretSha256", unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("ApiTokens");
    }
}
