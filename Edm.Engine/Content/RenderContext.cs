using Fluid;
using Fluid.Values;

namespace Edm.Engine.Content;

/// <summary>One rendering: its values, its rest of time, and what the template has named itself. Parts of one mail share it.</summary>
internal sealed class RenderContext : TemplateContext
{
    private readonly TimeProvider _time;
    private readonly long _began;
    private HashSet<string>? _named;

    public RenderContext(MailModel model, TemplateOptions options, bool strict, TimeProvider time)
        : base(model, options)
    {
        _time = time;
        _began = time.GetTimestamp();
        Strict = strict;
        Now = time.GetUtcNow;
    }

    public bool Strict { get; }

    /// <summary>Called by everything that costs more than a few instructions.</summary>
    /// <exception cref="TemplateWorkException">The time is over.</exception>
    public void Charge()
    {
        if (_time.GetElapsedTime(_began) > TemplateLimits.MaxTime)
        {
            throw new TemplateWorkException($"it takes longer than {TemplateLimits.MaxTime.TotalSeconds:0} s");
        }
    }

    /// <summary>The template gave a value this name. It is not unknown from now on, even when the value is nothing.</summary>
    public void Named(string name) => (_named ??= new HashSet<string>(StringComparer.OrdinalIgnoreCase)).Add(name);

    /// <summary>What an unknown variable comes to: nothing, or an error in strict mode.</summary>
    /// <exception cref="UnknownVariableException">In strict mode.</exception>
    public FluidValue Unknown(string name, string path) =>
        Strict && _named?.Contains(name) != true ? throw new UnknownVariableException(path) : NilValue.Instance;
}

/// <summary>The template does more than it may.</summary>
internal sealed class TemplateWorkException(string message) : Exception(message);

/// <summary>A strict template uses a variable that there is not.</summary>
internal sealed class UnknownVariableException(string name) : Exception(name)
{
    public string Name { get; } = name;
}
