using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Edm.Contracts.Http;
using Edm.Engine.Settings;
using Edm.Host.Hosting;
using Edm.Testing;
using Microsoft.AspNetCore.Builder;

namespace Edm.Host.Tests.Api;

/// <summary>The daemon inside this process: real Kestrel on a port of its own, SQLite in a folder of its own.</summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly TempFolder _folder = new();
    private readonly WebApplication _app;

    private ApiHost(string overlay, bool ownFolder)
    {
        var file = _folder.Combine("overlay.conf");
        File.WriteAllText(file, overlay);
        var environment = new Dictionary<string, string> { ["EDM_ENVIRONMENT"] = "test" };
        if (ownFolder)
        {
            environment["EDM_DATA"] = DataFolder;
        }

        var config = new HoconFiles(Path.Combine(AppContext.BaseDirectory, "hocon"), environment.GetValueOrDefault).Load(file);
        _app = EdmHost.Build(EdmSettings.Read(config), config);
    }

    public IServiceProvider Services => _app.Services;

    public string DataFolder => _folder.Combine("data");

    public Uri Url => new(File.ReadAllText(Path.Combine(DataFolder, "http.url")).Trim());

    public string AdminKey => File.ReadAllText(Path.Combine(DataFolder, "admin.key")).Trim();

    /// <param name="overlay">Settings in HOCON that differ from those of tests.</param>
    /// <param name="ownFolder">False when the overlay names the data folder.</param>
    public static async Task<ApiHost> StartAsync(string overlay = "", bool ownFolder = true)
    {
        var host = new ApiHost(overlay, ownFolder);
        try
        {
            await host._app.StartAsync();
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    public Task StopAsync() => _app.StopAsync();

    public HttpClient Client(string? key) => Client(key is null ? null : new AuthenticationHeaderValue("Bearer", key));

    public HttpClient Client(AuthenticationHeaderValue? authorization)
    {
        var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Url };
        client.DefaultRequestHeaders.Authorization = authorization;
        return client;
    }

    /// <summary>A user that no other test knows, with a key.</summary>
    public async Task<(UserView User, HttpClient Client, string Key)> NewUserAsync(string role = "user")
    {
        using var admin = Client(AdminKey);
        var user = await admin.PostAsync<UserView>("v1/users", new { name = $"user-{Guid.NewGuid():N}", role });
        var key = await admin.PostAsync<MadeKey>(string.Create(CultureInfo.InvariantCulture, $"v1/users/{user.Id}/keys"), new { name = "test" });
        return (user, Client(key.Key), key.Key);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
        _folder.Dispose();
    }
}

/// <summary>One daemon for all tests that only ask it things, each as users of its own.</summary>
public sealed class ApiFixture : IAsyncLifetime
{
    public const string Collection = "API";

    private ApiHost? _host;

    public ApiHost Host => _host ?? throw new InvalidOperationException("The tests have not begun.");

    public async Task InitializeAsync() => _host = await ApiHost.StartAsync();

    public async Task DisposeAsync() => await Host.DisposeAsync();
}

[CollectionDefinition(ApiFixture.Collection)]
public sealed class ApiCollection : ICollectionFixture<ApiFixture>;

internal static class HttpClientExtensions
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>Sends JSON and reads JSON; anything but a success fails the test with what was answered.</summary>
    public static async Task<T> PostAsync<T>(this HttpClient client, string path, object? body = null)
    {
        using var answer = await client.SendJsonAsync(HttpMethod.Post, path, body is null ? null : JsonSerializer.Serialize(body, Json));
        return await ReadAsync<T>(answer);
    }

    public static async Task<T> PatchAsync<T>(this HttpClient client, string path, object body)
    {
        using var answer = await client.SendJsonAsync(HttpMethod.Patch, path, JsonSerializer.Serialize(body, Json));
        return await ReadAsync<T>(answer);
    }

    public static async Task<T> GetAsync<T>(this HttpClient client, string path)
    {
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        return await ReadAsync<T>(answer);
    }

    public static async Task<HttpResponseMessage> SendJsonAsync(this HttpClient client, HttpMethod method, string path, string? json, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (json is not null)
        {
            request.Content = new StringContent(json, System.Text.Encoding.UTF8, contentType);
        }

        return await client.SendAsync(request);
    }

    /// <summary>The problem that is answered; a success, or an error without one, fails the test.</summary>
    public static async Task<ProblemView> ProblemAsync(this HttpClient client, HttpMethod method, string path, string? json = null, string contentType = "application/json")
    {
        using var answer = await client.SendJsonAsync(method, path, json, contentType);
        return await ProblemAsync(answer);
    }

    public static async Task<ProblemView> ProblemAsync(this HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.Content.Headers.ContentType?.MediaType == "application/problem+json", $"{(int)answer.StatusCode} {answer.Content.Headers.ContentType}: {text}");
        var problem = JsonSerializer.Deserialize<ProblemView>(text, Json)!;
        Assert.Equal((int)answer.StatusCode, problem.Status);
        Assert.False(string.IsNullOrWhiteSpace(problem.Title));
        return problem;
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer)
    {
        Assert.True(answer.IsSuccessStatusCode, $"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        return (await answer.Content.ReadFromJsonAsync<T>(Json))!;
    }
}

/// <summary>A problem as a client reads it.</summary>
public sealed record ProblemView(string Type, string Title, int Status, string? Detail, string? Field, long? Line, long? Column, long? Position, string? TraceId);
