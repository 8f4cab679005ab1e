using CsCheck;
using Edm.Engine.Contacts;
using Xunit;

namespace Edm.Engine.Tests.Contacts;

public sealed class CompactNumberTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("1300000", 1_300_000)]
    [InlineData("1.3M", 1_300_000)]
    [InlineData("97K", 97_000)]
    [InlineData(" 97 k ", 97_000)]
    [InlineData("2.1B", 2_100_000_000)]
    [InlineData("1,3M", 1_300_000)]
    [InlineData("1,234K", 1_234_000)]
    [InlineData("1.234M", 1_234_000)]
    [InlineData("1,300,000", 1_300_000)]
    [InlineData("1.300.000", 1_300_000)]
    [InlineData("1 300 000", 1_300_000)]
    [InlineData("1\u202f300\u202f000", 1_300_000)]
    [InlineData("1'300'000", 1_300_000)]
    [InlineData("1.300", 1_300)]
    [InlineData("1300000.0", 1_300_000)]
    [InlineData("1.3E+06", 1_300_000)]
    [InlineData("10k+", 10_000)]
    [InlineData("12.5万", 125_000)]
    [InlineData("1.2亿", 120_000_000)]
    [InlineData("0.4", 0)]
    [InlineData("0.123", 0)]
    public void Counts_are_read_as_people_write_them(string text, long value)
    {
        Assert.True(CompactNumber.TryParse(text, out var read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("K")]
    [InlineData("-5")]
    [InlineData("many")]
    [InlineData("1,30,0")]
    [InlineData("1.3.M")]
    [InlineData("1,300.000,5")]
    [InlineData("12%")]
    [InlineData("1e99")]
    [InlineData("99999999999999999999")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("٣")]
    public void Anything_else_is_refused(string text) => Assert.False(CompactNumber.TryParse(text, out _));

    [Fact]
    public void Every_count_reads_as_itself_however_it_is_grouped()
    {
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        Gen.Long[0, 999_999_999_999].Sample(count =>
            CompactNumber.TryParse(count.ToString(invariant), out var plain) && plain == count
            && CompactNumber.TryParse(count.ToString("N0", invariant), out var grouped) && grouped == count
            && CompactNumber.TryParse(count.ToString("N0", invariant).Replace(',', '.'), out var dotted) && dotted == count);
    }

    [Fact]
    public void No_text_is_too_odd() => Gen.String.Sample(text => CompactNumber.TryParse(text, out var value) ? value >= 0 : value == 0);
}
