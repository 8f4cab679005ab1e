using System.Globalization;
using System.Text;
using System.Text.Json;
using Edm.Host.Tests.Api;
using Edm.Host.Tests.SystemTests;
using Edm.Testing;
using Edm.Testing.Host;
using Edm.Testing.Servers;
using Xunit.Abstractions;

namespace Edm.Host.Tests.Stories;

/// <summary>"Services, pools, weights and quotas edited all the while: no loss, no double, no restart."</summary>
[Collection(ApiFixture.Collection)]
public sealed class Story10EditedAllTheWhileTests(ApiFixture fixture, ITestOutputHelper output)
{
    private const int Recipients = 3_000;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task Whatever_is_edited_while_it_sends_everybody_gets_one_mail()
    {
        var random = Seed.Next(output);
        await using var server = new CountingSmtpServer(TimeSpan.FromMilliseconds(10));
        using var client = (await fixture.Host.NewUserAsync()).Client;
        var api = new EdmClient(client);
        var csv = new StringBuilder("email\n");
        for (var n = 1; n <= Recipients; n++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"person{n}@example.com\n");
        }

        await api.ImportAsync(Encoding.UTF8.GetBytes(csv.ToString()));
        var pool = await api.CreatePoolAsync("pool", lanes: 2);
        var services = new List<long>();
        for (var nr = 0; nr < 4; nr++)
        {
            services.Add(await api.CreateServiceAsync(pool, $"service{nr}", server.Port, connections: 2));
        }

        var campaign = await api.CreateCampaignAsync("campaign", await api.CreateTemplateAsync("template", "Hello", "<p>Hello</p>", null), pool);
        var frozen = await api.FreezeAsync(campaign);
        await api.LaunchAsync(campaign);

        // At least so many, also where they take longer than the mails.
        var edits = 0;
        for (var left = 40; left > 0 || server.Total < Recipients * 9 / 10; left--, edits++)
        {
            Assert.True(edits < 20_000, $"the campaign does not come on: {server.Total} of {Recipients}");
            await EditAsync(edits);
        }

        foreach (var service in services)
        {
            await api.PatchAsync(Of(service), new { enabled = true, perMinute = (int?)null, perHour = (int?)null, perDay = (int?)null, limits = (object?)null });
        }

        TaskView? task = null;
        await Eventually.Async(async () => (task = await api.TaskAsync(frozen.TaskId)).State == "finished", Patience, "the task is finished");
        output.WriteLine($"{edits} edits");
        Assert.Equal(Recipients, task!.Of("sent"));
        Assert.Equal(Recipients, server.Received.Count);
        Assert.All(server.Received, to => Assert.True(to.Value == 1, $"{to.Key} got {to.Value} mails"));

        async Task EditAsync(int nr)
        {
            var service = Of(services[random.Next(services.Count)]);
            switch (random.Next(9))
            {
                case 0: await api.PatchAsync(service, new { connections = random.Next(1, 5) }); break;
                case 1: await api.PatchAsync(service, new { perMinute = random.Next(2) == 0 ? (int?)null : random.Next(600, 5_000) }); break;
                case 2: await api.PatchAsync(service, new { perHour = random.Next(2) == 0 ? (int?)null : random.Next(1, 5_000), perDay = random.Next(2) == 0 ? (int?)null : random.Next(1, 5_000) }); break;
                case 3: await api.PatchAsync(service, new { limits = new { timeZone = "Europe/Berlin", mailsPerConnection = random.Next(1, 20), minGapSeconds = random.Next(2) == 0 ? (double?)null : 0.002 } }); break;
                case 4: await api.PatchAsync(Path($"v1/pools/{pool}"), new { name = $"pool {nr}", weights = new { time = random.Next(0, 5), quota = random.Next(0, 5), success = 1, providerFit = random.Next(0, 5) } }); break;
                case 5: await api.PostAsync<JsonElement>($"{service}/disable", null); break;
                case 6: await api.PostAsync<JsonElement>($"{service}/enable", null); break;
                case 7: services.Add(await api.CreateServiceAsync(pool, $"more{nr}", server.Port, connections: 1)); break;
                case 8 when services.Count > 3:
                    // Never the first ones: each lane keeps somebody who can be enabled again.
                    var gone = random.Next(3, services.Count);
                    using (var deleted = await client.DeleteAsync(new Uri(Of(services[gone]), UriKind.Relative)))
                    {
                        Assert.True(deleted.IsSuccessStatusCode, await deleted.Content.ReadAsStringAsync());
                    }

                    services.RemoveAt(gone);
                    break;
            }
        }
    }

    private static string Of(long service) => Path($"v1/services/{service}");

    private static string Path(FormattableString path) => path.ToString(CultureInfo.InvariantCulture);
}
