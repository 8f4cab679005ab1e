using System.Globalization;
using System.Text;
using Edm.Contracts;

namespace Edm.Engine.Contacts.Search;

/// <summary>
/// Where a page ended: the last contact's place in the order, by its value and ordinal. So the next page goes on there whatever came, went or changed. For clients it is a
/// text without meaning; in the order of coming it is a plain number.
/// </summary>
/// <param name="Ordinal">Of the last contact; -1 before the first.</param>
/// <param name="Number">Its value, of an order by numbers.</param>
/// <param name="Text">Its value, of an order by texts.</param>
/// <param name="Order">For which order it holds.</param>
internal sealed record PageMark(int Ordinal, long? Number, string? Text, string Order)
{
    private const int MaxLength = 1000;

    public static PageMark Start(ContactOrder order) => new(-1, null, null, order.ToString());

    public bool HasValue => Number is not null || Text is not null;

    /// <exception cref="FieldException">It is not a mark, or one of another order.</exception>
    public static PageMark Parse(string? text, ContactOrder order)
    {
        if (string.IsNullOrEmpty(text) || text == "0")
        {
            return Start(order);
        }

        if (order.Field is null)
        {
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var next) ? new PageMark(next - 1, null, null, "") : throw NotAMark(text);
        }

        if (text.Length > MaxLength || Decode(text) is not { } parts)
        {
            throw NotAMark(text);
        }

        var (ordinal, kind, value, sort) = (parts[0], parts[1], parts[3], parts[2]);
        if (sort != order.ToString())
        {
            throw new FieldException("after", $"This mark is of a list sorted by '{sort}'. Begin a list in another order without it.");
        }

        if (!int.TryParse(ordinal, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
        {
            throw NotAMark(text);
        }

        return kind switch
        {
            "n" when !order.Field.IsText && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) => new PageMark(last, number, null, sort),
            "t" when order.Field.IsText => new PageMark(last, null, value, sort),
            "-" => new PageMark(last, null, null, sort),
            _ => throw NotAMark(text),
        };
    }

    public override string ToString()
    {
        if (Order.Length == 0)
        {
            return (Ordinal + 1).ToString(CultureInfo.InvariantCulture);
        }

        var (kind, value) = Number is { } number ? ("n", number.ToString(CultureInfo.InvariantCulture)) : Text is { } text ? ("t", text) : ("-", "");
        return Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Ordinal} {kind} {Order} {value}"))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }

    private static string[]? Decode(string text)
    {
        var padded = text.Replace('-', '+').Replace('_', '/') + new string('=', (4 - (text.Length % 4)) % 4);
        var bytes = new byte[padded.Length];
        if (!Convert.TryFromBase64String(padded, bytes, out var length))
        {
            return null;
        }

        // The value is last and may hold spaces.
        var parts = Encoding.UTF8.GetString(bytes, 0, length).Split(' ', 4);
        return parts.Length == 4 ? parts : null;
    }

    private static FieldException NotAMark(string text) =>
        new("after", $"'{(text.Length > 40 ? text[..40] + "…" : text)}' is not the 'next' of a page.");
}
