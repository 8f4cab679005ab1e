using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Edm.Benchmarks.Send;
using Hangfire;
using Hangfire.PostgreSql;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Edm.Benchmarks.Hangfire;

/// <summary>Hangfire as its documentation sets it up, but for a short poll interval; its jobs send the same mails as <see cref="MailKitLoop"/>.</summary>
internal sealed class HangfireLoop : IDisposable
{
    private readonly PostgreSqlStorage storage;
    private readonly int workers;

    public HangfireLoop(string database, int port, int workers)
    {
        this.workers = workers;
        storage = new PostgreSqlStorage(
            new global::Hangfire.PostgreSql.Factories.NpgsqlConnectionFactory(database, new PostgreSqlStorageOptions()), new PostgreSqlStorageOptions { QueuePollInterval = TimeSpan.FromMilliseconds(50) });
        MailJob.Port = port;
    }

    /// <summary>Makes the jobs; nobody works on them yet.</summary>
    public void Enqueue(int jobs)
    {
        var client = new BackgroundJobClient(storage);
        Parallel.For(1, jobs + 1, new ParallelOptions { MaxDegreeOfParallelism = workers }, n => client.Enqueue(() => MailJob.SendAsync(n)));
    }

    /// <summary>Mails a second, from the start of the workers to the last job's end.</summary>
    public async Task<double> RunAsync(int jobs)
    {
        MailJob.Begin(jobs);
        var watch = Stopwatch.StartNew();
        using var server = new BackgroundJobServer(new BackgroundJobServerOptions { WorkerCount = workers }, storage);
        await MailJob.Done.WaitAsync(TimeSpan.FromMinutes(10));
        var rate = jobs / watch.Elapsed.TotalSeconds;
        server.SendStop();
        await server.WaitForShutdownAsync(default);
        return rate;
    }

    public void Dispose() => MailJob.CloseAll();
}

/// <summary>One mail. Hangfire stores the name of the method and its argument, and calls it without an object.</summary>
public static class MailJob
{
    private static readonly MailKitLoop Loop = new(dkimKey: null);
    private static readonly ConcurrentBag<SmtpClient> Idle = [];
    private static TaskCompletionSource done = new();
    private static int left;

    public static int Port { get; set; }

    internal static Task Done => done.Task;

    internal static void Begin(int jobs) => (done, left) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), jobs);

    public static async Task SendAsync(int n)
    {
        using var message = Loop.Compose(SampleContact.Number(n), new MailboxAddress("Sender 7", "sender7@northwind.example"));
        var client = Idle.TryTake(out var kept) ? kept : await ConnectAsync();
        await client.SendAsync(message);
        Idle.Add(client);
        if (Interlocked.Decrement(ref left) == 0)
        {
            done.SetResult();
        }
    }

    internal static void CloseAll()
    {
        while (Idle.TryTake(out var client))
        {
            client.Dispose();
        }
    }

    private static async Task<SmtpClient> ConnectAsync()
    {
        var client = new SmtpClient();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", Port);
        await client.ConnectAsync(socket, "127.0.0.1", Port, SecureSocketOptions.None);
        return client;
    }
}
