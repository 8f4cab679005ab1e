using System.Text;

namespace Edm.Engine.Content;

/// <summary>Takes at most <see cref="TemplateLimits.MaxOutput"/> characters. Everything is synchronous: it writes to memory.</summary>
internal sealed class BoundedWriter(StringBuilder text) : TextWriter(System.Globalization.CultureInfo.InvariantCulture)
{
    public override Encoding Encoding => Encoding.Unicode;

    public override void Write(char value)
    {
        Take(1);
        text.Append(value);
    }

    public override void Write(char[] buffer, int index, int count)
    {
        Take(count);
        text.Append(buffer, index, count);
    }

    public override void Write(ReadOnlySpan<char> buffer)
    {
        Take(buffer.Length);
        text.Append(buffer);
    }

    public override void Write(string? value)
    {
        Take(value?.Length ?? 0);
        text.Append(value);
    }

    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer, index, count);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override Task FlushAsync() => Task.CompletedTask;

    private void Take(int count)
    {
        if (text.Length + count > TemplateLimits.MaxOutput)
        {
            throw new TemplateWorkException($"its output is longer than {TemplateLimits.MaxOutput} characters");
        }
    }
}
