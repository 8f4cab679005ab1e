using Edm.Contracts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Settings;

namespace Edm.Engine.Contacts.Search;

/// <summary>In which order contacts are listed: by a field that has a column, those without a value last, equal ones in the order in which they came.</summary>
public sealed class ContactOrder
{
    private ContactOrder(FilterField? field, bool descending)
    {
        Field = field;
        Descending = descending;
    }

    /// <summary>In the order in which they came.</summary>
    public static ContactOrder Oldest { get; } = new(null, false);

    internal FilterField? Field { get; }

    public bool Descending { get; }

    /// <param name="text"><c>followers</c>, or <c>-followers</c> for the largest first; empty is <see cref="Oldest"/>.</param>
    /// <exception cref="FieldException">There is no such field, or it has no column.</exception>
    public static ContactOrder Parse(string? text)
    {
        const string Name = "sort";
        if (string.IsNullOrWhiteSpace(text))
        {
            return Oldest;
        }

        var descending = text[0] == '-';
        var name = text.TrimStart('-').Trim();
        FilterField? field;
        try
        {
            field = FilterField.Find(name, 1);
        }
        catch (ContactFilterException)
        {
            throw new FieldException(Name, "Expected a name after 'attr.'.");
        }

        if (field is { IsAttribute: true })
        {
            return new ContactOrder(field.As(FilterFieldKind.AttributeNumber), descending);
        }

        var known = FilterField.Known.Where(f => f.Quick).Select(f => f.Name).ToArray();
        return field is { Quick: true }
            ? new ContactOrder(field, descending)
            : throw new FieldException(
                Name,
                $"{(field is null ? $"There is no field '{(name.Length > 40 ? name[..40] + "…" : name)}'; did you mean '{NearestName.Of(name, known)}'?" : $"A list can't be sorted by '{field.Name}'.")} There are {string.Join(", ", known)}, and attr.NAME for numbers; a '-' before it turns it round.");
    }

    public override string ToString() => Field is null ? "" : $"{(Descending ? "-" : "")}{(Field.IsAttribute ? "attr." : "")}{Field.Name}";
}
