using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
{
    /// <summary>Forms of authorities that are being filled in.</summary>
    public sealed partial class AuthorityForms : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                "AuthorityForms",
                t => new
                {
                    Id = t.Column<Guid>("TEXT", nullable: false),
                    OfficerId = t.Column<Guid>("TEXT", nullable: false),
                    Name = t.Column<string>("TEXT", nullable: false),
                    Text = t.Column<string>("TEXT", nullable: false),
                    SavedAt = t.Column<long>("INTEGER", nullable: false),
                },
                constraints: t => t.PrimaryKey("PK_AuthorityForms", k => k.Id));
            migrationBuilder.CreateIndex("IX_AuthorityForms_OfficerId", "AuthorityForms", "OfficerId");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("AuthorityForms");
    }
}
