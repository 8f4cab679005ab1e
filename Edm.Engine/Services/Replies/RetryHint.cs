using System.Globalization;

namespace Edm.Engine.Services.Replies;

/// <summary>How long a reply asks to wait: <c>try again in 5 minutes</c>, <c>retry after 300</c>, <c>come back in 00:05:00</c>, <c>wait an hour</c>, <c>请在60秒后重试</c>.</summary>
internal static class RetryHint
{
    /// <summary>Whoever asks for more is asked again after this: a hostile number must not hold a mail for ever.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>A cue stands at most so many words before the number, or half as many behind it.</summary>
    private const int Reach = 8;

    private static readonly HashSet<string> Cues = new(StringComparer.Ordinal)
    {
        "again", "retry", "retries", "retrying", "try", "wait", "waiting", "back", "resend", "reattempt", "reconnect", "resubmit", "delay", "delayed", "deferred", "postponed", "greylist",
        "greylisted", "greylisting", "graylist", "graylisted", "graylisting", "blocked", "locked", "banned", "suspended", "erneut", "versuchen", "warten", "reessayer", "reessayez", "attendre",
        "attendez", "patienter", "intente", "intentelo", "espere", "reintente", "reintentar", "tente", "novamente", "aguarde", "riprova", "riprovare", "riprovi", "attendere", "через",
        "попробуйте", "повторите", "подождите",
    };

    private static readonly HashSet<string> CuesBehind = new(StringComparer.Ordinal) { "later", "before", "again", "retry", "retrying", "erneut", "novamente", "spater", "plus", "mas", "piu", "позже" };

    /// <summary>These make of a time a rate, an age or a span that is over.</summary>
    private static readonly HashSet<string> Spoilers = new(StringComparer.Ordinal)
    {
        "per", "last", "past", "previous", "every", "each", "limit", "limits", "exceeded", "exceeds", "maximum", "max", "since", "only", "within", "over", "pro", "par", "por", "для",
    };

    /// <summary>Between the cue and a number without unit.</summary>
    private static readonly HashSet<string> Links = new(StringComparer.Ordinal) { "in", "after", "for", "wait", "retry" };

    private static readonly Dictionary<string, int> Numbers = new(StringComparer.Ordinal)
    {
        ["a"] = 1, ["an"] = 1, ["one"] = 1, ["two"] = 2, ["three"] = 3, ["five"] = 5, ["ten"] = 10, ["fifteen"] = 15, ["twenty"] = 20, ["thirty"] = 30, ["sixty"] = 60, ["einer"] = 1, ["une"] = 1,
        ["una"] = 1, ["uma"] = 1, ["un"] = 1, ["um"] = 1,
    };

    private static readonly Dictionary<string, int> Units = new[]
        {
            (1, "s sec secs second seconds sek sekunde sekunden seconde secondes segundo segundos secondo secondi seconden сек секунду секунды секунд"),
            (60, "m min mins minute minutes minuten minuto minutos minuti minuut минуту минуты минут мин"),
            (3600, "h hr hrs hour hours stunde stunden heure heures hora horas ora ore uur час часа часов"),
            (86400, "d day days tag tage tagen jour jours dia dias giorno giorni dag dagen день дня дней"),
        }
        .SelectMany(unit => unit.Item2.Split(' '), (unit, word) => KeyValuePair.Create(word, unit.Item1)).ToDictionary(StringComparer.Ordinal);

    /// <summary>By how the word begins, as nothing separates it from the next.</summary>
    private static readonly (string Beginning, int Seconds)[] UnitsWithoutSpaces = [("秒", 1), ("分", 60), ("小时", 3600), ("小時", 3600), ("時間", 3600), ("天", 86400)];

    /// <returns>Null when it doesn't say; never more than <see cref="Longest"/>.</returns>
    public static TimeSpan? Find(string text)
    {
        var tokens = Tokens(text.Length > ReplyReading.MaxLength ? text[..ReplyReading.MaxLength] : text);
        for (var i = 0; i < tokens.Count; i++)
        {
            var (seconds, next) = SpanAt(tokens, i);
            if (seconds is > 0 and var span && (HasCueBefore(tokens, i) || (!IsSpoiled(tokens, i) && HasCueBehind(tokens, next))))
            {
                return span >= Longest.TotalSeconds ? Longest : TimeSpan.FromSeconds(span);
            }
        }

        return null;
    }

