using System;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>Groups of role-players who walk, and counts of groups in false alerts.</summary>
    public sealed partial class Groups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "FacesAtStart",
                table: "Walks",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "FacesCompared",
                table: "Walks",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Groups",
                table: "Walks",
                type: "text",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateTable(
                name: "FalseAlertCounts",
                columns: table => new
                {
                    DeploymentId = table.Column<Guid>(type: "uuid", nullable: false),
                    Category = table.Column<string>(type: "text", nullable: false),
                    Column = table.Column<string>(type: "text", nullable: false),
                    Group = table.Column<string>(type: "text", nullable: false),
                    Count = table.Column<int>(type: "integer", nullable: false),
                    Published = table.Column<int>(type: "integer", nullable: false),
                    LatestOn = table.Column<DateOnly>(type: "date", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_FalseAlertCounts", x => new { x.DeploymentId, x.Category, x.Column, x.Group });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "FalseAlertCounts");

            migrationBuilder.DropColumn(
                name: "FacesAtStart",
                table: "Walks");

            migrationBuilder.DropColumn(
                name: "FacesCompared",
                table: "Walks");

            migrationBuilder.DropColumn(
                name: "Groups",
                table: "Walks");
        }
    }
}
