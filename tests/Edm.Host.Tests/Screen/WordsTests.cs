using Edm.Host.Screen;

namespace Edm.Host.Tests.Screen;

public sealed class WordsTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(136_036, "132.8 KiB")]
    [InlineData(5L << 40, "5.0 TiB")]
    [InlineData(5000L << 40, "5000.0 TiB")]
    public void A_size_has_the_unit_that_keeps_it_short(long bytes, string text) => Assert.Equal(text, Words.Size(bytes));

    [Theory]
    [InlineData(0, "0:00")]
    [InlineData(6.2, "0:07")]
    [InlineData(754, "12:34")]
    [InlineData(3723, "1:02:03")]
    [InlineData(360_000, "100:00:00")]
    public void A_clock_shows_whole_seconds_and_hours_when_there_are_some(double seconds, string text) => Assert.Equal(text, Words.Clock(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "[------------------------]   0 %")]
    [InlineData(0.5, "[############------------]  50 %")]
    [InlineData(0.999, "[#######################-]  99 %")]
    [InlineData(1, "[########################] 100 %")]
    [InlineData(double.NaN, "[------------------------]   0 %")]
    public void A_bar_is_full_only_at_the_end(double share, string text) => Assert.Equal(text, Words.Bar(share));

    [Fact]
    public void What_is_left_follows_from_the_speed_so_far()
    {
        Assert.Equal(TimeSpan.FromSeconds(30), Words.Left(TimeSpan.FromSeconds(10), 0.25));
        Assert.Null(Words.Left(TimeSpan.FromSeconds(10), 0));
    }

    [Theory]
    [InlineData("many", "\"many\"")]
    [InlineData("two\nlines", "\"two lines\"")]
    [InlineData("\e]0;owned\a", "\" ]0;owned \"")]
    [InlineData("\u202Eabc", "\" abc\"")]
    public void Foreign_text_has_nothing_that_a_terminal_obeys(string text, string shown) => Assert.Equal(shown, Words.Foreign(text));

    [Fact]
    public void Foreign_text_is_cut_between_characters() => Assert.Equal("\"😀😀…\"", Words.Foreign("😀😀😀😀", 4));
}
