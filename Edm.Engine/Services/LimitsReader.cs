using System.Globalization;
using System.Text.Json;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services.Limits;

namespace Edm.Engine.Services;

/// <summary>From the limits as people write them to those that are computed with. Every refusal names the field.</summary>
internal static class LimitsReader
{
    private const int MaxWindows = 50;

    private static readonly JsonSerializerOptions Stored = new(JsonSerializerDefaults.Web);

    private static readonly string[] DayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    /// <exception cref="FieldException">A value can't be used.</exception>
    public static ServiceLimits Read(int? perHour, int? perDay, SendingLimits? limits)
    {
        limits ??= new SendingLimits();
        if (limits.MinGapSeconds is { } gap && gap is not (>= 0.001 and <= 86_400))
        {
            throw new FieldException("limits.minGapSeconds", "Expected 0.001 to 86400 seconds.");
        }

        if (limits.GapJitter is { } jitter && jitter is not (>= 0 and <= 1))
        {
            throw new FieldException("limits.gapJitter", "Expected 0 to 1.");
        }

        if (limits.MailsPerConnection is { } mails)
        {
            ServiceChecks.Range("limits.mailsPerConnection", mails, 1, TokenBucket.MaxPerMinute);
        }

        return new ServiceLimits(
            perHour, perDay, Zone(limits.TimeZone), TimeSpan.FromSeconds(limits.MinGapSeconds ?? 0), limits.GapJitter ?? 0, limits.MailsPerConnection,
            Windows(limits.Windows ?? []), limits.WarmUp is { } plan ? WarmUp(plan) : null, Caps(limits.ProviderCaps));
    }

    public static string? Write(SendingLimits? limits) => limits is null || limits == new SendingLimits() ? null : JsonSerializer.Serialize(limits, Stored);

    public static SendingLimits? Parse(string? stored) => stored is null ? null : JsonSerializer.Deserialize<SendingLimits>(stored, Stored);

    private static TimeZoneInfo Zone(string? name)
    {
        if (name is null)
        {
            return TimeZoneInfo.Utc;
        }

        // Only IANA names, which mean the same on every machine.
        return name.Length <= 64 && TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) && zone.HasIanaId
            ? zone
            : throw new FieldException("limits.timeZone", $"'{(name.Length <= 64 ? name : $"{name[..64]}…")}' is not a time zone that is known here. Expected an IANA name such as Europe/Berlin or UTC.");
    }

    private static SendingWindow[] Windows(SendingHours[] hours)
    {
        if (hours.Length > MaxWindows)
        {
            throw new FieldException("limits.windows", $"At most {MaxWindows} windows.");
        }

        return [.. hours.Select((window, nr) => Window(window, $"limits.windows[{nr}]"))];
    }

    private static SendingWindow Window(SendingHours hours, string field)
    {
        if (hours is null)
        {
            throw new FieldException(field, "Expected days, from and to.");
        }

        var days = (hours.Days ?? []).Select(day => Array.IndexOf(DayNames, day)).ToArray();
        if (days.Length == 0)
        {
            throw new FieldException($"{field}.days", "A window without days never opens. Expected one or more of mon, tue, wed, thu, fri, sat, sun.");
        }

        if (days.Contains(-1))
        {
            throw new FieldException($"{field}.days", $"Expected {string.Join(", ", DayNames[1..])}, sun.");
        }

        var from = Time(hours.From, $"{field}.from", endOfDay: false);
        var to = Time(hours.To, $"{field}.to", endOfDay: true);
        if (from == to && hours.To != "24:00")
        {
            throw new FieldException($"{field}.to", "A window that ends when it begins never opens. For a whole day write 00:00 to 24:00.");
        }

        return new SendingWindow([.. days.Distinct().Select(day => (DayOfWeek)day)], from, to);
    }

    private static TimeOnly Time(string? text, string field, bool endOfDay) =>
        endOfDay && text == "24:00" ? TimeOnly.MinValue
        : TimeOnly.TryParseExact(text, "HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time
        : throw new FieldException(field, "Expected a time such as 09:00.");

    private static WarmUp WarmUp(WarmUpPlan plan)
    {
        if (plan.Table is { } table)
        {
            if (plan.First is not null || plan.Growth is not null || plan.Days is not null)
            {
                throw new FieldException("limits.warmUp", "Expected either a table, or first, growth and days.");
            }

            if (table.Length is < 1 or > Limits.WarmUp.MaxDays || table.Any(mails => mails is < 0 or > TokenBucket.MaxPerMinute))
            {
                throw new FieldException("limits.warmUp.table", $"Expected 1 to {Limits.WarmUp.MaxDays} numbers of mails, each 0 to {TokenBucket.MaxPerMinute}.");
            }

            return new WarmUp(plan.Start, table);
        }

        ServiceChecks.Range("limits.warmUp.first", plan.First ?? throw new FieldException("limits.warmUp.first", "Expected the number of mails on the first day, or a table."), 1, TokenBucket.MaxPerMinute);
        ServiceChecks.Range("limits.warmUp.days", plan.Days ?? 30, 1, Limits.WarmUp.MaxDays);
        if ((plan.Growth ?? 1.2) is not (>= 1 and <= 10))
        {
            throw new FieldException("limits.warmUp.growth", "Expected 1 to 10: each day so many times the mails of the day before.");
        }

        return new WarmUp(plan.Start, null, plan.First, plan.Growth ?? 1.2, plan.Days ?? 30);
    }

    private static Dictionary<MailboxProvider, ProviderCap> Caps(Dictionary<string, ProviderLimit>? caps)
    {
        var read = new Dictionary<MailboxProvider, ProviderCap>();
        foreach (var (name, cap) in caps ?? [])
        {
            var field = $"limits.providerCaps.{(name.Length <= 32 ? name : name[..32])}";
            var provider = MailboxProviders.Named(name) ?? throw new FieldException(field, "No such provider. Expected gmail, outlook, yahoo, qq, 163 or other.");
            if (cap is null)
            {
                throw new FieldException(field, "Expected perHour, perDay or both.");
            }

            Limit($"{field}.perHour", cap.PerHour);
            Limit($"{field}.perDay", cap.PerDay);
            read[provider] = new ProviderCap(cap.PerHour, cap.PerDay);
        }

        return read;
    }

    private static void Limit(string field, int? limit)
    {
        if (limit is { } value)
        {
            ServiceChecks.Range(field, value, 0, TokenBucket.MaxPerMinute * 60);
        }
    }
}
