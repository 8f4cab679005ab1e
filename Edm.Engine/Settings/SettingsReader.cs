using System.Globalization;
using System.Text.RegularExpressions;
using Akka.Configuration;
using Akka.Configuration.Hocon;

namespace Edm.Engine.Settings;

/// <summary>Reads typed values and remembers which keys were asked for, so that those nobody knows can be refused.</summary>
internal sealed partial class SettingsReader(Config config)
{
    private readonly HashSet<string> _known = [];

    /// <exception cref="SettingsException">The key is missing, or holds a list or an object.</exception>
    public string Text(string key)
    {
        _known.Add(key);
        var value = config.GetValue(key) ?? throw new SettingsException($"{key}: missing.");
        if (!value.IsString())
        {
            throw new SettingsException($"{key}: expected one value, found {(value.IsArray() ? "a list" : "a section")}.");
        }

        return value.GetString().Trim();
    }

    public string? TextOrNull(string key) => Text(key) is { Length: > 0 } text ? text : null;

    public int Number(string key, int min, int max)
    {
        var text = Text(key);
        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max
            ? number
            : throw new SettingsException($"{key}: '{text}' is not a whole number from {min} to {max}.");
    }

    public double Fraction(string key)
    {
        var text = Text(key);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 1
            ? number
            : throw new SettingsException($"{key}: '{text}' is not a number from 0 to 1.");
    }

    public bool Flag(string key) => Choice(key, ("true", true), ("false", false));

    public T Choice<T>(string key, params (string Name, T Value)[] choices)
    {
        var text = Text(key);
        foreach (var (name, value) in choices)
        {
            if (string.Equals(name, text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        throw new SettingsException($"{key}: '{text}' is none of {string.Join(", ", choices.Select(choice => choice.Name))}.");
    }

    public TimeSpan Duration(string key, TimeSpan min, TimeSpan max)
    {
        var text = Text(key);
        var match = DurationPattern().Match(text);
        if (!match.Success)
        {
            throw new SettingsException($"{key}: '{text}' is not a duration. Expected a number with a unit, such as 500ms, 30s, 5m or 1h.");
        }

        var unit = match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(1),
            "s" => TimeSpan.FromSeconds(1),
            "m" => TimeSpan.FromMinutes(1),
            "h" => TimeSpan.FromHours(1),
            _ => TimeSpan.FromDays(1),
        };
        var value = unit * double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return value >= min && value <= max ? value : throw new SettingsException($"{key}: {text} is not between {min} and {max} (days.hours:minutes:seconds).");
    }

    /// <returns>Bytes.</returns>
    public long Size(string key, long min, long max)
    {
        var text = Text(key);
        var match = SizePattern().Match(text);
        if (!match.Success)
        {
            throw new SettingsException($"{key}: '{text}' is not a size. Expected a number with a unit, such as 512KiB, 4MiB or 4GiB.");
        }

        var unit = match.Groups[2].Value switch
        {
            "KiB" => 1024d,
            "MiB" => 1024d * 1024,
            "GiB" => 1024d * 1024 * 1024,
            _ => 1d,
        };
        var value = unit * double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        return value >= min && value <= max ? (long)value : throw new SettingsException($"{key}: {text} is not between {min} and {max} bytes.");
    }

    /// <exception cref="SettingsException">The section holds a key that nobody has asked for.</exception>
    public void RefuseUnknown(string section)
    {
        foreach (var key in Leaves(section, config.GetValue(section)))
        {
            if (!_known.Contains(key))
            {
                throw new SettingsException($"{key}: there is no such setting; the nearest is {NearestName.Of(key, _known)}. hocon/edm.conf lists all of them.");
            }
        }
    }

    private static IEnumerable<string> Leaves(string path, HoconValue? value)
    {
        if (value is null || !value.IsObject())
        {
            return [path];
        }

        return value.GetObject().Items.SelectMany(item => Leaves($"{path}.{item.Key}", item.Value));
    }

    [GeneratedRegex(@"^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^(\d{1,15}(?:\.\d{1,6})?)\s*(B|KiB|MiB|GiB)$", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();
}
