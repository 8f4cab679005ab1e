using Akka.Configuration;
using Edm.Engine.Services.Smtp;
using Edm.Engine.Settings;
using Xunit;

namespace Edm.Engine.Tests.Settings;

public sealed class EdmSettingsTests
{
    private static EdmSettings Read(string overlay, params (string Name, string Value)[] environment)
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, overlay);
            return EdmSettings.Read(Files(environment).Load(file));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static HoconFiles Files(params (string Name, string Value)[] environment) =>
        new(Path.Combine(AppContext.BaseDirectory, "hocon"), name => environment.FirstOrDefault(variable => variable.Name == name).Value);

    private static string Refused(string overlay) => Assert.Throws<SettingsException>(() => Read(overlay)).Message;

    [Fact]
    public void The_shipped_files_alone_are_complete_and_mean_production_on_SQLite()
    {
        var settings = EdmSettings.Read(Files().Load());

        Assert.Equal(EdmEnvironment.Production, settings.Environment);
        Assert.False(settings.Storage.IsPostgres);
        Assert.Equal(new Uri("http://127.0.0.1:7025"), settings.Http.Url);
        Assert.Equal(4L << 30, settings.Http.MaxImport);
        Assert.Empty(settings.Cluster.Seeds);
        Assert.Equal(new SmtpTimeouts(), settings.Smtp);
    }

    [Theory]
    [InlineData("development")]
    [InlineData("test")]
    public void Every_shipped_overlay_can_be_read(string name)
    {
        Assert.Equal(name, EdmSettings.Read(Files(("EDM_ENVIRONMENT", name), ("EDM_DATABASE", "Host=db")).Load()).Environment.ToString(), ignoreCase: true);
    }

    [Fact]
    public void A_file_of_authorities_that_is_not_there_is_refused_by_its_key()
    {
        Assert.StartsWith("edm.smtp.ca-file: '/nowhere/ca.pem' can't be used: ", Refused("edm.smtp.ca-file = \"/nowhere/ca.pem\""), StringComparison.Ordinal);
    }

    [Fact]
    public void The_journal_is_trimmed_as_often_as_told_or_never()
    {
        Assert.Equal(new JournalSettings(TimeSpan.FromMinutes(10), 500), Read("").Journal);
        Assert.Equal(new JournalSettings(TimeSpan.FromHours(1), 50), Read("edm.journal { trim-every = 1h, trim-batch = 50 }").Journal);
        Assert.Null(Read("edm.journal.trim = false").Journal.TrimEvery);
        Assert.StartsWith("edm.journal.trim-batch: '0' is not", Refused("edm.journal.trim-batch = 0"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_environment_variable_beats_a_file_and_a_file_beats_the_default()
    {
        var settings = Read("edm.cluster { port = 1, host = \"from-file\" }", ("EDM_CLUSTER_PORT", "2"));

        Assert.Equal(("from-file", 2), (settings.Cluster.Host, settings.Cluster.Port));
    }

    [Fact]
    public void An_empty_environment_variable_is_as_good_as_none()
    {
        Assert.Equal(7025, Read("", ("EDM_HTTP", "")).Http.Url.Port);
    }

    [Fact]
    public void Quotes_and_backslashes_in_a_variable_arrive_as_they_are()
    {
        const string Odd = """Host=db;Password="a\b{c]#d"//e""";

        Assert.Equal(Odd, Read("", ("EDM_DATABASE", Odd)).Storage.PostgresConnectionString);
    }

    [Fact]
    public void Seeds_are_hosts_with_ports_separated_by_commas()
    {
        Assert.Equal([new SeedNode("a", 1), new SeedNode("b", 2)], Read("", ("EDM_SEEDS", "a:1, b:2")).Cluster.Seeds);
    }

    [Theory]
    [InlineData("edm.cluster.port = many", "edm.cluster.port: 'many' is not a whole number from 0 to 65535.")]
    [InlineData("edm.cluster.port = 65536", "edm.cluster.port: '65536' is not a whole number")]
    [InlineData("edm.cluster.seeds = \"a\"", "edm.cluster.seeds: 'a' is not a node.")]
    [InlineData("edm.http.max-body = 4 parsecs", "edm.http.max-body: '4 parsecs' is not a size.")]
    [InlineData("edm.http.max-body = 5", "edm.http.max-body: '5' is not a size.")]
    [InlineData("edm.http.max-body = [1]", "edm.http.max-body: expected one value, found a list.")]
    [InlineData("edm.http.url = \"https://x\"", "edm.http.url: 'https://x' is not an address to listen on.")]
    [InlineData("edm.lifecycle.drain = 30", "edm.lifecycle.drain: '30' is not a duration.")]
    [InlineData("edm.lifecycle.drain = 40s", "edm.lifecycle.drain: must be shorter than edm.lifecycle.shutdown")]
    [InlineData("edm.sending.max-delay = 1s", "edm.sending.max-delay: must not be shorter than edm.sending.first-delay.")]
    [InlineData("edm.sending.unknown = maybe", "edm.sending.unknown: 'maybe' is none of hold, resend.")]
    [InlineData("edm.environment = staging", "edm.environment: 'staging' is none of development, production, test.")]
    [InlineData("edm.http.max-bodi = 4MiB", "edm.http.max-bodi: there is no such setting; the nearest is edm.http.max-body.")]
    [InlineData("edm.htp { url = x }", "edm.htp.url: there is no such setting; the nearest is edm.http.url.")]
    public void A_value_that_cannot_be_used_is_refused_by_its_key(string overlay, string message)
    {
        Assert.StartsWith(message, Refused(overlay), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("edm {\n a = [1,\n}", "line 3: '}' closes nothing that is open.")]
    [InlineData("edm {\n x = \"}\"\n y = [", "line 3: '[' is never closed.")]
    [InlineData("\nedm.data = \"abc\n", "line 2: a quote is never closed.")]
    [InlineData("} # {", "line 1: '}' closes nothing that is open.")]
    public void A_file_with_an_unclosed_bracket_is_refused_with_its_line(string overlay, string message)
    {
        Assert.EndsWith(message, Refused(overlay), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_overlay_is_refused_by_its_path()
    {
        Assert.Contains("no-such.conf", Assert.Throws<SettingsException>(() => Files().Load("no-such.conf")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Secrets_are_not_printed()
    {
        var text = Read("", ("EDM_DATABASE", "Password=hunter2"), ("EDM_MASTER_KEY", "s3cr3t")).ToString();

        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cr3t", text, StringComparison.Ordinal);
    }
}
