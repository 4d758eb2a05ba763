using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
{
    /// <summary>Second signatures, ranks, trainings, crews and check-ins.</summary>
    public sealed partial class PolicyRules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>("SecondSignedBy", "Deployments", "TEXT", nullable: true);
            migrationBuilder.AddColumn<long>("SecondSignedAt", "Deployments", "INTEGER", nullable: true);
            migrationBuilder.AddColumn<string>("SecondSignature", "Deployments", "TEXT", nullable: true);
            migrationBuilder.AddColumn<string>("SecondSignerPublicKey", "Deployments", "TEXT", nullable: true);
            migrationBuilder.AddColumn<string>("Rank", "AspNetUsers", "TEXT", nullable: true);
            migrationBuilder.CreateTable(
                "Crews",
                table => new
                {
                    DeploymentId = table.Column<Guid>("TEXT"),
                    OfficerId = table.Column<Guid>("TEXT"),
                },
                constraints: table => table.PrimaryKey("PK_Crews", x => new { x.DeploymentId, x.OfficerId }));
            migrationBuilder.CreateTable(
                "Presences",
                table => new
                {
                    DeploymentId = table.Column<Guid>("TEXT"),
                    OfficerId = table.Column<Guid>("TEXT"),
                    At = table.Column<long>("INTEGER"),
                    ExpiresAt = table.Column<long>("INTEGER"),
                    Signature = table.Column<string>("TEXT"),
                },
                constraints: table => table.PrimaryKey("PK_Presences", x => new { x.DeploymentId, x.OfficerId }));
            migrationBuilder.CreateTable(
                "Trainings",
                table => new
                {
                    Id = table.Column<Guid>("TEXT"),
                    OfficerId = table.Column<Guid>("TEXT"),
                    Role = table.Column<string>("TEXT"),
                    CompletedOn = table.Column<DateOnly>("TEXT"),
                },
                constraints: table => table.PrimaryKey("PK_Trainings", x => x.Id));
            migrationBuilder.CreateIndex("IX_Trainings_OfficerId_Role", "Trainings", ["OfficerId", "Role"]);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable("Crews");
            migrationBuilder.DropTable("Presences");
            migrationBuilder.DropTable("Trainings");
            foreach (string column in new[] { "SecondSignedBy", "SecondSignedAt", "SecondSignature", "SecondSignerPublicKey" })
                migrationBuilder.DropColumn(column, "Deployments");
            migrationBuilder.DropColumn("Rank", "AspNetUsers");
        }
    }
}
