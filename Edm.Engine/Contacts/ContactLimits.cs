namespace Edm.Engine.Contacts;

/// <summary>How much a contact can hold, whichever way it comes in. Lengths are UTF-16 code units.</summary>
public static class ContactLimits
{
    /// <summary>Of handle, nickname, country, language and category.</summary>
    public const int Length = 500;

    public const int BioLength = 4000;

    public const int AttributeLength = 4000;

    public const int Attributes = 256;

    /// <summary>What <see cref="CompactNumber"/> reads too.</summary>
    public const long Followers = 999_999_999_999_999_999;
}