    /// <returns>The seconds that stand here, 0 when none do, and the token behind them.</returns>
    private static (long Seconds, int Next) SpanAt(List<string> tokens, int at)
    {
        var clock = tokens[at].Split(':');
        if (clock.Length is 2 or 3)
        {
            var values = Array.ConvertAll(clock, part => long.Parse(part, CultureInfo.InvariantCulture));
            return (values.Aggregate(0L, (sum, value) => (sum * 60) + value), at + 1);
        }

        var (total, next) = (0L, at);
        while (next < tokens.Count && NumberAt(tokens, next) is { } number && next + 1 < tokens.Count && UnitOf(tokens[next + 1]) is { } unit)
        {
            (total, next) = (total + (number * unit), next + 2);
        }

        if (next > at)
        {
            return (total, next);
        }

        // Seconds, where a sentence leaves the unit out: 'retry after 300'.
        return char.IsAsciiDigit(tokens[at][0]) && at > 0 && Links.Contains(tokens[at - 1]) && (at + 1 == tokens.Count || tokens[at + 1] == ".")
            ? (NumberAt(tokens, at) ?? 0, at + 1)
            : (0, at);
    }

    private static long? NumberAt(List<string> tokens, int at) =>
        char.IsAsciiDigit(tokens[at][0]) && !tokens[at].Contains(':', StringComparison.Ordinal) ? long.Parse(tokens[at], CultureInfo.InvariantCulture)
        : Numbers.TryGetValue(tokens[at], out var number) ? number
        : null;

    private static int? UnitOf(string token) =>
        Units.TryGetValue(token, out var seconds) ? seconds
        : Array.Find(UnitsWithoutSpaces, unit => token.StartsWith(unit.Beginning, StringComparison.Ordinal)) is { Seconds: > 0 } found ? found.Seconds
        : null;

    private static bool HasCueBefore(List<string> tokens, int at)
    {
        for (var i = at - 1; i >= Math.Max(0, at - Reach); i--)
        {
            if (Spoilers.Contains(tokens[i]))
            {
                return false;
            }

            if (Cues.Contains(tokens[i]) || tokens[i].Contains('请') || tokens[i].Contains('等'))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>"In the last 60 minutes, try again later": the number belongs to what stands before it.</summary>
    private static bool IsSpoiled(List<string> tokens, int at) => tokens.Skip(Math.Max(0, at - 3)).Take(Math.Min(at, 3)).Any(Spoilers.Contains);

    private static bool HasCueBehind(List<string> tokens, int next)
    {
        // Chinese has no space between the unit and what follows: 60秒后重试.
        if (tokens[next - 1].AsSpan().ContainsAny("后後再重"))
        {
            return true;
        }

        for (var i = next; i < Math.Min(tokens.Count, next + (Reach / 2)) && tokens[i] != "."; i++)
        {
            if (CuesBehind.Contains(tokens[i]))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Words, whole numbers of at most 7 digits, times such as 00:05:00, and "." for the ends of sentences. Other numbers (IP addresses, enhanced codes) are "#".</summary>
    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            if (char.IsAsciiDigit(text[i]))
            {
                while (i < text.Length && (char.IsAsciiDigit(text[i]) || (text[i] is '.' or ':' && i + 1 < text.Length && char.IsAsciiDigit(text[i + 1]))))
                {
                    i++;
                }

                var number = text.AsSpan(start, i - start);
                tokens.Add(number.Contains('.') || number.Length > 8 || (number.Length > 7 && !number.Contains(':')) ? "#" : number.ToString());
            }
            else if (char.IsLetter(text[i]))
            {
                while (i < text.Length && char.IsLetter(text[i]))
                {
                    i++;
                }

                tokens.Add(ReplyReading.Fold(text[start..i]).Trim());
            }
            else
            {
                if (text[i] is '.' or ';' or '!' or '?' or '\n' or '\r' or ')' or ']')
                {
                    tokens.Add(".");
                }

                i++;
            }
        }

        return tokens;
    }
}
