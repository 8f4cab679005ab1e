using System.Net;
using Edm.Engine.Storage;

namespace Edm.Host.Tests.Api;

public sealed class LifecycleTests
{
    [Fact]
    public async Task A_started_daemon_is_alive_and_ready_and_tells_where_it_listens()
    {
        await using var host = await ApiHost.StartAsync();
        using var anybody = host.Client(null as string);

        foreach (var path in new[] { "health/live", "health/ready" })
        {
            using var answer = await anybody.GetAsync(new Uri(path, UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.True(host.Url.IsLoopback);
        Assert.NotEqual(0, host.Url.Port);
    }

    [Fact]
    public async Task A_second_daemon_in_the_same_data_folder_is_refused()
    {
        await using var host = await ApiHost.StartAsync();

        var refused = await Assert.ThrowsAsync<StorageException>(() => ApiHost.StartAsync($"edm.data = \"{host.DataFolder}\"", ownFolder: false));

        Assert.Contains("Another EDM process", refused.Message, StringComparison.Ordinal);
        using var client = host.Client(host.AdminKey);
        Assert.Equal("admin", (await client.GetAsync<Contracts.Http.Me>("v1/me")).Name);
    }

    [Fact]
    public async Task A_stopped_daemon_leaves_no_address_behind()
    {
        var host = await ApiHost.StartAsync();
        var file = Path.Combine(host.DataFolder, "http.url");
        Assert.True(File.Exists(file));

        await host.StopAsync();

        Assert.False(File.Exists(file));
        await host.DisposeAsync();
    }
}
