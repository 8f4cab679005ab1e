using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using Fluid;
using Fluid.Ast;
using Fluid.Parser;
using Fluid.Values;

namespace Edm.Engine.Content;

/// <summary>Fluid as this house uses it: one parser and one set of options for all templates, both thread-safe once built.</summary>
internal static partial class LiquidEngine
{
    // Letters of all scripts stay readable in the source of a mail; only what HTML gives a meaning is escaped.
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    private static readonly FluidParser Parser = CreateParser();

    // Kept by a thread between renderings; a big one is let go again, so that one big mail doesn't hold a megabyte a thread.
    [ThreadStatic]
    private static StringBuilder? _buffer;

    private const int LargestKeptBuffer = 256 * 1024;

    public static TemplateOptions Options { get; } = CreateOptions();

    /// <exception cref="TemplateException">Names part, line and column.</exception>
    public static IFluidTemplate Parse(string part, string source)
    {
        TemplateLimits.Check(part, source, part == "subject" ? TemplateLimits.MaxSubjectSource : TemplateLimits.MaxPartSource);
        var statements = ReadStatements(part, source);
        var template = new FluidTemplate(statements);
        new Review(part, source).VisitTemplate(template);
        return template;
    }

    private static IReadOnlyList<Statement> ReadStatements(string part, string source)
    {
        try
        {
            if (Parser.Grammar.TryParse(new FluidParseContext(source), out var statements, out var error) && error is null)
            {
                return statements;
            }

            throw error is null
                ? new TemplateException($"{part}: the template can't be read.", part)
                : TemplateLimits.At(part, error.Position.Line, error.Position.Column, Plain(error.Message ?? "this can't be read"));
        }
        catch (Fluid.ParseException exception)
        {
            // Tags that there are not come this way, with the place in the words.
            throw PlaceInWords().Match(exception.Message) is { Success: true } place
                ? TemplateLimits.At(part, int.Parse(place.Groups[2].ValueSpan, CultureInfo.InvariantCulture), int.Parse(place.Groups[3].ValueSpan, CultureInfo.InvariantCulture), Plain(place.Groups[1].Value))
                : new TemplateException($"{part}: {Plain(exception.Message)}.", part);
        }
    }

    /// <exception cref="TemplateException">Names part and, where there is one, the variable.</exception>
    public static string Render(string part, IFluidTemplate template, RenderContext context)
    {
        var text = _buffer ?? new StringBuilder();
        _buffer = null;
        try
        {
            using var writer = new BoundedWriter(text);
            context.EnterChildScope();
            var rendering = template.RenderAsync(writer, part == "html" ? Html : NullEncoder.Default, context);

            Finish(rendering);
            context.ReleaseScope();
            return text.ToString();
        }
        catch (UnknownVariableException unknown)
        {
            throw new TemplateException($"{part}: there is no variable '{unknown.Name}' for this contact.", part);
        }
        catch (TemplateWorkException work)
        {
            throw new TemplateException($"{part}: the template is stopped, because {work.Message}.", part);
        }
        catch (Exception exception)
        {
            // Whatever a filter makes of a value that it does not expect: it concerns this mail only.
            throw new TemplateException($"{part}: {Plain(exception.Message)}", part);
        }
        finally
        {
            text.Clear();
            if (text.Capacity <= LargestKeptBuffer)
            {
                _buffer = text;
            }
        }
    }

    /// <summary>Nothing in a rendering waits, as every value is in memory; so what is not done by now has failed.</summary>
    private static void Finish(ValueTask rendering)
    {
        if (!rendering.IsCompletedSuccessfully)
        {
            var failed = rendering.AsTask().Exception ?? throw new InvalidOperationException("A rendering waited for something.");
            ExceptionDispatchInfo.Throw(failed.InnerException!);
        }
    }

    private static TemplateOptions CreateOptions()
    {
        var options = new TemplateOptions
        {
            MaxSteps = TemplateLimits.MaxSteps,
            TimeZone = TimeZoneInfo.Utc,
            Assigned = static (name, value, context) => Named(name, value, context),
        };
        LiquidFilters.GuardAll(options);
        return options;
    }

    private static ValueTask<FluidValue> Named(string name, FluidValue value, TemplateContext context)
    {
        var rendering = (RenderContext)context;
        rendering.Charge();
        rendering.Named(name);
        LiquidFilters.Check(value);
        return new ValueTask<FluidValue>(value);
    }

    private static FluidParser CreateParser()
    {
        var parser = new FluidParser();
        foreach (var tag in (string[])["include", "render", "from", "macro", "ifchanged", "capture"])
        {
            // There are no files to include; the others collect output where no bound reaches, capture comes back below with one.
            parser.RegisteredTags.Remove(tag);
        }

        parser.RegisterIdentifierBlock("capture", static async (name, statements, _, encoder, context) =>
        {
            var text = new StringBuilder();
            await using var writer = new BoundedWriter(text);
            var completion = await statements.RenderStatementsAsync(writer, encoder, context);

            // Its values are escaped already.
            context.SetValue(name, await Named(name, new StringValue(text.ToString(), encode: false), context));
            return completion;
        });

        foreach (var (name, create) in parser.RegisteredOperators.ToArray())
        {
            parser.RegisteredOperators[name] = (left, right) => new ChargedExpression(create(left, right));
        }

        return parser;
    }

    private static string Plain(string message) => LineBreaks().Replace(message, " ").Trim().TrimEnd('.');

    [GeneratedRegex(@"^(.*) at \((\d{1,9}):(\d{1,9})\)", RegexOptions.Singleline)]
    private static partial Regex PlaceInWords();

    [GeneratedRegex(@"\s*[\r\n]+\s*")]
    private static partial Regex LineBreaks();

    /// <summary>Finds what Fluid lets pass in silence and nobody wants: filters that there are not, and ranges without a known end.</summary>
    private sealed class Review(string part, string source) : AstVisitor
    {
        protected override Expression VisitFilterExpression(FilterExpression filter)
        {
            if (!LiquidFilters.Names.Contains(filter.Name))
            {
                var place = Regex.Match(source, $@"\|\s*{Regex.Escape(filter.Name)}\b");
                throw TemplateLimits.At(part, source, place.Success ? place.Index : 0, $"there is no filter '{filter.Name}'");
            }

            return base.VisitFilterExpression(filter);
        }

        protected override Expression VisitRangeExpression(RangeExpression range)
        {
            var ends = (range.From as LiteralExpression, range.To as LiteralExpression);
            if (ends is not ({ } from, { } to) || to.Value.ToNumberValue() - from.Value.ToNumberValue() >= TemplateLimits.MaxElements)
            {
                var place = source.IndexOf("..", StringComparison.Ordinal);
                throw TemplateLimits.At(part, source, Math.Max(place, 0), $"a range needs two numbers as its ends, with at most {TemplateLimits.MaxElements} between them");
            }

            return range;
        }

        public override Expression VisitOtherExpression(Expression expression) =>
            expression is ChargedExpression charged ? Visit(charged.Inner) : expression;

        public override Statement VisitOtherStatement(Statement statement)
        {
            if (statement is TagStatement block)
            {
                foreach (var inner in block.Statements)
                {
                    Visit(inner);
                }
            }

            return statement;
        }
    }

    /// <summary>A comparison that looks at the clock first: comparing long texts in a loop is the one costly thing that no filter guards.</summary>
    private sealed class ChargedExpression(Expression inner) : Expression
    {
        public Expression Inner => inner;

        public override ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
        {
            ((RenderContext)context).Charge();
            return inner.EvaluateAsync(context);
        }
    }
}
