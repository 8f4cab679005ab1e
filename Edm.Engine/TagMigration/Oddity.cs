namespace Edm.Engine.TagMigration;

/// <summary>What can be wrong or odd with a row of the old table; its name is how reports write it, and the text what becomes of it.</summary>
internal enum Oddity
{
    NullColumn, JsonNull, NotAnArray, NullElement, NumberElement, BooleanElement, ObjectElement, NestedArray, EmptyName, WhiteSpace, ControlCharacter, LongName,
    DuplicateInRow, BrokenText, LargeValue, TooLarge, TooDeep, TooManyTags, NoAddress, InvalidAddress, DoubledAddress, NoOwner, UnknownOwner, Suppressed,
}

internal static class Oddities
{
    /// <summary>camelCase, as JSON writes names.</summary>
    public static string Name(this Oddity oddity) => char.ToLowerInvariant($"{oddity}"[0]) + $"{oddity}"[1..];

    /// <summary>What EDM makes of it, for people.</summary>
    public static string Becomes(this Oddity oddity, TagPolicy policy) => oddity switch
    {
        Oddity.NullColumn or Oddity.JsonNull => "a contact without tags; the column keeps its null unless EDM changes the contact's tags",
        Oddity.NotAnArray => "read as an array of this one value",
        Oddity.NullElement or Oddity.EmptyName => "no tag: there is no name to give it",
        Oddity.NumberElement or Oddity.BooleanElement => "a tag named as JSON writes the value",
        Oddity.ObjectElement => policy.ObjectName is { } field ? $"a tag named by the object's '{field}', or by the object as JSON where it has none" : "a tag named by the object as JSON",
        Oddity.NestedArray => "its elements, as if they stood in the row's array",
        Oddity.WhiteSpace => "the name without white space around it",
        Oddity.ControlCharacter => "the name with a space for each control character",
        Oddity.LongName => $"the name cut to {TagReading.MaxName} characters, of which the last nine tell it from others (~ and a hash)",
        Oddity.DuplicateInRow => "one membership; the column keeps both unless EDM takes the tag from the contact",
        Oddity.BrokenText => "the name with the replacement character for each half surrogate pair",
        Oddity.LargeValue => "read in full like any other",
        Oddity.TooLarge => $"set aside: more than {TagReading.MaxCharacters / (1024 * 1024)} MB",
        Oddity.TooDeep => $"set aside: nested deeper than {TagReading.MaxDepth}",
        Oddity.TooManyTags => $"set aside: more than {TagReading.MaxNames:N0} tags",
        Oddity.NoAddress or Oddity.InvalidAddress => "set aside: there is no contact without an address",
        Oddity.DoubledAddress => "one contact with the tags of all its rows",
        Oddity.Suppressed => "set aside without its value: the person asked EDM not to be mailed, or to be forgotten",
        Oddity.NoOwner or Oddity.UnknownOwner => "set aside: EDM has no such user",
        _ => throw new ArgumentOutOfRangeException(nameof(oddity), oddity, null),
    };

    /// <summary>Such a row becomes no contact; it is kept as it is, in EDM's table and in the old one.</summary>
    public static bool IsSetAside(this Oddity oddity) =>
        oddity is Oddity.TooLarge or Oddity.TooDeep or Oddity.TooManyTags or Oddity.NoAddress or Oddity.InvalidAddress or Oddity.NoOwner or Oddity.UnknownOwner or Oddity.Suppressed;
}
