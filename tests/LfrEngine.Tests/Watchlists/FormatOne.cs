namespace LfrEngine.Tests.Watchlists;

/// <summary>A watchlist file of format 1, written by the last engine that wrote it: <c>WatchlistSamples.Build(5, 3, 5, 4)</c>, sealed with the key 0…31.</summary>
internal static class FormatOne
{
    public const string File =
        "TEZSV0FUQ0gBAJMAAg8AAAAAAAAEAAAABQAAAAMAAAB3AQAAAAAAAPybJByiAQAA0HK/sI+ASwydJj1pfFzo8fWE+f7kS1/JZa8lNikG/g29QIWHzJJzaPVTNTPHww5a/48ZCqqqqqqq" +
        "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc2FtcGxlLWVtYmVkZGVy+tqZNc4pEBPP4t9tsV6Ji+uNqxy5pz+NHpGbPodhmK6KaDgul8w0736BGVME4fSSNY1oCH22SfloOEG/oG6Q" +
        "ObPqm6oRq4UL/QJX4C+aMwk6qyX3vcS+/6rp66wVxvSpMNcBDdAe+nV7tr8F+w+VDYdyoTb5e8kXHtrVKECc3n3W8o2zLAtNSiqjQnEqVtqmPieig61jwOw3659l6mpWxAxMiTr3HkqY" +
        "lnNVbV5ep1tyMbtyhJQ63bBgMN5eaQpJKkFBbdx03LV7Kuxca389S5sMDkqZMJfweO0gFitQFy8hpyj1/cqRjA5uIAq7IMeNAIX74HPJyapNtm/YBDVI1b6sFYbpmjtgT8eZEK/ENFUX" +
        "FTIshqHtI1CzhfDbuesQNjbSRwDgBr+TCubb0OQxY9oHvDG/KuJYGsv+PF9XekwxM2VyJ/Yii6v8hwTyirFJozWq/GjX6tyhHAj15Flk/l+8j+DCrJrjGDCc2ACdZ+/9WSn5J9GqtG3b" +
        "0yLVH9HTKgwbs7dH+S2oSvqJ67V5aZ2MnPeKW1D6yaN8hTn8W8szhlO7a8w0vCWH6ziQC3hkoWJ+0fZfFxK2DR9XU/4LCnFqV7DlCrTJz91cKN3CWpJ+iwazFM1dHVUgK21+WyyDzErB" +
        "B1qIRyBJTK5mxW6YfuiZoditioDqi+aQ+Tt26IqBDb21ew6Qz6fS38h+vfuHZm5e09R5mdgER1UQkv3VzpGm9jCN4/yFzoesX7fRB4xWEJ5akbI/7NErjAEkvIdS4+5q7YI22eajrP1m" +
        "5vAp27ifS034oVpmBTewXyiCKxxc6rfLf19J";
}
