using Edm.Contracts.Http;
using Edm.Testing;
using Edm.Testing.Servers;

namespace Edm.Host.Tests.Api;

[Collection(ApiFixture.Collection)]
public sealed class ServiceApiTests(ApiFixture fixture)
{
    [Theory]
    [InlineData("kind", "\"pigeon\"", "kind")]
    [InlineData("tls", "\"ssl\"", "tls")]
    [InlineData("host", "\"no host\"", "host")]
    [InlineData("port", "0", "port")]
    [InlineData("port", "70000", "port")]
    [InlineData("perMinute", "0", "perMinute")]
    [InlineData("perHour", "-1", "perHour")]
    [InlineData("connections", "0", "connections")]
    [InlineData("connections", "\"many\"", "connections")]
    [InlineData("senderAddress", "\"nobody\"", "senderAddress")]
    [InlineData("senderAddress", "\"a@example.com\\r\\nBcc: b@example.com\"", "senderAddress")]
    [InlineData("senderName", "\"a\\nb\"", "senderName")]
    [InlineData("password", "\"secret\"", "username")]
    [InlineData("poolId", "0", "poolId")]
    public async Task A_value_that_cannot_be_used_is_refused_by_its_field(string name, string value, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var body = new Dictionary<string, string>
        {
            ["poolId"] = pool.ToString(), ["name"] = "\"s\"", ["kind"] = "\"smtp\"", ["host"] = "\"smtp.example.com\"", ["senderAddress"] = "\"a@example.com\"",
            [name] = value,
        };

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/services", $"{{{string.Join(',', body.Select(entry => $"\"{entry.Key}\":{entry.Value}"))}}}");

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Empty((await client.GetAsync<Page<ServiceView>>("v1/services")).Items);
    }

    [Fact]
    public async Task A_password_goes_in_and_never_comes_out()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var made = await client.PostAsync<ServiceView>(
            "v1/services", new { poolId = pool, name = "s", kind = "smtp", host = "smtp.example.com", username = "u", password = "pass-5ecret", senderAddress = "a@example.com" });

        var text = await client.GetStringAsync(new Uri($"v1/services/{made.Id}", UriKind.Relative)) + await client.GetStringAsync(new Uri("v1/services", UriKind.Relative));

        Assert.True(made.HasPassword);
        Assert.DoesNotContain("5ecret", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_keeps_what_it_leaves_out_and_null_takes_a_limit_away()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var made = await client.PostAsync<ServiceView>(
            "v1/services", new { poolId = pool, name = "s", kind = "smtp", host = "smtp.example.com", port = 2525, perMinute = 5, perDay = 100, senderAddress = "a@example.com" });

        var changed = await client.PatchAsync<ServiceView>($"v1/services/{made.Id}", new { perMinute = 7, perDay = (int?)null });

        Assert.Equal((7, null, 2525, "smtp.example.com", made.Version + 1), (changed.PerMinute, changed.PerDay, changed.Port, changed.Host, changed.Version));
    }

    [Theory]
    [InlineData("""{"timeZone":"Mars/Olympus"}""", "limits.timeZone")]
    [InlineData("""{"minGapSeconds":-1}""", "limits.minGapSeconds")]
    [InlineData("""{"mailsPerConnection":1000000000}""", "limits.mailsPerConnection")]
    [InlineData("""{"windows":[{"days":[],"from":"09:00","to":"17:00"}]}""", "limits.windows[0].days")]
    [InlineData("""{"windows":[{"days":["mon"],"from":"09:00","to":"09:00"}]}""", "limits.windows[0].to")]
    [InlineData("""{"providerCaps":{"gmail":{"perHour":-1}}}""", "limits.providerCaps.gmail.perHour")]
    [InlineData("""{"warmUp":{"start":"2026-11-28","first":0}}""", "limits.warmUp.first")]
    public async Task A_limit_that_cannot_be_used_is_refused_by_its_field_and_changes_nothing(string limits, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var made = await client.PostAsync<ServiceView>(
            "v1/services", new { poolId = pool, name = "s", kind = "sandbox", senderAddress = "a@example.com", limits = new { minGapSeconds = 2 } });

        var created = await client.ProblemAsync(HttpMethod.Post, "v1/services", $$"""{"poolId":{{pool}},"name":"t","kind":"sandbox","senderAddress":"a@example.com","limits":{{limits}}}""");
        var changed = await client.ProblemAsync(HttpMethod.Patch, $"v1/services/{made.Id}", $$"""{"limits":{{limits}}}""");

        Assert.Equal([(400, field), (400, field)], new[] { created, changed }.Select(problem => (problem.Status, problem.Field)));
        Assert.Equal(2, Assert.Single((await client.GetAsync<Page<ServiceView>>("v1/services")).Items).Limits!.MinGapSeconds);
    }

