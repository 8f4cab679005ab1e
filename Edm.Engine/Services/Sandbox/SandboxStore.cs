using System.Threading.Channels;
using Edm.Engine.Storage;
using Microsoft.Data.Sqlite;

namespace Edm.Engine.Services.Sandbox;

/// <summary>
/// Keeps what the sandbox gets in a SQLite file of its own, durably before <see cref="AddAsync"/> returns: receipts survive a kill, and a test can count
/// who got what. Everything that comes in while one transaction is being written goes into the next one.
/// </summary>
public sealed class SandboxStore : ISandboxStore
{
    public const string FileName = "sandbox.db";

    /// <summary>What is kept of the newest: about 30 MB without, and at 6 KB a mail 120 MB with the raw mails.</summary>
    public const int MaxMessages = 100_000;
    public const int MaxRaws = 20_000;

    /// <summary>Different addresses that are counted. Beyond it new ones are kept as messages, but not counted.</summary>
    private const int MaxRecipients = 5_000_000;

    /// <summary>Mails that wait for the disk; more than there are connections never wait.</summary>
    private const int MaxWaiting = 4_096;

    /// <summary>Mails of one transaction: some megabytes.</summary>
    private const int MaxBatch = 512;

    /// <summary>Old ones go after this many new ones, so that the cost is spread and the file overshoots by 1 %.</summary>
    private const int TrimEvery = 1_000;

    private readonly Channel<Waiting> _waiting = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly BlockingThreads _threads = new("edm-sandbox", 2);
    private readonly SqliteConnection _writer;

    // Prepared once; a transaction holds a few dozen mails and must not begin by preparing.
    private readonly SqliteCommand _addMessage;
    private readonly SqliteCommand _addRaw;
    private readonly SqliteCommand _countKnown;
    private readonly SqliteCommand _countNew;
    private readonly string _reading;
    private readonly int _maxMessages;
    private readonly int _maxRaws;
    private readonly Task _writing;
    private long _sinceTrim;
    private long _recipients;

    /// <param name="file">Made when it is missing.</param>
    public SandboxStore(string file, int maxMessages = MaxMessages, int maxRaws = MaxRaws)
    {
        (_maxMessages, _maxRaws) = (maxMessages, maxRaws);
        SqliteFiles.MakeFolder(Path.GetDirectoryName(Path.GetFullPath(file))!);
        _reading = EdmDatabase.SqliteConnectionString(file);
        _writer = new SqliteConnection(_reading);
        _writer.Open();
        Execute(_writer, """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = ON;
            CREATE TABLE IF NOT EXISTS messages (
              id integer PRIMARY KEY AUTOINCREMENT, received_at integer NOT NULL, login text, sender text NOT NULL, recipient text NOT NULL, subject text, message_id text,
              size integer NOT NULL);
            CREATE TABLE IF NOT EXISTS raws (id integer PRIMARY KEY, raw blob NOT NULL);
            CREATE TABLE IF NOT EXISTS recipients (recipient text PRIMARY KEY COLLATE NOCASE, times integer NOT NULL) WITHOUT ROWID;
            """);
        _recipients = Scalar(_writer, "SELECT count(*) FROM recipients");
        _addMessage = Command(
            _writer,
            "INSERT INTO messages (received_at, login, sender, recipient, subject, message_id, size) VALUES ($at, $login, $sender, $recipient, $subject, $messageId, $size) RETURNING id",
            ("$at", 0L), ("$login", null), ("$sender", ""), ("$recipient", ""), ("$subject", null), ("$messageId", null), ("$size", 0));
        _addRaw = Command(_writer, "INSERT INTO raws (id, raw) VALUES ($id, $raw)", ("$id", 0L), ("$raw", Array.Empty<byte>()));
        _countKnown = Command(_writer, "UPDATE recipients SET times = times + 1 WHERE recipient = $recipient", ("$recipient", ""));
        _countNew = Command(_writer, "INSERT INTO recipients (recipient, times) VALUES ($recipient, 1)", ("$recipient", ""));
        _writing = Task.Run(WriteAllAsync);
    }

