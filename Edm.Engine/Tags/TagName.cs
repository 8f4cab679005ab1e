using System.Globalization;
using Edm.Contracts;

namespace Edm.Engine.Tags;

/// <summary>A tag's name as a person wrote it, without space around it. Two names that differ in case only are one.</summary>
public readonly record struct TagName
{
    public const int MaxLength = 100;

    private TagName(string text) => Text = text;

    public string Text { get; }

    /// <summary>What is compared, and stored in <c>name_key</c>.</summary>
    public string Key => KeyOf(Text);

    public static string KeyOf(string name) => name.Trim().Normalize().ToLowerInvariant();

    /// <param name="field">Where it stands in the request.</param>
    /// <exception cref="FieldException">Empty, too long, or with control characters or half a character.</exception>
    public static TagName Parse(string? text, string field)
    {
        var name = (text ?? "").Trim();
        if (name.Length is 0 or > MaxLength)
        {
            throw new FieldException(field, $"A tag's name is 1 to {MaxLength} characters; this has {name.Length}.");
        }

        for (var i = 0; i < name.Length; i++)
        {
            var whole = !char.IsSurrogate(name[i]) || (i + 1 < name.Length && char.IsSurrogatePair(name[i], name[i + 1]));
            if (!whole || char.IsControl(name[i]) || name[i] is '\u2028' or '\u2029')
            {
                throw new FieldException(field, $"The character at position {(i + 1).ToString(CultureInfo.InvariantCulture)} of a tag's name can't be used: control characters, line breaks and halves of characters are not names.");
            }

            i += char.IsHighSurrogate(name[i]) ? 1 : 0;
        }

        return new TagName(name);
    }

    public override string ToString() => Text;
}
