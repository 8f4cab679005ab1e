using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Edm.Contracts.Http;

namespace Edm.Host.Demo;

/// <summary>The API did not do what the demo asked for; the message is the problem in its own words.</summary>
internal sealed class DemoException(string message) : Exception(message);

/// <summary>Speaks to the API as any other program would: over HTTP, with a key.</summary>
internal sealed class DemoApi : IDisposable
{
    private const int PageSize = 1000;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly HttpClient _http;

    public DemoApi(Uri address, string key)
    {
        Address = address;
        _http = new HttpClient { BaseAddress = address };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Uri Address { get; }

    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async Task<T> GetAsync<T>(string path, CancellationToken cancellation)
    {
        using var response = await _http.GetAsync(Relative(path), cancellation);
        return await ReadAsync<T>(response, cancellation);
    }

    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async Task<string> GetTextAsync(string path, CancellationToken cancellation)
    {
        using var response = await _http.GetAsync(Relative(path), cancellation);
        await RefuseProblemAsync(response, cancellation);
        return await response.Content.ReadAsStringAsync(cancellation);
    }

    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellation)
    {
        using var content = body is null ? null : JsonContent.Create(body, body.GetType(), options: Json);
        return await PostAsync<T>(path, content, cancellation);
    }

    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async Task<T> PostAsync<T>(string path, HttpContent? content, CancellationToken cancellation)
    {
        using var response = await _http.PostAsync(Relative(path), content, cancellation);
        return await ReadAsync<T>(response, cancellation);
    }

    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async Task PutAsync(string path, object body, CancellationToken cancellation)
    {
        using var content = JsonContent.Create(body, body.GetType(), options: Json);
        using var response = await _http.PutAsync(Relative(path), content, cancellation);
        await RefuseProblemAsync(response, cancellation);
    }

    /// <summary>A whole list, page by page.</summary>
    /// <param name="path">Without paging parameters.</param>
    /// <exception cref="DemoException">The answer is a problem.</exception>
    public async IAsyncEnumerable<T> ListAsync<T>(string path, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        long? after = null;
        do
        {
            var page = await GetAsync<Page<T>>($"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}limit={PageSize}{(after is null ? "" : $"&after={after}")}", cancellation);
            foreach (var item in page.Items)
            {
                yield return item;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    public void Dispose() => _http.Dispose();

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, CancellationToken cancellation)
    {
        await RefuseProblemAsync(response, cancellation);
        return await response.Content.ReadFromJsonAsync<T>(Json, cancellation)
            ?? throw new DemoException($"{response.RequestMessage?.RequestUri?.AbsolutePath} answered nothing.");
    }

    private static async Task RefuseProblemAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (!response.IsSuccessStatusCode)
        {
            var request = response.RequestMessage;
            throw new DemoException($"{request?.Method} {request?.RequestUri?.PathAndQuery} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellation)}");
        }
    }
}