    [Fact]
    public async Task Limits_are_given_read_back_changed_as_a_whole_and_taken_away()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var limits = new SendingLimits(
            "America/New_York", 0.5, 0.3, 200, [new SendingHours(["mon", "fri"], "22:00", "02:00")], new WarmUpPlan(new DateOnly(2026, 11, 28), [10, 20, 40]),
            new Dictionary<string, ProviderLimit> { ["outlook"] = new(100, 500) });
        var made = await client.PostAsync<ServiceView>("v1/services", new { poolId = pool, name = "s", kind = "sandbox", senderAddress = "a@example.com", limits });
        Assert.Equivalent(limits, (await client.GetAsync<ServiceView>($"v1/services/{made.Id}")).Limits, strict: true);

        var renamed = await client.PatchAsync<ServiceView>($"v1/services/{made.Id}", new { name = "t" });
        Assert.Equivalent(limits, renamed.Limits, strict: true);
        var changed = await client.PatchAsync<ServiceView>($"v1/services/{made.Id}", new { limits = new { timeZone = "Asia/Tokyo" } });
        Assert.Equivalent(new SendingLimits("Asia/Tokyo"), changed.Limits, strict: true);
        Assert.Null((await client.PatchAsync<ServiceView>($"v1/services/{made.Id}", new { limits = (SendingLimits?)null })).Limits);
        Assert.Null((await client.GetAsync<ServiceView>($"v1/services/{made.Id}")).Limits);
    }

    [Theory]
    [InlineData("""{"time":-1}""", "weights.time")]
    [InlineData("""{"quota":1001}""", "weights.quota")]
    [InlineData("""{"time":0,"quota":0,"success":0,"providerFit":0}""", "weights")]
    public async Task Weights_are_changed_and_read_back_and_nonsense_is_refused_by_its_field(string nonsense, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = await client.PostAsync<PoolView>("v1/pools", new { name = "pool" });
        Assert.Equal(new SelectionWeights(), pool.Weights);
        var weights = new SelectionWeights(1, 0, 2.5, 1000);

        Assert.Equal(weights, (await client.PatchAsync<PoolView>($"v1/pools/{pool.Id}", new { weights })).Weights);
        var problem = await client.ProblemAsync(HttpMethod.Patch, $"v1/pools/{pool.Id}", $$"""{"weights":{{nonsense}}}""");

        Assert.Equal((400, field), (problem.Status, problem.Field));
        Assert.Equal(weights, (await client.GetAsync<PoolView>($"v1/pools/{pool.Id}")).Weights);
    }

    [Fact]
    public async Task A_service_is_disabled_enabled_and_deleted()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
        var service = await Scenario.AddServiceAsync(client, pool.Value, "s", 25);
        Assert.Equal(409, (await client.ProblemAsync(HttpMethod.Delete, $"v1/pools/{pool}")).Status);

        Assert.False((await client.PostAsync<ServiceView>($"v1/services/{service.Id}/disable")).Enabled);
        Assert.False((await client.GetAsync<PoolView>($"v1/pools/{pool}")).HasEnabledServices);
        Assert.True((await client.PostAsync<ServiceView>($"v1/services/{service.Id}/enable")).Enabled);
        using var deleted = await client.DeleteAsync(new Uri($"v1/services/{service.Id}", UriKind.Relative));

        Assert.Equal(204, (int)deleted.StatusCode);
        Assert.Equal(404, (await client.ProblemAsync(HttpMethod.Get, $"v1/services/{service.Id}")).Status);
        using var poolDeleted = await client.DeleteAsync(new Uri($"v1/pools/{pool}", UriKind.Relative));
        Assert.Equal(204, (int)poolDeleted.StatusCode);
    }

    [Fact]
    public async Task A_test_tells_whether_the_server_can_be_reached_in_its_words()
    {
        await using var server = new CountingSmtpServer();
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id.Value;
        var good = await Scenario.AddServiceAsync(client, pool, "good", server.Port);
        var bad = await Scenario.AddServiceAsync(client, pool, "bad", 1);

        Assert.True((await client.PostAsync<ServiceTestView>($"v1/services/{good.Id}/test")).Works);
        var test = await client.PostAsync<ServiceTestView>($"v1/services/{bad.Id}/test");
        Assert.False(test.Works);
        Assert.NotEmpty(test.Words);
        Assert.Equal(0, server.Total);
    }

    [Fact]
    public async Task Why_a_service_sends_nothing_is_told_from_its_state()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id.Value;
        var service = await Scenario.AddServiceAsync(client, pool, "s", 25);
        var idle = await client.GetAsync<ServiceWhyView>($"v1/services/{service.Id}/why");
        Assert.Equal((true, "nothing-to-send", 1.0), (idle.CanSend, Assert.Single(idle.Reasons).Code, idle.Health));
        Assert.Equal("As fast as its connections are (2); today without a limit.", idle.Capacity);

        await client.PatchAsync<ServiceView>($"v1/services/{service.Id}", new { perDay = 100, limits = new { windows = new[] { new { days = new[] { "mon" }, from = "00:00", to = "00:01" } } } });
        var why = await WhenAsync(why => why.Reasons.Any(reason => reason.Code == "window-closed"));
        Assert.Equal((false, why.NextAt), (why.CanSend, why.Reasons[0].Until));
        Assert.Contains("today 100 more", why.Capacity, StringComparison.Ordinal);

        await client.PostAsync<ServiceView>($"v1/services/{service.Id}/disable");
        Assert.Equal("disabled", (await WhenAsync(why => why.Reasons[0].Code != "window-closed")).Reasons[0].Code);
        Assert.Equal(await client.GetStringAsync(new Uri($"v1/services/{service.Id}/why", UriKind.Relative)), await client.GetStringAsync(new Uri($"v1/services/{service.Id}/why", UriKind.Relative)));

        async Task<ServiceWhyView> WhenAsync(Func<ServiceWhyView, bool> wanted)
        {
            ServiceWhyView? found = null;
            await Eventually.Async(async () => wanted(found = await client.GetAsync<ServiceWhyView>($"v1/services/{service.Id}/why")), TimeSpan.FromSeconds(30), "its lane knows");
            return found!;
        }
    }

    [Fact]
    public async Task A_service_that_cannot_be_reached_says_so_in_the_words_of_the_network()
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();
        var campaign = await Scenario.CampaignAsync(client, recipients: 5, port: 1);
        await client.PostAsync<LaunchedView>($"v1/campaigns/{campaign.Campaign}/launch");

        ServiceWhyView? why = null;
        await Eventually.Async(
            async () => (why = await client.GetAsync<ServiceWhyView>($"v1/services/{campaign.Service}/why")).Reasons.Any(reason => reason.Code == "not-working"),
            TimeSpan.FromSeconds(30), "it has been tried");

        var page = (await client.GetAsync<ServiceView>($"v1/services/{campaign.Service}")).LastError!;
        Assert.Contains("can't be reached", page, StringComparison.Ordinal);
        Assert.Contains(page, why!.Reasons[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_relay_is_trusted_by_a_daemon_that_is_given_its_authority_and_by_no_other()
    {
        using var authority = new PrivateAuthority();
        using var certificate = authority.Issue("localhost");
        await using var server = new CountingSmtpServer(certificate: certificate);
        using var folder = new TempFolder();
        var file = folder.Combine("authority.pem");
        await File.WriteAllTextAsync(file, authority.Pem);
        await using var trusting = await ApiHost.StartAsync($"edm.smtp.ca-file = \"{file}\"");

        var test = await TestAsync(trusting);
        Assert.True(test.Works, test.Words);
        Assert.Contains("connected with Tls", test.Words, StringComparison.Ordinal);

        test = await TestAsync(fixture.Host);
        Assert.False(test.Works);
        Assert.Contains("the server's certificate is not trusted", test.Words, StringComparison.Ordinal);

        async Task<ServiceTestView> TestAsync(ApiHost host)
        {
            var (_, client, _) = await host.NewUserAsync();
            var pool = (await client.PostAsync<PoolView>("v1/pools", new { name = "pool" })).Id;
            var service = await client.PostAsync<ServiceView>(
                "v1/services", new { poolId = pool, name = "relay", kind = "smtp", host = "localhost", port = server.Port, tls = "implicit", senderAddress = "a@example.com" });
            return await client.PostAsync<ServiceTestView>($"v1/services/{service.Id}/test");
        }
    }

    [Theory]
    [InlineData("""{"name":"","lanes":1}""", "name")]
    [InlineData("""{"name":"p","lanes":0}""", "lanes")]
    [InlineData("""{"name":"p","lanes":65}""", "lanes")]
    public async Task A_pool_that_makes_no_sense_is_refused_by_its_field(string json, string field)
    {
        var (_, client, _) = await fixture.Host.NewUserAsync();

        var problem = await client.ProblemAsync(HttpMethod.Post, "v1/pools", json);

        Assert.Equal((400, field), (problem.Status, problem.Field));
    }
}
