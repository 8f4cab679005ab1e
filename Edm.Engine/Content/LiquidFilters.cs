using Fluid;
using Fluid.Values;

namespace Edm.Engine.Content;

/// <summary>
/// The filters of Liquid, each with a guard: values stay below <see cref="TemplateLimits.MaxValue"/> and lists below
/// <see cref="TemplateLimits.MaxElements"/>, so that no chain of them can grow without end. Fluid's own formatting filters are left out, because their formats can ask for a gigabyte.
/// </summary>
internal static class LiquidFilters
{
    private static readonly string[] Allowed =
    [
        "abs", "append", "at_least", "at_most", "base64_decode", "base64_encode", "capitalize", "ceil", "compact", "concat", "date", "default", "divided_by",
        "downcase", "escape", "escape_once", "first", "floor", "handle", "handleize", "join", "last", "lstrip", "map", "minus", "modulo", "newline_to_br", "plus",
        "prepend", "raw", "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last", "reverse", "round", "rstrip", "size", "slice", "sort",
        "sort_natural", "split", "strip", "strip_html", "strip_newlines", "sum", "times", "truncate", "truncatewords", "uniq", "upcase", "url_decode", "url_encode", "where",
    ];

    public static IReadOnlySet<string> Names { get; } = Allowed.ToHashSet();

    public static void GuardAll(TemplateOptions options)
    {
        var original = new TemplateOptions().Filters;
        options.Filters.Clear();
        foreach (var name in Allowed)
        {
            if (!original.TryGetValue(name, out var filter))
            {
                throw new InvalidOperationException($"Fluid has no filter '{name}' any more.");
            }

            options.Filters.AddFilter(name, Guard(name, filter));
        }
    }

    private static FilterDelegate Guard(string name, FilterDelegate filter) => (input, arguments, context) =>
    {
        ((RenderContext)context).Charge();
        switch (name)
        {
            case "replace":
                var old = arguments.At(0).ToStringValue().Length;
                Bound((long)Size(input) / Math.Max(old, 1) * Size(arguments.At(1)));
                break;
            case "join":
                Bound((long)Count(input) * Size(arguments.At(0)) + Size(input));
                break;
            case "date":
                CheckDateFormat(arguments.At(0).ToStringValue());
                break;
        }

        var result = filter(input, arguments, context);
        if (result.IsCompletedSuccessfully)
        {
            var value = result.Result;
            Check(value);
            return new ValueTask<FluidValue>(value);
        }

        return Awaited(result);
    };

    /// <summary>Refuses a value that has become too big.</summary>
    /// <exception cref="TemplateWorkException">It has.</exception>
    public static void Check(FluidValue value)
    {
        if (Count(value) > TemplateLimits.MaxElements)
        {
            throw new TemplateWorkException($"a list of it has more than {TemplateLimits.MaxElements} elements");
        }

        Bound(Size(value));
    }

    private static async ValueTask<FluidValue> Awaited(ValueTask<FluidValue> task)
    {
        var value = await task;
        Check(value);
        return value;
    }

    private static void Bound(long size)
    {
        if (size > TemplateLimits.MaxValue)
        {
            throw new TemplateWorkException($"a value of it is longer than {TemplateLimits.MaxValue} characters");
        }
    }

    private static int Count(FluidValue value) => value is ArrayValue list ? list.Values.Count : 1;

    private static int Size(FluidValue value)
    {
        if (value is StringValue text)
        {
            return text.ToStringValue().Length;
        }

        // Numbers, dates and the like are short. Lists are flat: no filter makes lists of lists.
        return value is ArrayValue list ? list.Values.Sum(element => element is StringValue inner ? inner.ToStringValue().Length : 1) : 1;
    }

    // %999999999Y makes a text of a gigabyte.
    private static void CheckDateFormat(string format)
    {
        var (inDirective, digits) = (false, 0);
        foreach (var c in format)
        {
            digits = char.IsAsciiDigit(c) ? digits + 1 : 0;
            if (inDirective && digits > 2)
            {
                throw new TemplateWorkException("a date format of it has a width of more than two digits");
            }

            inDirective = inDirective ? char.IsAsciiDigit(c) || c is '^' or '-' or '_' or ':' : c == '%';
        }
    }
}
