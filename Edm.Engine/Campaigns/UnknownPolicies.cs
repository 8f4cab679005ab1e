using Edm.Contracts;

namespace Edm.Engine.Campaigns;

/// <summary>The words for <see cref="UnknownPolicy"/> in the API and the database; null means: as the setting says.</summary>
public static class UnknownPolicies
{
    private const string Hold = "hold";
    private const string Resend = "resend";

    public static string? Name(UnknownPolicy? policy) => policy switch
    {
        null => null,
        UnknownPolicy.Hold => Hold,
        UnknownPolicy.Resend => Resend,
        _ => throw new ArgumentOutOfRangeException(nameof(policy), policy, "Unknown policy."),
    };

    /// <exception cref="FieldException">It is neither of the two.</exception>
    public static UnknownPolicy? Parse(string? name, string field) => name switch
    {
        null => null,
        Hold => UnknownPolicy.Hold,
        Resend => UnknownPolicy.Resend,
        _ => throw new FieldException(field, $"'{name}' is none of {Hold}, {Resend}."),
    };

    internal static UnknownPolicy? Read(string? stored) => Parse(stored, "unknown");
}
