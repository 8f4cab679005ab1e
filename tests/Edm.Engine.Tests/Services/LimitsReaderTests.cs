using System.Text.Json;
using Edm.Contracts;
using Edm.Contracts.Http;
using Edm.Engine.Services;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services;

public sealed class LimitsReaderTests
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    [Theory]
    [InlineData("""{"timeZone":"Mars/Olympus"}""", "limits.timeZone")]
    [InlineData("""{"timeZone":"W. Europe Standard Time"}""", "limits.timeZone")]
    [InlineData("""{"timeZone":""}""", "limits.timeZone")]
    [InlineData("""{"minGapSeconds":0}""", "limits.minGapSeconds")]
    [InlineData("""{"minGapSeconds":-1}""", "limits.minGapSeconds")]
    [InlineData("""{"minGapSeconds":86401}""", "limits.minGapSeconds")]
    [InlineData("""{"gapJitter":1.1}""", "limits.gapJitter")]
    [InlineData("""{"gapJitter":-0.1}""", "limits.gapJitter")]
    [InlineData("""{"mailsPerConnection":0}""", "limits.mailsPerConnection")]
    [InlineData("""{"mailsPerConnection":1000001}""", "limits.mailsPerConnection")]
    [InlineData("""{"windows":[null]}""", "limits.windows[0]")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"09:00","to":"17:00"},{"days":[],"from":"09:00","to":"17:00"}]}""", "limits.windows[1].days")]
    [InlineData("""{"windows":[{"days":["monday"],"from":"09:00","to":"17:00"}]}""", "limits.windows[0].days")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"9","to":"17:00"}]}""", "limits.windows[0].from")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"24:00","to":"17:00"}]}""", "limits.windows[0].from")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"09:00","to":"25:00"}]}""", "limits.windows[0].to")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"09:00","to":"09:00"}]}""", "limits.windows[0].to")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","table":[]}}""", "limits.warmUp.table")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","table":[5,-1]}}""", "limits.warmUp.table")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","table":[5],"first":5}}""", "limits.warmUp")]
    [InlineData("""{"warmUp":{"start":"2026-11-28"}}""", "limits.warmUp.first")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","first":0}}""", "limits.warmUp.first")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","first":5,"days":731}}""", "limits.warmUp.days")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","first":5,"growth":0.9}}""", "limits.warmUp.growth")]
    [InlineData("""{"providerCaps":{"gmial":{"perHour":5}}}""", "limits.providerCaps.gmial")]
    [InlineData("""{"providerCaps":{"gmail":null}}""", "limits.providerCaps.gmail")]
    [InlineData("""{"providerCaps":{"gmail":{"perHour":-1}}}""", "limits.providerCaps.gmail.perHour")]
    [InlineData("""{"providerCaps":{"163":{"perDay":60000001}}}""", "limits.providerCaps.163.perDay")]
    public void What_cannot_be_used_is_refused_by_its_field(string json, string field) =>
        Assert.Equal(field, Assert.Throws<FieldException>(() => LimitsReader.Read(null, null, JsonSerializer.Deserialize<SendingLimits>(json, Web))).Field);

    [Fact]
    public void More_windows_than_anybody_needs_are_refused()
    {
        var hours = Enumerable.Repeat(new SendingHours(["mon"], "09:00", "10:00"), 51).ToArray();

        Assert.Equal("limits.windows", Assert.Throws<FieldException>(() => LimitsReader.Read(null, null, new SendingLimits(Windows: hours))).Field);
    }

    [Fact]
    public void What_is_stored_is_read_again_as_it_was()
    {
        var limits = new SendingLimits(
            "Europe/Berlin", 1.5, 0.25, 100, [new SendingHours(["mon", "sun"], "22:00", "24:00")], new WarmUpPlan(new DateOnly(2026, 11, 28), First: 20, Growth: 1.5, Days: 14),
            new Dictionary<string, ProviderLimit> { ["gmail"] = new(PerHour: 50), ["other"] = new(PerDay: 0) });

        var read = LimitsReader.Parse(LimitsReader.Write(limits))!;

        Assert.Equivalent(limits, read, strict: true);
        var computed = LimitsReader.Read(7, 70, read);
        Assert.Equal((7, 70, "Europe/Berlin", TimeSpan.FromSeconds(1.5), 0.25, 100), (computed.PerHour, computed.PerDay, computed.Zone.Id, computed.Gap, computed.GapJitter, computed.PerConnection));
        Assert.Equivalent(new SendingWindow([DayOfWeek.Monday, DayOfWeek.Sunday], new TimeOnly(22, 0), TimeOnly.MinValue), Assert.Single(computed.Windows));
        Assert.Equal(new WarmUp(new DateOnly(2026, 11, 28), null, 20, 1.5, 14), computed.WarmUp);
        Assert.Equal([new(50, null), new(null, 0)], new[] { MailboxProvider.Gmail, MailboxProvider.Other }.Select(provider => computed.Providers[provider]));
    }

    [Fact]
    public void No_limits_are_stored_as_none()
    {
        Assert.Null(LimitsReader.Write(null));
        Assert.Null(LimitsReader.Write(new SendingLimits()));
        Assert.Null(LimitsReader.Parse(null));
        Assert.Equivalent(ServiceLimits.None, LimitsReader.Read(null, null, null));
    }
}
