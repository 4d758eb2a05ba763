using LfrEngine.Records.Alerts;
using Microsoft.EntityFrameworkCore.Migrations;

namespace LfrEngine.Records.Store.Migrations.Sqlite
{
    /// <summary>What an alert's score is worth, by the evidence's calibration.</summary>
    public sealed partial class AlertLikelihood : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>("Log10LikelihoodRatio", "Alerts", "REAL", nullable: true);
            migrationBuilder.AddColumn<bool>("LikelihoodRatioAtBound", "Alerts", "INTEGER", nullable: false, defaultValue: false);
            migrationBuilder.AddColumn<int>("LikelihoodListSize", "Alerts", "INTEGER", nullable: false, defaultValue: 0);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (string column in (string[])["Log10LikelihoodRatio", "LikelihoodRatioAtBound", "LikelihoodListSize"])
                migrationBuilder.DropColumn(column, "Alerts");
        }
    }
}
