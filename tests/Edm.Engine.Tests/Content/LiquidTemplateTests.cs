using System.Diagnostics;
using Edm.Contracts;
using Edm.Engine.Content;
using Xunit;

namespace Edm.Engine.Tests.Content;

public sealed class LiquidTemplateTests
{
    private static readonly ContactCard Creator = new(
        new ContactId(1), "mia@example.com", "mia.makes", "Mia <3", 1_300_000, "US", null, "crafts", "I make \"things\" & more",
        new Dictionary<string, string> { ["Avg Views"] = "12k", ["shoe_size"] = "38" });

    private static readonly ServiceSender Sender = new("anna@brand.example", "Anna");

    [Fact]
    public void Fields_attributes_and_sender_are_found_at_both_places()
    {
        var mail = Render("{{ nickname }}/{{ contact.handle }}/{{ followers }}", text: "{{ shoe_size }} {{ contact.shoe_size }} {{ avg_views }} {{ contact['Avg Views'] }} {{ sender.name }} {{ sender.address }}");

        Assert.Equal("Mia <3/mia.makes/1300000", mail.Subject);
        Assert.Equal("38 38 12k 12k Anna anna@brand.example", mail.Text);
    }

    [Fact]
    public void Html_escapes_values_and_subject_and_text_do_not()
    {
        var mail = Render("{{ bio }}", html: "<b>{{ bio }} {{ nickname }} Zoë</b>", text: "{{ bio }}");

        Assert.Equal("I make \"things\" & more", mail.Subject);
        Assert.Equal("I make \"things\" & more", mail.Text);
        Assert.Equal("<b>I make &quot;things&quot; &amp; more Mia &lt;3 Zoë</b>", mail.Html);
    }

    [Fact]
    public void A_captured_block_is_escaped_once() =>
        Assert.Equal("Mia &lt;3!", Render("s", html: "{% capture x %}{{ nickname }}!{% endcapture %}{{ x }}").Html);

    [Fact]
    public void A_value_that_this_contact_lacks_is_nothing_also_in_strict_mode() =>
        Assert.Equal("[] there", Render("[{{ language }}] {{ language | default: 'there' }}", strict: true).Subject);

    [Fact]
    public void An_unknown_variable_is_nothing_unless_strict()
    {
        Assert.Equal("Hi !", Render("Hi {{ nickame }}!").Subject);
        var refused = Assert.Throws<TemplateException>(() => Render("s", html: "Hi {{ contact.nickame }}!", strict: true));
        Assert.Equal("html: there is no variable 'contact.nickame' for this contact.", refused.Message);
        Assert.Equal("html", refused.Part);
    }

    [Fact]
    public void A_variable_of_the_template_itself_is_never_unknown() =>
        Assert.Equal("[] 1 2 ", Render("{% assign x = language %}[{{ x }}] {% for i in (1..2) %}{{ i }} {% endfor %}", strict: true).Subject + " ");

    [Theory]
    [InlineData("Hello\r\nBcc: all@example.com", "Hello Bcc: all@example.com")]
    [InlineData("  {% if true %}\n  Hello   {{ nickname }}\n{% endif %}", "Hello Mia <3")]
    [InlineData("{{ 'a' | append: contact.x }}\u2028b\u0085c\0d", "a b c d")]
    public void A_subject_comes_out_as_one_line(string source, string subject) => Assert.Equal(subject, Render(source).Subject);

