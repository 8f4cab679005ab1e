using Edm.Engine.Imports;
using Xunit;

namespace Edm.Engine.Tests.Imports;

public sealed class ColumnFormTests
{
    [Theory]
    [InlineData("1.3M|97K|12", "number", "1300000|97000|12")]
    [InlineData("1,300,000|2,500.5", "number", "1300000|2500.5")]
    [InlineData("1.300.000|2.500,5", "number", "1300000|2500.5")]
    [InlineData("1,5|12,25", "number", "1.5|12.25")]
    [InlineData("1.300|2.125", "number", "1.300|2.125")]
    [InlineData("12.5万|3亿", "number", "125000|300000000")]
    [InlineData("4.5%|12 %", "percent", "4.5|12")]
    [InlineData("4,5%|12%", "percent", "4.5|12")]
    [InlineData("1,5|2.5", "text", "1,5|2.5")]
    [InlineData("007|010", "text", "007|010")]
    [InlineData("+49 170|+1 222", "text", "+49 170|+1 222")]
    [InlineData("2024-01-05|2024-12-31", "date", "2024-01-05|2024-12-31")]
    [InlineData("2024/1/5|2024/12/31", "date", "2024-01-05|2024-12-31")]
    [InlineData("13/10/2021|01/02/2021", "date", "2021-10-13|2021-02-01")]
    [InlineData("10/13/2021|01/02/2021", "date", "2021-10-13|2021-01-02")]
    [InlineData("01/02/2021|03/04/2021", "text", "01/02/2021|03/04/2021")]
    [InlineData("09.07.2013 12:00:00|10.07.2013", "date", "2013-07-09T12:00:00|2013-07-10")]
    [InlineData("2024-01-05T10:30:00Z|2024-01-05 10:30:00+0200", "date", "2024-01-05T10:30:00Z|2024-01-05T10:30:00+02:00")]
    [InlineData("Jan 5, 2024|Mar 17, 2024", "date", "2024-01-05|2024-03-17")]
    [InlineData("TRUE|false", "boolean", "true|false")]
    [InlineData("Yes|no", "boolean", "true|false")]
    [InlineData("NO|NO", "text", "NO|NO")]
    [InlineData("1|x", "text", "1|x")]
    public void A_column_whose_values_agree_has_a_type_and_one_form(string values, string type, string stored)
    {
        var form = ColumnForm.Guess(values.Split('|'));

        Assert.Equal(type, form.Name);
        Assert.Equal(stored, string.Join('|', values.Split('|').Select(form.Normal)));
    }

    [Theory]
    [InlineData("1.5|2.5", "1,5")]
    [InlineData("1,5|2,5", "1.5")]
    [InlineData("1|2", "many")]
    [InlineData("2024-01-05", "soon")]
    [InlineData("yes|no", "maybe")]
    [InlineData("1%|2%", "3")]
    public void A_later_value_that_does_not_fit_stays_as_it_is(string values, string later) => Assert.Equal(later, ColumnForm.Guess(values.Split('|')).Normal(later));
}
