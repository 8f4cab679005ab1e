using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Edm.Engine.Contacts;
using Edm.Engine.Settings;
using Edm.Engine.Storage;
using Edm.Engine.TagMigration;
using Edm.Engine.Users;
using Edm.Host.Screen;
using Npgsql;

namespace Edm.Host.Commands;

/// <summary><c>migrate-tags STEP</c>: from a JSON array in a PostgreSQL table to EDM's tags (docs/migrate-tags.md). Every step can be repeated.</summary>
internal sealed class MigrateTagsCommand
{
    private const int Questions = 300;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly Option<string> _from = new("--from") { Description = "Connection string of the old PostgreSQL database.", HelpName = "CONNECTION", Required = true, Recursive = true };
    private readonly Option<string> _table = Text("--table", "The table, as SQL writes it.", "contacts");
    private readonly Option<string> _column = Text("--column", "Its column with the array of tags (jsonb or json).", "tags");
    private readonly Option<string> _key = Text("--key", "Its key columns, divided by commas.", "id");
    private readonly Option<string> _email = Text("--email", "Its column with the address.", "email");
    private readonly Option<string?> _user = new("--user") { Description = "The EDM user who gets the contacts.", HelpName = "NAME", Recursive = true };
    private readonly Option<string?> _userColumn = new("--user-column") { Description = "The column that says whose contact a row is.", HelpName = "COLUMN", Recursive = true };
    private readonly Option<string?> _users = new("--users") { Description = "A JSON object: value of the user column to the name of an EDM user.", HelpName = "FILE", Recursive = true };
    private readonly Option<string[]> _map = new("--map") { Description = "Fill a field of new contacts from a column; may be given several times.", HelpName = "FIELD=COLUMN", Recursive = true };
    private readonly Option<string?> _changesBy = new("--changes-by") { Description = "A column that grows with every change of a row, instead of triggers.", HelpName = "COLUMN", Recursive = true };
    private readonly Option<string> _variants = Text("--case-variants", "What becomes of spellings that differ by case: keep-first or separate.", "keep-first");
    private readonly Option<string?> _objectName = new("--object-name") { Description = "The field of an object that names the tag; else the object as JSON.", HelpName = "FIELD", Recursive = true };
    private readonly Option<bool> _json = new("--json") { Description = "Print the report as JSON, and nothing else.", Recursive = true };
    private readonly Option<string[]> _config;

    private MigrateTagsCommand(Option<string[]> config) => _config = config;

    public static Command Create(Option<string[]> config) => new MigrateTagsCommand(config).Build();

    private Command Build()
    {
        _variants.AcceptOnlyFromAmong("keep-first", "separate");
        var backup = new Option<string>("--backup") { Description = "A folder for the backup, which is taken before anything is written.", HelpName = "FOLDER", Required = true };
        var once = new Option<bool>("--once") { Description = "End when all changes up to now are applied." };
        var report = new Option<string?>("--report") { Description = "Write every difference to this file, a JSON object a line.", HelpName = "FILE" };
        var number = new Option<int>("--questions") { Description = "How many questions.", HelpName = "N", DefaultValueFactory = _ => Questions };
        var seconds = new Option<double?>("--seconds") { Description = "How long, instead of how many.", HelpName = "S" };
        var lockSeconds = new Option<double>("--lock-timeout") { Description = "How long writers of the old table may wait for us to get its lock.", HelpName = "S", DefaultValueFactory = _ => 5 };
        var accept = new Option<bool>("--accept-set-aside") { Description = "Cut over although some rows could not become contacts." };
        var notWritten = new Option<string?>("--not-written") { Description = "Where contacts go that the old table has no row for; else beside the backup.", HelpName = "FILE" };
        var side = new Option<string>("--side") { Description = "Which side gets its tags back: old or edm.", HelpName = "SIDE", Required = true };
        side.AcceptOnlyFromAmong("old", "edm");

        var command = new Command("migrate-tags", "Move tags out of a JSON column of another PostgreSQL database, while it is in use.")
        {
            _from, _table, _column, _key, _email, _user, _userColumn, _users, _map, _changesBy, _variants, _objectName, _json,
        };
        command.Subcommands.Add(Step("plan", "Read the old table, and say what is in it and what will become of it. Writes nothing.", [],
            async (m, s, p, _, c) => await m.PlanAsync(s, p, c)));
        command.Subcommands.Add(Step("copy", "Take a backup, note changes from now on, and copy all rows.", [backup],
            async (m, s, p, parsed, c) => await m.CopyAsync(s, parsed.GetRequiredValue(backup), p, c)));
        command.Subcommands.Add(Step("follow", "Apply what changes in the old table; after a cut-over, write EDM's changes back.", [once],
            async (m, s, p, parsed, c) => await m.FollowAsync(s, parsed.GetValue(once), p, c)));
        command.Subcommands.Add(Step("verify", "Compare both sides, contact by contact and tag by tag. Exit code 0 only when nothing differs.", [report],
            async (m, s, p, parsed, c) => await m.VerifyAsync(s, parsed.GetValue(report), p, c)));
        command.Subcommands.Add(Step("dual-run", "Ask both sides the same questions and count the differences.", [number, seconds],
            async (m, s, p, parsed, c) => await m.DualRunAsync(s, parsed.GetValue(number), parsed.GetValue(seconds) is { } span ? TimeSpan.FromSeconds(span) : null, p, c)));
        command.Subcommands.Add(Step("cut-over", "Make EDM the leader.", [lockSeconds, accept],
            async (m, s, p, parsed, c) => await m.CutOverAsync(s, TimeSpan.FromSeconds(parsed.GetValue(lockSeconds)), parsed.GetValue(accept), p, c)));
        command.Subcommands.Add(Step("roll-back", "Make the old system the leader again, with what changed since, and remove what was installed there.", [notWritten],
            async (m, s, p, parsed, c) => await m.RollBackAsync(s, parsed.GetValue(notWritten), p, c)));
        command.Subcommands.Add(Step("status", "How far the migration is.", [],
            async (m, s, _, _, c) => await m.StatusAsync(s, c)));
        var folder = new Option<string>("--backup") { Description = "The folder of the backup.", HelpName = "FOLDER", Required = true };
        command.Subcommands.Add(Step("restore", "Give one side its tags back as the backup has them.", [folder, side],
            async (m, s, p, parsed, c) => parsed.GetRequiredValue(side) == "old"
                ? new { restoredRows = await m.RestoreOldAsync(s, parsed.GetRequiredValue(folder), p, c) }
                : await EdmAsync(m, s, parsed.GetRequiredValue(folder), p, c)));
        return command;
    }

