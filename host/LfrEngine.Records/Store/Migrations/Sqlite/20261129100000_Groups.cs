using System;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
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
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "FacesCompared",
                table: "Walks",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "Groups",
                table: "Walks",
                type: "TEXT",
                nullable: false,
                defaultValue: "");

            migrationBuilder.CreateTable(
                name: "FalseAlertCounts",
                columns: table => new
                {
                    DeploymentId = table.Column<Guid>(type: "TEXT", nullable: false),
                    Category = table.Column<string>(type: "TEXT", nullable: false),
                    Column = table.Column<string>(type: "TEXT", nullable: false),
                    Group = table.Column<string>(type: "TEXT", nullable: false),
                    Count = table.Column<int>(type: "INTEGER", nullable: false),
                    Published = table.Column<int>(type: "INTEGER", nullable: false),
                    LatestOn = table.Column<DateOnly>(type: "TEXT", nullable: false)
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
