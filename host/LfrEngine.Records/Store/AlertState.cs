using System.Text.Json.Serialization;
using LfrEngine.Records.Alerts;

namespace LfrEngine.Records.Store;

/// <summary>States of an alert. Each is reached by an entry (<see cref="AlertEvent"/>), also when undoing.</summary>
[JsonConverter(typeof(CamelCaseNames<AlertState>))]
public enum AlertState
{
    Raised,
    Viable,
    Rejected,
    Engaged,
    Confirmed,
    Incorrect,
    Arrest,
    OtherDisposal,
    Safeguarded,
    NoAction,
}