    private static async Task<object> EdmAsync(TagMigrator migrator, MigrationSource source, string folder, IProgress<MigrationProgress>? progress, CancellationToken cancellation)
    {
        await migrator.RestoreEdmAsync(source, folder, progress, cancellation);
        return new { restored = "edm" };
    }

    private Command Step(
        string name, string description, Option[] options, Func<TagMigrator, MigrationSource, IProgress<MigrationProgress>?, ParseResult, CancellationToken, Task<object>> run)
    {
        var command = new Command(name, description);
        foreach (var option in options)
        {
            command.Options.Add(option);
        }

        command.SetAction(async (parsed, _) =>
        {
            using var stop = new StopSignals();
            var settings = EdmSettings.Read(HoconFiles.Shipped.Load(parsed.GetValue(_config) ?? []));
            return await RunAsync(settings, parsed, run, Terminal.OfProcess, stop.Token);
        });
        return command;
    }

    private async Task<int> RunAsync(
        EdmSettings settings, ParseResult parsed, Func<TagMigrator, MigrationSource, IProgress<MigrationProgress>?, ParseResult, CancellationToken, Task<object>> run, Terminal terminal,
        CancellationToken cancellation)
    {
        var plain = parsed.GetValue(_json);
        var screen = plain ? null : new MigrationScreen(terminal, TimeProvider.System);
        try
        {
            var source = Source(parsed);
            await using var services = new ServiceCollection().AddLogging().AddEdmStorage(settings.Storage).AddEdmUsers().AddSuppressions(settings.MasterKey).AddSingleton<TagMigrator>().BuildServiceProvider();
            await services.GetRequiredService<Migrator>().MigrateAsync(cancellation);
            var report = await run(services.GetRequiredService<TagMigrator>(), source, screen, parsed, cancellation);
            screen?.Clear();
            await terminal.Out.WriteLineAsync(JsonSerializer.Serialize(report, Json));
            return report is VerifyReport { Differences: > 0 } or DualRunReport { Differences: > 0 } ? ExitCodes.Failed : 0;
        }
        catch (MigrationException exception)
        {
            screen?.Clear();
            await terminal.Error.WriteLineAsync(exception.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            screen?.Clear();
            await terminal.Error.WriteLineAsync("Interrupted. Nothing is lost: repeat the step, and it goes on where it was.");
        }
        catch (NpgsqlException exception)
        {
            screen?.Clear();
            await terminal.Error.WriteLineAsync($"A database refuses or can't be reached: {exception.Message} Nothing is lost: repeat the step, and it goes on where it was.");
        }

        return ExitCodes.Failed;
    }

    private MigrationSource Source(ParseResult parsed) => new()
    {
        Connection = parsed.GetRequiredValue(_from),
        Table = parsed.GetRequiredValue(_table),
        Column = parsed.GetRequiredValue(_column),
        Key = parsed.GetRequiredValue(_key).Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
        Email = parsed.GetRequiredValue(_email),
        User = parsed.GetValue(_user),
        UserColumn = parsed.GetValue(_userColumn),
        Users = Users(parsed.GetValue(_users)),
        Fields = Fields(parsed.GetValue(_map) ?? []),
        ChangesBy = parsed.GetValue(_changesBy),
        SeparateVariants = parsed.GetRequiredValue(_variants) == "separate",
        ObjectName = parsed.GetValue(_objectName),
    };

    private static Dictionary<string, string> Users(string? file)
    {
        try
        {
            return file is null ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(file)) ?? [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new MigrationException($"--users: '{file}' can't be read: {exception.Message} Expected a JSON object of texts.", exception);
        }
    }

    private static Dictionary<string, string> Fields(string[] pairs)
    {
        Dictionary<string, string> fields = [];
        foreach (var pair in pairs)
        {
            var parts = pair.Split('=', 2);
            if (parts.Length != 2 || parts[0].Length == 0 || parts[1].Length == 0 || !fields.TryAdd(parts[0], parts[1]))
            {
                throw new MigrationException($"--map: '{pair}' can't be used. Expected FIELD=COLUMN, each field once.");
            }
        }

        return fields;
    }

    private static Option<string> Text(string name, string description, string usual) =>
        new(name) { Description = description, HelpName = name[2..].ToUpper(CultureInfo.InvariantCulture), DefaultValueFactory = _ => usual, Recursive = true };
}