    [Theory]
    [InlineData("Hi {{ nickname ", 1, "html")]
    [InlineData("one\ntwo {% if nickname %} three", 2, "html")]
    [InlineData("\n\n{{ nickname | upcas }}", 3, "html")]
    [InlineData("{% unknown %}", 1, "html")]
    [InlineData("{% include 'x' %}", 1, "html")]
    public void A_template_that_can_not_be_read_names_part_and_place(string html, int line, string part)
    {
        var refused = Assert.Throws<TemplateException>(() => Render("s", html: html));

        Assert.Equal((part, line), (refused.Part, refused.Line));
        Assert.NotNull(refused.Column);
        Assert.StartsWith($"{part}, line {line}, column {refused.Column}: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_template_without_a_body_is_refused() =>
        Assert.Throws<TemplateException>(() => LiquidTemplate.Parse(new TemplateSource("s", null, null, false), TimeProvider.System));

    [Fact]
    public void A_subject_that_comes_out_endless_is_refused() =>
        Assert.Throws<TemplateException>(() => Render("{% for i in (1..200) %}{{ nickname }}{% endfor %}"));

    [Theory]
    [InlineData("{% for i in (1..2147483646) %}{% endfor %}")]
    [InlineData("{% for i in (1..followers) %}{% endfor %}")]
    [InlineData("{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}")]
    [InlineData("{% assign a = 'x' %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}")]
    [InlineData("{% assign a = 'x' %}{% for i in (1..100) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}")]
    [InlineData("{% assign a = 'a,b' | split: ',' %}{% for i in (1..100) %}{% assign a = a | concat: a %}{% endfor %}")]
    [InlineData("{% assign a = '' %}{% for i in (1..5000) %}{% assign a = a | append: 'xxxx' %}{% endfor %}{{ a | replace: 'x', a }}")]
    [InlineData("{% assign a = '' %}{% for i in (1..5000) %}{% assign a = a | append: 'xxxx' %}{% endfor %}{% assign b = a | slice: 0, 9000 | split: '' %}{{ b | join: a }}")]
    [InlineData("{% assign a = '' %}{% for i in (1..4000) %}{% assign a = a | append: 'xxxx' %}{% endfor %}{% for i in (1..999) %}{{ a }}{% endfor %}")]
    [InlineData("{{ 'now' | date: '%999999999Y' }}")]
    public void A_hostile_template_is_stopped_before_it_hurts(string html)
    {
        var watch = Stopwatch.StartNew();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Throws<TemplateException>(() => Render("s", html: html));

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"took {watch.Elapsed}");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 500_000_000);
    }

    [Fact]
    public void Nesting_that_would_overflow_the_stack_is_refused()
    {
        Assert.Throws<TemplateException>(() => Render("s", html: string.Concat(Enumerable.Repeat("{% if true %}", 20_000)) + string.Concat(Enumerable.Repeat("{% endif %}", 20_000))));
        Assert.Throws<TemplateException>(() => Render("s", html: "{{ a" + string.Concat(Enumerable.Repeat("[a", 900)) + new string(']', 900) + " }}"));
        Assert.Throws<TemplateException>(() => Render("s", html: "{% if a " + string.Concat(Enumerable.Repeat("or a ", 40_000)) + "%}{% endif %}"));
    }

    [Fact]
    public void What_the_limits_allow_still_works()
    {
        var nested = string.Concat(Enumerable.Repeat("{% if true %}", 30)) + "x" + string.Concat(Enumerable.Repeat("{% endif %}", 30));
        var chain = "{% if false " + string.Concat(Enumerable.Repeat("or false ", 200)) + "or true %}y{% endif %}";
        var filters = "{{ 'z'" + string.Concat(Enumerable.Repeat(" | upcase", 200)) + " }}";

        Assert.Equal("xyZ", Render("s", text: nested + chain + filters).Text);
    }

    [Fact]
    public void Braces_in_raw_and_comment_blocks_are_text() =>
        Assert.Equal("{{ nickname {% if a", Render("s", text: "{% raw %}{{ nickname {% if {% endraw %}{% comment %}{% if {{ {% endcomment %}a").Text);

    [Fact]
    public async Task One_template_serves_many_threads()
    {
        var template = LiquidTemplate.Parse(new TemplateSource("{{ email }}", "<p>{{ nickname | default: 'x' | upcase }}</p>", null, true), TimeProvider.System);

        await Parallel.ForAsync(0, 1000, (i, _) =>
        {
            var mail = template.Render(Creator with { Email = $"c{i}@example.com" }, Sender);
            Assert.Equal($"c{i}@example.com", mail.Subject);
            return ValueTask.CompletedTask;
        });
    }

    private static RenderedMail Render(string subject, string? html = null, string? text = null, bool strict = false) =>
        LiquidTemplate.Parse(new TemplateSource(subject, html, html is null ? text ?? "text" : text, strict), TimeProvider.System).Render(Creator, Sender);
}
