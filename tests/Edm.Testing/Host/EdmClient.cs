using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;

namespace Edm.Testing.Host;

/// <summary>The API as a test uses it. Whatever is not a success throws with the problem that the server answered.</summary>
public sealed class EdmClient(HttpClient http)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public Task<ImportView> ImportAsync(byte[] csv) => ImportAsync(new MemoryStream(csv));

    /// <summary>The stream is read once, and disposed.</summary>
    public async Task<ImportView> ImportAsync(Stream csv, bool dryRun = false)
    {
        using var body = new StreamContent(csv);
        body.Headers.ContentType = new("text/csv");
        using var response = await http.PostAsync(Relative($"v1/imports?file=contacts.csv{(dryRun ? "&dryRun=true" : "")}"), body);
        return await ReadAsync<ImportView>(response);
    }

    public async Task<long> CreatePoolAsync(string name, int lanes = 1) => (await PostAsync<IdView>("v1/pools", new { name, lanes })).Id;

    /// <summary>Every user may send through it.</summary>
    public Task SharePoolAsync(long pool) => PatchAsync(Path($"v1/pools/{pool}"), new { shared = true });

    /// <summary>A user, and what it logs in with.</summary>
    public async Task<(long User, string Key)> CreateUserAsync(string name)
    {
        var user = (await PostAsync<IdView>("v1/users", new { name })).Id;
        return (user, (await PostAsync<KeyMadeView>(Path($"v1/users/{user}/keys"), new { name = "test" })).Key);
    }

    public async Task<long> CreateServiceAsync(long poolId, string name, int port, int connections, int? perMinute = null, bool enabled = true) =>
        (await PostAsync<IdView>("v1/services", new
        {
            poolId,
            name,
            kind = "smtp",
            host = "127.0.0.1",
            port,
            tls = "none",
            senderAddress = $"{name}@sender.test",
            senderName = name,
            perMinute,
            connections,
            enabled,
        })).Id;

    /// <param name="privateKey">In PEM.</param>
    public Task SignAsync(long service, string selector, string privateKey) => PutAsync(Path($"v1/services/{service}/dkim"), new { selector, privateKey });

    public async Task<long> CreateTemplateAsync(string name, string subject, string? html, string? text, bool strict = false) =>
        (await PostAsync<IdView>("v1/templates", new { name, subject, html, text, strict })).Id;

    public async Task<long> CreateCampaignAsync(string name, long templateId, long poolId) =>
        (await PostAsync<IdView>("v1/campaigns", new { name, templateId, poolId, filter = "", priority = 1 })).Id;

    public Task<FrozenView> FreezeAsync(long campaign) => PostAsync<FrozenView>(Path($"v1/campaigns/{campaign}/freeze"), null);

    public Task LaunchAsync(long campaign) => PostAsync<JsonElement>(Path($"v1/campaigns/{campaign}/launch"), null);

    public Task<TaskView> TaskAsync(long task) => GetAsync<TaskView>(Path($"v1/tasks/{task}"));

    public Task<ClusterView> ClusterAsync() => GetAsync<ClusterView>("v1/cluster");

    /// <summary>Every recipient of a task, page by page.</summary>
    public async Task<List<RecipientView>> RecipientsAsync(long task)
    {
        var all = new List<RecipientView>();
        for (long? after = 0; after is not null;)
        {
            var page = await GetAsync<RecipientPage>(Path($"v1/tasks/{task}/recipients?after={after}&limit=1000"));
            all.AddRange(page.Items);
            after = page.Next;
        }

        return all;
    }

    public async Task<T> GetAsync<T>(string path)
    {
        using var response = await http.GetAsync(Relative(path));
        return await ReadAsync<T>(response);
    }

    public async Task<T> PostAsync<T>(string path, object? body)
    {
        using var response = body is null ? await http.PostAsync(Relative(path), null) : await http.PostAsJsonAsync(Relative(path), body, Json);
        return await ReadAsync<T>(response);
    }

    public async Task PatchAsync(string path, object body)
    {
        using var response = await http.PatchAsJsonAsync(Relative(path), body, Json);
        await ReadAsync<JsonElement>(response);
    }

    public async Task PutAsync(string path, object body)
    {
        using var response = await http.PutAsJsonAsync(Relative(path), body, Json);
        await ReadAsync<JsonElement>(response);
    }

    private static string Path(FormattableString path) => path.ToString(CultureInfo.InvariantCulture);

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response)
    {
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException(
                $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}",
                inner: null,
                response.StatusCode);
        }

        return await response.Content.ReadFromJsonAsync<T>(Json) ?? throw new InvalidOperationException($"{response.RequestMessage?.RequestUri} answered nothing.");
    }
}
