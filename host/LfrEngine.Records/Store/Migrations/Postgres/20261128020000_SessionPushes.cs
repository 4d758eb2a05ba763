using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Postgres
{
    /// <summary>Notifications of sessions.</summary>
    public sealed partial class SessionPushes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (string column in new[] { "PushAddress", "PushKey", "PushSecret" })
                migrationBuilder.AddColumn<string>(column, "Sessions", "text", nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (string column in new[] { "PushAddress", "PushKey", "PushSecret" })
                migrationBuilder.DropColumn(column, "Sessions");
        }
    }
}
