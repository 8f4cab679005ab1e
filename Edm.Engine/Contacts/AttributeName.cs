using System.Text;

namespace Edm.Engine.Contacts;

/// <summary>How a column of a user's file is called once it is an attribute: a name that a template and a filter can write without quotes.</summary>
public static class AttributeName
{
    public const int MaxLength = 64;

    /// <summary>Lower case; what is neither letter nor digit becomes one <c>_</c>: <c>Views (Avg.)</c> is <c>views_avg</c>. Empty when nothing is left.</summary>
    public static string Of(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var text = new StringBuilder(Math.Min(name.Length, MaxLength));
        var gap = false;
        foreach (var character in name)
        {
            if (!char.IsLetterOrDigit(character))
            {
                gap = text.Length > 0;
                continue;
            }

            if (text.Length + (gap ? 2 : 1) > MaxLength)
            {
                break;
            }

            if (gap)
            {
                text.Append('_');
                gap = false;
            }

            text.Append(char.ToLowerInvariant(character));
        }

        return text.ToString();
    }
}
