using System.Globalization;
using CsCheck;
using Edm.Engine.Services.Limits;
using Xunit;

namespace Edm.Engine.Tests.Services.Limits;

public sealed class SendingWindowsTests
{
    private static readonly DayOfWeek[] Workdays = [DayOfWeek.Monday, DayOfWeek.Tuesday, DayOfWeek.Wednesday, DayOfWeek.Thursday, DayOfWeek.Friday];
    private static readonly DayOfWeek[] EveryDay = Enum.GetValues<DayOfWeek>();
    private static readonly string[] Zones = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe"];

    [Theory]
    // 2026-11-27 is a Friday.
    [InlineData("2026-11-27T08:59:59+01:00", false, "2026-11-27T09:00:00+01:00")]
    [InlineData("2026-11-27T09:00:00+01:00", true, "2026-11-27T17:30:00+01:00")]
    [InlineData("2026-11-27T17:30:00+01:00", false, "2026-11-30T09:00:00+01:00")]
    [InlineData("2026-11-29T12:00:00+01:00", false, "2026-11-30T09:00:00+01:00")]
    // The clocks go forward on the Sunday between.
    [InlineData("2026-03-27T18:00:00+01:00", false, "2026-03-30T09:00:00+02:00")]
    public void It_opens_and_closes_by_the_clock_of_its_zone(string now, bool open, string until) =>
        Check(Of("Europe/Berlin", new SendingWindow(Workdays, new TimeOnly(9, 0), new TimeOnly(17, 30))), now, open, until);

    [Theory]
    [InlineData("2026-11-27T23:00:00Z", true, "2026-11-28T06:00:00Z")]
    [InlineData("2026-11-28T05:00:00Z", true, "2026-11-28T06:00:00Z")]
    [InlineData("2026-11-28T06:00:00Z", false, "2026-11-28T22:00:00Z")]
    public void One_that_ends_before_it_begins_ends_on_the_next_day(string now, bool open, string until) =>
        Check(Of("UTC", new SendingWindow(EveryDay, new TimeOnly(22, 0), new TimeOnly(6, 0))), now, open, until);

    [Theory]
    // 02:00 to 03:00 does not exist on that day: a window within it is gone, one that begins in it begins at three.
    [InlineData(2, 15, 4, 0, "2026-03-29T00:30:00+01:00", false, "2026-03-29T03:00:00+02:00")]
    [InlineData(1, 0, 2, 30, "2026-03-29T01:30:00+01:00", true, "2026-03-29T03:00:00+02:00")]
    // 02:00 to 03:00 comes twice on that day.
    [InlineData(2, 15, 2, 45, "2026-10-25T02:30:00+02:00", true, "2026-10-25T02:45:00+01:00")]
    public void It_survives_the_change_of_the_clocks(int fromHour, int fromMinute, int toHour, int toMinute, string now, bool open, string until) =>
        Check(Of("Europe/Berlin", new SendingWindow([DayOfWeek.Sunday], new TimeOnly(fromHour, fromMinute), new TimeOnly(toHour, toMinute))), now, open, until);

    [Fact]
    public void Windows_that_touch_are_one_and_without_any_it_is_always_open()
    {
        Check(
            Of("UTC", new SendingWindow(EveryDay, new TimeOnly(12, 0), TimeOnly.MinValue), new SendingWindow([DayOfWeek.Saturday], TimeOnly.MinValue, new TimeOnly(7, 0))),
            "2026-11-27T13:00:00Z", true, "2026-11-28T07:00:00Z");
        Assert.Equal((true, DateTimeOffset.MaxValue), Of("UTC").At(DateTimeOffset.UnixEpoch));
    }

    [Fact]
    public void What_it_remembers_is_what_it_would_find_out()
    {
        var window = Gen.Select(Gen.Int[0, 6].Select(day => EveryDay[day]).Array[1, 3], Gen.Int[0, 95], Gen.Int[1, 95]).Select((days, from, length) =>
            new SendingWindow(days, TimeOnly.FromTimeSpan(TimeSpan.FromMinutes(15 * from)), TimeOnly.FromTimeSpan(TimeSpan.FromMinutes(15 * ((from + length) % 96)))));
        Gen.Select(Gen.Int[0, 4].Select(nr => Zones[nr]), window.Array[1, 4], Gen.Long[-TimeSpan.TicksPerHour, 9 * TimeSpan.TicksPerHour].Array[1, 100]).Sample(
            (zone, windows, steps) =>
            {
                var (remembers, now) = (Of(zone, windows), new DateTimeOffset(2026, 3, 20, 0, 0, 0, TimeSpan.Zero));
                foreach (var step in steps)
                {
                    now = now.AddTicks(step);
                    var (open, until) = remembers.At(now);
                    Assert.Equal((open, until), Of(zone, windows).At(now));
                    Assert.True(until > now);
                    Assert.Equal(!open, Of(zone, windows).At(until).Open);
                    Assert.Equal(open, Of(zone, windows).At(until.AddTicks(-1)).Open);
                }
            });
    }

    private static SendingWindows Of(string zone, params SendingWindow[] windows) => new(TimeZoneInfo.FindSystemTimeZoneById(zone), windows);

    private static void Check(SendingWindows windows, string now, bool open, string until)
    {
        var at = DateTimeOffset.Parse(now, CultureInfo.InvariantCulture);
        Assert.Equal((open, DateTimeOffset.Parse(until, CultureInfo.InvariantCulture)), windows.At(at));
        Assert.Equal(open ? at : DateTimeOffset.Parse(until, CultureInfo.InvariantCulture), windows.NextAt(at));
    }
}
