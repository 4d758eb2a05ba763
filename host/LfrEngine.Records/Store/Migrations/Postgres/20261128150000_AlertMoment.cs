using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>The wider picture of an alert.</summary>
    public sealed partial class AlertMoment : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.AddColumn<byte[]>("SealedMoment", "Alerts", "bytea", nullable: true);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropColumn("SealedMoment", "Alerts");
    }
}
