using Fluid;
using Fluid.Values;

namespace Edm.Engine.Content;

/// <summary>
/// What a template sees: <c>contact.*</c>, <c>sender.*</c>, and the fields and attributes of the contact at top level too. Nothing is built
/// beforehand: a value is made when the template asks for it.
/// </summary>
internal sealed class MailModel(ContactCard contact, ServiceSender? sender) : LazyValue(contact)
{
    protected override FluidValue Get(string name, RenderContext context) => name switch
    {
        "contact" => new ContactValue(contact),
        "sender" => new SenderValue(sender),
        _ => ContactValue.Find(contact, name) ?? context.Unknown(name, name),
    };
}

internal sealed class ContactValue(ContactCard contact) : LazyValue(contact)
{
    /// <returns>Null when there is no such field and no such attribute; nil when this contact has nothing there.</returns>
    public static FluidValue? Find(ContactCard contact, string name)
    {
        switch (name)
        {
            case "email": return Text(contact.Email);
            case "handle": return Text(contact.Handle);
            case "nickname": return Text(contact.Nickname);
            case "followers": return contact.Followers is { } followers ? NumberValue.Create(followers) : NilValue.Instance;
            case "country": return Text(contact.Country);
            case "language": return Text(contact.Language);
            case "category": return Text(contact.Category);
            case "bio": return Text(contact.Bio);
            default: return contact.Attributes.TryGetValue(name, out var value) || TryFindLoosely(contact, name, out value) ? Text(value) : null;
        }
    }

    protected override FluidValue Get(string name, RenderContext context) => Find(contact, name) ?? context.Unknown(name, $"contact.{name}");

    // "Avg Views" in a file is {{ avg_views }} in a template, because a variable can't have a space.
    private static bool TryFindLoosely(ContactCard contact, string name, out string? value)
    {
        foreach (var (key, text) in contact.Attributes)
        {
            if (IsLoosely(key, name))
            {
                value = text;
                return true;
            }
        }

        value = null;
        return false;
    }

    private static bool IsLoosely(string key, string name)
    {
        if (key.Length != name.Length)
        {
            return false;
        }

        for (var i = 0; i < key.Length; i++)
        {
            if (char.ToLowerInvariant(key[i]) != char.ToLowerInvariant(name[i]) && !(name[i] == '_' && key[i] is ' ' or '-' or '.'))
            {
                return false;
            }
        }

        return true;
    }
}

internal sealed class SenderValue(ServiceSender? sender) : LazyValue(sender)
{
    protected override FluidValue Get(string name, RenderContext context) => name switch
    {
        "name" => Text(sender?.Name),
        "address" => Text(sender?.Address),
        _ => context.Unknown(name, $"sender.{name}"),
    };
}

/// <summary>An object whose members are looked up by name. As a text it is empty: a whole contact in a mail can only be a mistake.</summary>
internal abstract class LazyValue(object? value) : FluidValue
{
    public override FluidValues Type => FluidValues.Object;

    public override ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) => new(Get(name, (RenderContext)context));

    public override ValueTask<FluidValue> GetIndexAsync(FluidValue index, TemplateContext context) => GetValueAsync(index.ToStringValue(), context);

    public override bool Equals(FluidValue other) => other is LazyValue lazy && ReferenceEquals(lazy.ToObjectValue(), value);

    public override bool Equals(object? obj) => obj is FluidValue other && Equals(other);

    public override int GetHashCode() => value?.GetHashCode() ?? 0;

    public override bool ToBooleanValue() => true;

    public override decimal ToNumberValue() => 0;

    public override string ToStringValue() => "";

    public override object? ToObjectValue() => value;

    protected abstract FluidValue Get(string name, RenderContext context);

    protected static FluidValue Text(string? text) => string.IsNullOrEmpty(text) ? NilValue.Instance : new StringValue(text);
}
