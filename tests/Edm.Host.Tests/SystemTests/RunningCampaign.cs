using System.Globalization;
using System.Text;
using Edm.Testing.Host;

namespace Edm.Host.Tests.SystemTests;

/// <summary>A campaign to invented people through services that all point at one server of the test.</summary>
/// <param name="Connections">Over all services: the most mails that can be in doubt after one crash.</param>
internal sealed record RunningCampaign(long Task, int Planned, int Connections)
{
    public const int Recipients = 20_000;
    private const int Services = 8;
    private const int ConnectionsEach = 4;

    /// <param name="lanes">Several lanes spread the campaign over the nodes of a cluster.</param>
    public static async Task<RunningCampaign> LaunchAsync(EdmClient api, int smtpPort, int lanes = 1)
    {
        var import = await api.ImportAsync(Contacts());
        Assert.Equal(Recipients, import.Created);

        var pool = await api.CreatePoolAsync("pool", lanes);
        for (var service = 1; service <= Services; service++)
        {
            await api.CreateServiceAsync(pool, string.Create(CultureInfo.InvariantCulture, $"service{service}"), smtpPort, ConnectionsEach);
        }

        var template = await api.CreateTemplateAsync("hello", "Hello {{ nickname }}", "<p>Hello {{ nickname }}, with {{ followers }} followers</p>", "Hello {{ nickname }}");
        var campaign = await api.CreateCampaignAsync("campaign", template, pool);
        var frozen = await api.FreezeAsync(campaign);
        Assert.Equal(Recipients, frozen.Planned);
        await api.LaunchAsync(campaign);
        return new RunningCampaign(frozen.TaskId, frozen.Planned, Services * ConnectionsEach);
    }

    private static byte[] Contacts()
    {
        var csv = new StringBuilder("email,nickname,followers\n");
        for (var n = 1; n <= Recipients; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"person{n}@example.test,Person {n},{n * 37}\n");
        }

        return Encoding.UTF8.GetBytes(csv.ToString());
    }
}