    public async Task AddAsync(SandboxMail mail, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(mail);
        await WriteAsync(new Waiting(mail, null, Done()), cancellation);
    }

    public Task<IReadOnlyList<SandboxMessage>> PageAsync(long before, int limit, string? login, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<SandboxMessage>>(
            connection =>
            {
                using var command = Command(
                    connection,
                    "SELECT id, received_at, login, sender, recipient, subject, message_id, size FROM messages WHERE id < $before AND ($login IS NULL OR login = $login) ORDER BY id DESC LIMIT $limit",
                    ("$before", before), ("$login", login), ("$limit", limit));
                using var reader = command.ExecuteReader();
                var page = new List<SandboxMessage>();
                while (reader.Read())
                {
                    page.Add(new SandboxMessage(
                        reader.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(1)), Text(reader, 2), reader.GetString(3), reader.GetString(4), Text(reader, 5), Text(reader, 6),
                        reader.GetInt32(7)));
                }

                return page;
            },
            cancellation);

    public Task<byte[]?> GetRawAsync(long id, CancellationToken cancellation) =>
        ReadAsync(
            connection =>
            {
                using var command = Command(connection, "SELECT raw FROM raws WHERE id = $id", ("$id", id));
                return command.ExecuteScalar() as byte[];
            },
            cancellation);

