using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>Second signatures, ranks, trainings, crews and check-ins.</summary>
    public sealed partial class PolicyRules : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<Guid>("SecondSignedBy", "Deployments", "uuid", nullable: true);
            migrationBuilder.AddColumn<long>("SecondSignedAt", "Deployments", "bigint", nullable: true);
            migrationBuilder.AddColumn<string>("SecondSignature", "Deployments", "text", nullable: true);
            migrationBuilder.AddColumn<string>("SecondSignerPublicKey", "Deployments", "text", nullable: true);
            migrationBuilder.AddColumn<string>("Rank", "AspNetUsers", "text", nullable: true);
            migrationBuilder.CreateTable(
                "Crews",
                table => new
                {
                    DeploymentId = table.Column<Guid>("uuid"),
                    OfficerId = table.Column<Guid>("uuid"),
                },
                constraints: table => table.PrimaryKey("PK_Crews", x => new { x.DeploymentId, x.OfficerId }));
            migrationBuilder.CreateTable(
                "Presences",
                table => new
                {
                    DeploymentId = table.Column<Guid>("uuid"),
                    OfficerId = table.Column<Guid>("uuid"),
                    At = table.Column<long>("bigint"),
                    ExpiresAt = table.Column<long>("bigint"),
                    Signature = table.Column<string>("text"),
                },
                constraints: table => table.PrimaryKey("PK_Presences", x => new { x.DeploymentId, x.OfficerId }));
            migrationBuilder.CreateTable(
                "Trainings",
                table => new
                {
                    Id = table.Column<Guid>("uuid"),
                    OfficerId = table.Column<Guid>("uuid"),
                    Role = table.Column<string>("text"),
                    CompletedOn = table.Column<DateOnly>("date"),
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
