using System.CommandLine;
using Edm.Host.Commands;
using Edm.Host.Hosting;
using Edm.Host.Screen;

namespace Edm.Host.Demo;

/// <summary>
/// <c>demo</c>: the whole story on SQLite and the sandbox, from a list of creators to a ledger that balances. What is in the folder stays there: started
/// again, also after a kill, it goes on with the same campaign.
/// </summary>
internal static class DemoCommand
{
    public static Command Create(Option<string[]> config)
    {
        var exit = new Option<bool>("--exit") { Description = "End when the campaign has, with exit code 0 only if its ledger balances." };
        var data = new Option<string>("--data") { Description = "Where it keeps everything.", HelpName = "FOLDER", DefaultValueFactory = _ => "data-demo" };
        var command = new Command("demo", "Show the whole story: import 1,000 creators, mail them through four sandbox services, account for every one.") { exit, data };
        command.SetAction(async (parsed, _) =>
        {
            if (parsed.GetValue(config) is { Length: > 0 })
            {
                await Console.Error.WriteLineAsync("The demo has settings of its own. Leave --config out, or use it with 'run'.");
                return ExitCodes.Unusable;
            }

            return await RunAsync(parsed.GetRequiredValue(data), parsed.GetValue(exit), Terminal.OfProcess);
        });
        return command;
    }

    private static async Task<int> RunAsync(string folder, bool exit, Terminal terminal)
    {
        var (settings, hocon) = DemoSettings.Read(folder, Environment.GetEnvironmentVariable);
        await using var app = EdmHost.Build(settings, hocon);
        try
        {
            await app.StartAsync();
        }
        catch (IOException exception)
        {
            await terminal.Error.WriteLineAsync($"{exception.Message} Choose another address with EDM_HTTP, such as http://127.0.0.1:7099.");
            return ExitCodes.Failed;
        }

        var balances = await TellAsync(app, settings.DataFolder, exit, terminal);
        if (balances is not null && !exit)
        {
            await app.WaitForShutdownAsync();
        }
        else
        {
            await app.StopAsync();
        }

        return balances == true ? 0 : ExitCodes.Failed;
    }

    /// <returns>Whether the ledger balances; null when the story broke off.</returns>
    private static async Task<bool?> TellAsync(WebApplication app, string folder, bool exit, Terminal terminal)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        try
        {
            var keyFile = Path.Combine(folder, "admin.key");
            if (!File.Exists(keyFile))
            {
                throw new DemoException($"{keyFile} is gone, and only it has the key. Delete {folder} to begin anew.");
            }

            var key = (await File.ReadAllTextAsync(keyFile, stopping)).Trim();
            using var api = new DemoApi(new Uri(app.Urls.First()), key);
            var story = new DemoStory(api, terminal, TimeProvider.System, keyFile);
            var (task, account) = await story.RunAsync(stopping);
            if (!exit)
            {
                story.TellWhereToLook(task);
                await terminal.Out.WriteLineAsync("It stays up now; Ctrl+C ends it.");
            }

            return account.Balances;
        }
        catch (Exception) when (stopping.IsCancellationRequested)
        {
            // Whatever a request says that is cut off by a shutdown.
            await terminal.Out.WriteLineAsync("Stopped in the middle. The same command goes on from here.");
        }
        catch (Exception exception) when (exception is DemoException or HttpRequestException)
        {
            await terminal.Error.WriteLineAsync(exception.Message);
        }

        return null;
    }
}