    public Task<SandboxCount> CountAsync(CancellationToken cancellation) =>
        ReadAsync(
            connection =>
            {
                using var command = Command(connection, "SELECT coalesce(sum(times), 0), count(*), coalesce(sum(times > 1), 0) FROM recipients");
                using var reader = command.ExecuteReader();
                reader.Read();
                return new SandboxCount(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2));
            },
            cancellation);

    public Task<IReadOnlyList<SandboxDuplicate>> DuplicatesAsync(int limit, CancellationToken cancellation) =>
        ReadAsync<IReadOnlyList<SandboxDuplicate>>(
            connection =>
            {
                using var command = Command(connection, "SELECT recipient, times FROM recipients WHERE times > 1 ORDER BY times DESC, recipient LIMIT $limit", ("$limit", limit));
                using var reader = command.ExecuteReader();
                var found = new List<SandboxDuplicate>();
                while (reader.Read())
                {
                    found.Add(new SandboxDuplicate(reader.GetString(0), reader.GetInt64(1)));
                }

                return found;
            },
            cancellation);

    public async Task<int> ForgetAsync(Func<string, bool> isMeant, CancellationToken cancellation)
    {
        var meant = await ReadAsync(connection => Recipients(connection).Where(isMeant).ToArray(), cancellation);
        if (meant.Length > 0)
        {
            await WriteAsync(new Waiting(null, meant, Done()), cancellation);

            // Pages that were split may keep a copy of what is deleted, and so does the log.
            await ReadAsync(
                connection =>
                {
                    Execute(connection, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
                    return true;
                },
                cancellation);
        }

        return meant.Length;
    }

    public Task ClearAsync(CancellationToken cancellation) => WriteAsync(new Waiting(null, null, Done()), cancellation);

    /// <summary>Goes the way of the mails, so that it has its place among them.</summary>
    private async Task WriteAsync(Waiting waiting, CancellationToken cancellation)
    {
        await _waiting.Writer.WriteAsync(waiting, cancellation);
        await waiting.Done.Task;
    }

    private static TaskCompletionSource Done() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public async ValueTask DisposeAsync()
    {
        if (_waiting.Writer.TryComplete())
        {
            await _writing;
            _threads.Dispose();
            foreach (var command in new[] { _addMessage, _addRaw, _countKnown, _countNew })
            {
                await command.DisposeAsync();
            }

            await _writer.DisposeAsync();
            using var pool = new SqliteConnection(_reading);
            SqliteConnection.ClearPool(pool);
        }
    }

    private async Task WriteAllAsync()
    {
        var batch = new List<Waiting>(MaxBatch);
        while (await _waiting.Reader.WaitToReadAsync())
        {
            while (batch.Count < MaxBatch && _waiting.Reader.TryRead(out var waiting))
            {
                batch.Add(waiting);
            }

            Exception? failed = null;
            try
            {
                await _threads.RunAsync(() => Task.FromResult(Write(batch)), CancellationToken.None);
            }
            catch (Exception exception)
            {
                // A full disk, most likely. Those who wait say 451 to their clients, and the next batch tries again.
                failed = exception;
            }

            foreach (var waiting in batch)
            {
                _ = failed is null ? waiting.Done.TrySetResult() : waiting.Done.TrySetException(failed);
            }

            batch.Clear();
        }
    }

    private bool Write(List<Waiting> batch)
    {
        using var transaction = _writer.BeginTransaction();
        foreach (var command in new[] { _addMessage, _addRaw, _countKnown, _countNew })
        {
            command.Transaction = transaction;
        }

        var (added, recipients) = (0, _recipients);
        foreach (var waiting in batch)
        {
            if (waiting.Forgotten is { } forgotten)
            {
                Forget(forgotten);
                continue;
            }

            if (waiting.Mail is not { } mail)
            {
                Execute(_writer, "DELETE FROM messages; DELETE FROM raws; DELETE FROM recipients;");
                recipients = 0;
                continue;
            }

            foreach (var recipient in mail.Recipients)
            {
                Set(_addMessage, mail.ReceivedAt.ToUnixTimeMilliseconds(), mail.Login, mail.Sender, recipient, mail.Subject, mail.MessageId, mail.Size);
                Set(_addRaw, _addMessage.ExecuteScalar(), mail.Raw);
                _addRaw.ExecuteNonQuery();
                Set(_countKnown, recipient);
                if (_countKnown.ExecuteNonQuery() == 0 && recipients < MaxRecipients)
                {
                    Set(_countNew, recipient);
                    _countNew.ExecuteNonQuery();
                    recipients++;
                }

                added++;
            }
        }

        var trim = _sinceTrim + added >= TrimEvery;
        if (trim)
        {
            Execute(_writer, $"""
                DELETE FROM raws WHERE id <= (SELECT max(id) FROM messages) - {_maxRaws};
                DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - {_maxMessages};
                """);
        }

        transaction.Commit();
        (_sinceTrim, _recipients) = (trim ? 0 : _sinceTrim + added, recipients);
        return true;
    }

    /// <summary>With what a mail to one of them said to others in the same transaction of SMTP: their copies are the same bytes.</summary>
    private void Forget(string[] recipients)
    {
        foreach (var recipient in recipients)
        {
            Execute(
                _writer,
                """
                DELETE FROM raws WHERE id IN (
                  SELECT other.id FROM messages mine JOIN messages other ON other.id = mine.id OR (other.message_id = mine.message_id AND other.received_at = mine.received_at)
                  WHERE mine.recipient = $recipient COLLATE NOCASE);
                DELETE FROM messages WHERE recipient = $recipient COLLATE NOCASE;
                UPDATE recipients SET recipient = 'erased-' || lower(hex(randomblob(8))) WHERE recipient = $recipient;
                """,
                ("$recipient", recipient));
        }
    }

    // Those that are counted, and those beyond the bound that are not.
    private static IEnumerable<string> Recipients(SqliteConnection connection)
    {
        using var command = Command(connection, "SELECT recipient FROM recipients UNION SELECT recipient FROM messages");
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return reader.GetString(0);
        }
    }

    private Task<T> ReadAsync<T>(Func<SqliteConnection, T> read, CancellationToken cancellation) =>
        _threads.RunAsync(
            async () =>
            {
                await using var connection = new SqliteConnection(_reading);
                connection.Open();
                return read(connection);
            },
            cancellation);

    private static SqliteCommand Command(SqliteConnection connection, string sql, params (string Name, object? Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        }

        return command;
    }

    private static void Set(SqliteCommand command, params object?[] values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }

    private static void Execute(SqliteConnection connection, string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        return (long)command.ExecuteScalar()!;
    }

    private static string? Text(SqliteDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <param name="Mail">Null, and nobody in <paramref name="Forgotten"/>: forget everything.</param>
    private sealed record Waiting(SandboxMail? Mail, string[]? Forgotten, TaskCompletionSource Done);
}
