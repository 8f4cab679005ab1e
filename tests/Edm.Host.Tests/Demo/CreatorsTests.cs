using Edm.Contracts;
using Edm.Engine.Contacts;
using Edm.Engine.Contacts.Filters;
using Edm.Engine.Contacts.Search;
using Edm.Engine.Imports;
using Edm.Host.Demo;
using Edm.Testing.Databases;

namespace Edm.Host.Tests.Demo;

/// <summary>The numbers that the demo and docs/demo.md promise.</summary>
public sealed class CreatorsTests() : DatabaseTests(new SqliteDatabases())
{
    [Fact]
    public async Task Of_a_thousand_rows_925_become_contacts_35_repeat_an_address_and_40_are_refused()
    {
        var (_, summary) = await ImportAsync();

        Assert.Equal((1000L, 925L, 0L, 0L, 35L, 40L), (summary.Rows, summary.Created, summary.Updated, summary.Unchanged, summary.Doubled, summary.Rejected));
    }

    [Fact]
    public async Task Every_refused_row_is_refused_for_the_reason_it_was_made_for()
    {
        var (user, summary) = await ImportAsync();

        var errors = await new ImportStore(Database, Time).ErrorsAsync(user, summary.Import, 0, 1000);

        Assert.Equal(12, errors.Count(e => e.Reason.StartsWith("no e-mail address", StringComparison.Ordinal)));
        Assert.Equal(14, errors.Count(e => e.Field == "E-mail" && e.Reason.StartsWith("not an e-mail address: ", StringComparison.Ordinal)));
        Assert.Equal(10, errors.Count(e => e.Field == "Followers"));
        Assert.Equal(4, errors.Count(e => e.Reason == "the header has only 10 columns"));
    }

    [Fact]
    public async Task Every_address_lies_in_a_domain_that_is_reserved_for_examples()
    {
        var (user, _) = await ImportAsync();

        var contacts = (await Search.PageAsync(user, ContactFilter.All, ContactOrder.Oldest, null, 1000)).Contacts;

        Assert.Equal(925, contacts.Count);
        Assert.All(contacts, contact => Assert.Matches(@"@([a-z0-9-]+\.)*example\.(com|net|org)$", contact.Card.Email));
    }

    [Fact]
    public async Task An_address_repeated_in_other_case_is_one_contact_with_the_newer_numbers()
    {
        var (user, _) = await ImportAsync();

        // 64,249 followers in the first row, 473265 in the second, which shouts the domain.
        Assert.Equal(473_265, (await new ContactStore(Database, ImportParts.Suppressions(Time), Time).FindAsync(user, "hello.guelce@agency.example.net"))?.Card.Followers);
    }

    [Fact]
    public async Task An_internationalised_domain_is_kept_in_the_form_that_can_be_mailed()
    {
        var (user, _) = await ImportAsync();

        Assert.Equal("mattis.paints_1990", (await new ContactStore(Database, ImportParts.Suppressions(Time), Time).FindAsync(user, "team.mattis+collab@xn--hckh0k.example.com"))?.Card.Handle);
    }

    private async Task<(UserId User, ImportSummary Summary)> ImportAsync()
    {
        var user = await AddUserAsync();
        using var importer = ImportParts.Importer(Database, Time);
        await using var file = DemoFiles.Open(DemoFiles.Creators);
        return (user, await importer.RunAsync(user, file, DemoFiles.Creators, new ImportOptions()));
    }
}
